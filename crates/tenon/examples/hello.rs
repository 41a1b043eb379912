//! A first plugin: remembers greetings. Build it, put it into the plugin directory, and then
//!
//! ```sh
//! vault plugin register -sha256=$(sha256sum hello | cut -d' ' -f1) secret hello
//! vault secrets enable hello
//! vault write hello/greeting/ann text="Good morning"
//! vault read hello/greeting/ann
//! ```

use std::{process::ExitCode, sync::Arc};

use serde::{Deserialize, Serialize};
use tenon::{
    Backend, BackendKind, Config, Host, Key, Request, Response, Result,
    framework::{Engine, Outcome, Path, field},
};

struct Hello(Host);

#[derive(Serialize, Deserialize)]
struct Greeting {
    name: String,
    #[serde(default)]
    text: String,
}

impl Hello {
    async fn write(self: Arc<Self>, _: Request, greeting: Greeting) -> Outcome {
        let key: Key = greeting.name.parse()?;
        self.0.storage.put(key, greeting.text.into()).await?;
        Ok(None)
    }

    async fn read(self: Arc<Self>, _: Request, Greeting { name, .. }: Greeting) -> Outcome {
        let Some(text) = self.0.storage.get(&name.parse()?).await? else { return Ok(None) };
        let text = String::from_utf8_lossy(&text).into_owned();
        Response::json(&Greeting { name, text }).map(Some)
    }
}

async fn create(_: Config, host: Host) -> Result<Arc<dyn Backend>> {
    let greeting = Path::new("greeting/{name}")
        .help("A greeting.", "Writes and reads the greeting for somebody.")
        .field("name", field::string("Whom to greet."))
        .field("text", field::string("What to say."))
        .write(Hello::write)
        .read(Hello::read);
    let engine = Engine::new(BackendKind::Secret).help("Remembers greetings.").path(greeting);
    Ok(Arc::new(engine).mounted(Hello(host)))
}

fn main() -> ExitCode {
    tenon::serve_multiplexed(create)
}
