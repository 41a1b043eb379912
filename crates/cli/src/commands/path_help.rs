use serde_json::Value;

use crate::{
    client::Request,
    error::Result,
    leaf::{Leaf, Prints},
    session::Session,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "path-help",
    about: "Tell what can be done at a path.",
    takes: &["PATH"],
    flags: &[],
    prints: Prints::Format,
    run: help,
}];

fn help(session: &Session<'_>) -> Result<()> {
    // A slash at the end is a part of it: what is below a mount is helped at its root.
    let path = session.given.place("PATH").trim().trim_start_matches('/');
    let answer = session.ask(&Request::get(path).with("help", "1"), || "Error retrieving help".to_owned())?;
    let told: Value = answer.json()?;
    if !session.out.is_table() {
        return session.out.document(&told);
    }
    session.out.say(told["help"].as_str().unwrap_or_default());
    Ok(())
}
