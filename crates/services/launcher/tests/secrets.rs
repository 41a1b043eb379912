//! What is registered with a plugin is told to nobody but the plugin.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use std::{
    io,
    sync::{Arc, Mutex},
};

use futures::StreamExt;
use support::{Bench, go_plugin, sentence, spec};
use tracing_subscriber::{fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};
use wire::launcher::v1::EventsRequest;

const CANARY: &str = "canary-5e0c1a";

/// A log in memory.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn give_secrets(bench: &Bench, plugin: &str) {
    let mut plugins = bench.plugins.lock().unwrap();
    let plugin = plugins.get_mut(plugin).unwrap();
    plugin.env = vec![format!("SECRET={CANARY}")];
    plugin.args.push(format!("-password={CANARY}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn l3_no_value_of_the_environment_and_no_argument_is_logged_told_or_listed() {
    let log = Log::default();
    // Everything, down to the last detail of every crate.
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(log.clone()).with_ansi(false))
        .init();
    let bench = Bench::new();
    bench.register("fixture", &go_plugin("fixture"), &["single"]);
    give_secrets(&bench, "fixture");
    bench.mount("m", "fixture").await.unwrap();
    assert_eq!(bench.read("m", "environment").await.unwrap()["SECRET"], CANARY);
    let mut told = format!("{:?}", bench.processes().await);
    told += &sentence(&bench.call("m", "read", "crash", r#"{"how":"exit"}"#).await.unwrap_err());
    let scripts = [
        ("complains", "#!/bin/sh\necho \"bad flag $1, $SECRET\" >&2\nexit 2\n"),
        ("chats", "#!/bin/sh\necho \"started with $1, $SECRET\"\nexec sleep 60\n"),
    ];
    for (name, script) in scripts {
        bench.register_script(name, script);
        give_secrets(&bench, name);
        let said = sentence(&bench.mount_as(spec(name, name), true).await.unwrap_err());
        assert!(said.contains("***"), "{said}");
        told += &said;
    }
    let mut events = bench.client.events(EventsRequest { after: 0 }).await.unwrap().into_inner();
    loop {
        let event = events.next().await.unwrap().unwrap();
        told += &format!("{event:?}");
        if event.plugin == "chats" && event.state == "exited" {
            break;
        }
    }
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(logged.contains("bad flag"), "the log is not read");
    for text in [logged, told] {
        let line = text.lines().find(|line| line.contains(CANARY));
        assert_eq!(line, None);
    }
}
