use serde_json::{Value, json};

use crate::{
    Error, Exit,
    client::Request,
    error::{Doing, Result},
    output::wrapped,
    session::Session,
};

const SHARES: i64 = 5;
const THRESHOLD: i64 = 3;

pub(super) fn init(session: &Session<'_>) -> Result<()> {
    if session.given.on("status") {
        return status(session);
    }
    let (shares, threshold) = shares(session);
    let body = json!({ "secret_shares": shares, "secret_threshold": threshold });
    let made: Value =
        session.ask(&Request::put("sys/init", body), || "Error initializing".to_owned())?.json()?;
    if !session.out.is_table() {
        return session.out.document(&for_programs(&made, shares, threshold));
    }
    for (number, key) in (1..).zip(texts(&made["keys_base64"])) {
        session.out.say(format!("Unseal Key {number}: {key}"));
    }
    session.out.say(format!("\nInitial Root Token: {}\n", made["root_token"].as_str().unwrap_or_default()));
    session.out.say(wrapped(&advice(session, shares, threshold), 0));
    Ok(())
}

/// As many shares as are asked for, and how many of them are enough.
pub(super) fn shares(session: &Session<'_>) -> (i64, i64) {
    let shares = session.given.number("key-shares");
    (shares.unwrap_or(SHARES), session.given.number("key-threshold").unwrap_or(THRESHOLD))
}

fn advice(session: &Session<'_>, shares: i64, threshold: i64) -> String {
    format!(
        "Success! The server is initialized with {shares} key shares and a key threshold of {threshold}. Please securely \
         distribute the key shares printed above. When the server is re-sealed, restarted, or stopped, you must supply at \
         least {threshold} of these keys to unseal it before it can start servicing requests.\n\n\
         The root key itself is not stored anywhere. Without at least {threshold} keys to reconstruct it, everything stays \
         sealed for good.\n\n\
         New shares can be made with \"{} operator rekey\".",
        session.program
    )
}

/// The names that Vault's command gives them.
fn for_programs(made: &Value, shares: i64, threshold: i64) -> Value {
    json!({
        "unseal_keys_b64": made["keys_base64"],
        "unseal_keys_hex": made["keys"],
        "unseal_shares": shares,
        "unseal_threshold": threshold,
        "recovery_keys_b64": [],
        "recovery_keys_hex": [],
        "recovery_keys_shares": 0,
        "recovery_keys_threshold": 0,
        "root_token": made["root_token"],
    })
}

pub(super) fn texts(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

fn status(session: &Session<'_>) -> Result<()> {
    let answer =
        session.client()?.ask(&Request::get("sys/init")).doing(|| "Error checking init status".to_owned());
    // 2 means that it is not, and nothing else.
    let told = answer
        .map_err(|error| if error.instead().is_some() { error } else { Error::local(error.to_string()) })?;
    let told: Value = told.json()?;
    let is = told["initialized"] == true;
    if session.out.is_table() {
        session.out.say(if is { "Vault is initialized" } else { "Vault is not initialized" });
    } else {
        session.out.document(&json!({ "Initialized": is }))?;
    }
    if is { Ok(()) } else { Err(Error::Ends(Exit::Remote)) }
}
