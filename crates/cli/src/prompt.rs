use std::io::{self, IsTerminal};

use crate::{Error, error::Result, session::Session, values};

/// A secret that was given as an argument, comes from standard input (`-`), or is asked for without being shown.
pub fn secret(session: &Session<'_>, given: Option<&str>, called: &str) -> Result<String> {
    match given {
        Some("-") => Ok(values::standard_input()?.trim().to_owned()),
        Some(text) if !text.is_empty() => Ok(text.trim().to_owned()),
        _ => ask(session, called),
    }
}

fn ask(session: &Session<'_>, called: &str) -> Result<String> {
    if session.given.on("non-interactive") || !io::stdin().is_terminal() {
        return Err(Error::local(format!(
            "{called} is missing, and there is no terminal to ask for it: give it, or \"-\" to read it from the standard input"
        )));
    }
    let asked = rpassword::prompt_password(format!("{called} (will be hidden): "));
    asked
        .map(|text| text.trim().to_owned())
        .map_err(|error| Error::local(format!("cannot ask for {called}: {error}")))
}
