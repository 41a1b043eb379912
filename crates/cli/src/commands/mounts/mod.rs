//! Secrets engines and auth methods: both are mounts, and the commands for both are the same but for their words.

mod change;
mod flags;
mod list;
mod moving;

use serde_json::Value;

use crate::{
    error::Result,
    leaf::{Leaf, Prints},
    session::Session,
};

/// One of the two.
#[derive(Debug)]
struct Side {
    /// Where the API has them.
    api: &'static str,
    /// What one is called.
    thing: &'static str,
    /// What one is enabled as, with or without an article.
    article: &'static str,
    /// What its paths begin with where both are meant.
    prefix: &'static str,
    /// Whether a short list tells versions, too.
    tells_version: bool,
}

const SECRETS: Side =
    Side { api: "sys/mounts", thing: "secrets engine", article: "the ", prefix: "", tells_version: false };
const AUTH: Side =
    Side { api: "sys/auth", thing: "auth method", article: "", prefix: "auth/", tells_version: true };

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "secrets enable",
        about: "Enable a secrets engine.",
        takes: &["TYPE"],
        flags: &[flags::MADE, flags::SAID, flags::SETTINGS, flags::NO_CACHE],
        prints: Prints::Words,
        run: |session| change::enable(session, &SECRETS),
    },
    Leaf {
        words: "secrets disable",
        about: "Disable a secrets engine, and delete what it keeps.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Words,
        run: |session| change::disable(session, &SECRETS),
    },
    Leaf {
        words: "secrets tune",
        about: "Change the settings of a secrets engine.",
        takes: &["PATH"],
        flags: &[flags::SAID, flags::SETTINGS],
        prints: Prints::Words,
        run: |session| change::tune(session, &SECRETS),
    },
    Leaf {
        words: "secrets list",
        about: "List the secrets engines.",
        takes: &[],
        flags: &[flags::LIST],
        prints: Prints::Format,
        run: |session| list::list(session, &SECRETS),
    },
    Leaf {
        words: "secrets move",
        about: "Move a secrets engine to another path.",
        takes: &["SOURCE", "DESTINATION"],
        flags: &[],
        prints: Prints::Words,
        run: |session| moving::move_to(session, &SECRETS),
    },
    Leaf {
        words: "auth enable",
        about: "Enable an auth method.",
        takes: &["TYPE"],
        flags: &[flags::MADE, flags::SAID, flags::SETTINGS, flags::NO_CACHE, flags::TOKENS],
        prints: Prints::Words,
        run: |session| change::enable(session, &AUTH),
    },
    Leaf {
        words: "auth disable",
        about: "Disable an auth method, and revoke all that came of it.",
        takes: &["PATH"],
        flags: &[],
        prints: Prints::Words,
        run: |session| change::disable(session, &AUTH),
    },
    Leaf {
        words: "auth tune",
        about: "Change the settings of an auth method.",
        takes: &["PATH"],
        flags: &[flags::SAID, flags::SETTINGS, flags::TOKENS, flags::LOCKOUT],
        prints: Prints::Words,
        run: |session| change::tune(session, &AUTH),
    },
    Leaf {
        words: "auth list",
        about: "List the auth methods.",
        takes: &[],
        flags: &[flags::LIST],
        prints: Prints::Format,
        run: |session| list::list(session, &AUTH),
    },
    Leaf {
        words: "auth move",
        about: "Move an auth method to another path.",
        takes: &["SOURCE", "DESTINATION"],
        flags: &[],
        prints: Prints::Words,
        run: |session| moving::move_to(session, &AUTH),
    },
    Leaf {
        words: "auth help",
        about: "Tell how to log in by an auth method.",
        takes: &["TYPE"],
        flags: &[],
        prints: Prints::Words,
        run: help,
    },
];

/// By its type, or by the path that one is enabled at.
fn help(session: &Session<'_>) -> Result<()> {
    use crate::{Error, client::Request, commands::login::METHODS, error::Doing};
    let asked = session.path("TYPE");
    let find = |name: &str| METHODS.iter().find(|method| method.name == name);
    let method = match find(&asked) {
        Some(method) => Some(method),
        None => {
            let listed = session
                .client()?
                .ask(&Request::get("sys/auth"))
                .doing(|| "Error listing auth methods".to_owned())?
                .data()?;
            listed[format!("{asked}/")]["type"].as_str().and_then(find)
        }
    };
    let method = method.ok_or_else(|| {
        Error::nothing(format!("No auth method that this command line knows is at {asked:?}"))
    })?;
    let wants: Vec<String> = method.wants.iter().map(|want| format!("{}=VALUE", want.key)).collect();
    session.out.say(format!(
        "Usage: {} login -method={} [-path=PATH] {}",
        session.program,
        method.name,
        wants.join(" ")
    ));
    Ok(())
}

/// A member as a text; nothing if there is none.
fn text(of: &Value, name: &str) -> String {
    of.get(name).filter(|value| !value.is_null()).map(crate::output::plain).unwrap_or_default()
}
