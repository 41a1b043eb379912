use serde_json::Value;

use crate::{client::Request, error::Result, output::plain, session::Session};

pub(super) fn rotate(session: &Session<'_>) -> Result<()> {
    session.ask(&Request::act("sys/rotate"), || "Error rotating key".to_owned())?;
    session.out.done("Success! Rotated key\n");
    status(session)
}

pub(super) fn status(session: &Session<'_>) -> Result<()> {
    let data: Value =
        session.ask(&Request::get("sys/key-status"), || "Error reading key status".to_owned())?.data()?;
    if !session.out.is_table() {
        return session.out.document(&data);
    }
    let rows = [("Key Term", "term"), ("Install Time", "install_time"), ("Encryption Count", "encryptions")];
    let rows: Vec<Vec<String>> =
        rows.iter().map(|(name, field)| vec![(*name).to_owned(), plain(&data[*field])]).collect();
    session.out.say(crate::output::columns(&rows));
    Ok(())
}
