use domain::Sha256;

use super::upload::Program;
use crate::{Error, client::Request, error::Result, session::Session};

pub(super) fn register(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let (kind, name) = (given.place("TYPE"), given.place("NAME"));
    let mut body = session.body()?;
    let expected = given.text("sha256").map(sha256).transpose()?;
    let command = given.text("command");
    if let Some(path) = given.text("upload") {
        let program = Program::open(path)?;
        let found = program.sha256;
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            return Err(Error::local(format!("{path} has SHA256 {found}, not {expected}")));
        }
        let command = command.map_or_else(|| program.name(), Ok)?.to_owned();
        program.send(session, &command)?;
        body.insert("sha256".to_owned(), found.to_string().into());
        body.insert("command".to_owned(), command.into());
    } else if let Some(expected) = expected {
        body.insert("sha256".to_owned(), expected.to_string().into());
        // An image says itself what is run in it.
        if let Some(command) = command.or(Some(name).filter(|_| !body.contains_key("oci_image"))) {
            body.insert("command".to_owned(), command.into());
        }
    }
    body.extend(given.text("version").map(|version| ("version".to_owned(), version.into())));
    let request = Request::put(format!("sys/plugins/catalog/{kind}/{name}"), body);
    session.ask(&request, || format!("Error registering plugin {name}"))?;
    session.out.say(format!("Success! Registered plugin: {name}"));
    Ok(())
}

fn sha256(text: &str) -> Result<Sha256> {
    text.parse().map_err(|error| Error::local(format!("-sha256 is no SHA256: {error}")))
}
