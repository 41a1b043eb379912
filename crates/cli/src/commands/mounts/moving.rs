use std::{thread, time::Duration};

use serde_json::json;

use super::{Side, text};
use crate::{
    Error,
    client::Request,
    error::Result,
    session::{Session, mount},
};

/// How long is waited before asking again how far it is.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) fn move_to(session: &Session<'_>, side: &Side) -> Result<()> {
    let (from, to) = (mount(session.given.place("SOURCE")), mount(session.given.place("DESTINATION")));
    let thing = side.thing;
    let whole = |path: &str| {
        if path.starts_with(side.prefix) { path.to_owned() } else { format!("{}{path}", side.prefix) }
    };
    let body = json!({ "from": whole(&from), "to": whole(&to) });
    let doing = || format!("Error moving {thing} {from} to {to}");
    let begun = session.ask(&Request::post("sys/remount", body), doing)?.data()?;
    let id = text(&begun, "migration_id");
    session.out.say(format!("Started moving {thing} {from} to {to}, with migration ID {id}"));
    loop {
        let now = session.ask(&Request::get(format!("sys/remount/status/{id}")), doing)?.data()?;
        match now["migration_info"]["status"].as_str() {
            Some("success") => break,
            Some("failure") => {
                return Err(Error::nothing(format!(
                    "Failure! Error encountered moving {thing} {from} to {to}, with migration ID {id}"
                )));
            }
            _ => thread::sleep(PAUSE),
        }
    }
    session.out.say(format!("Success! Finished moving {thing} {from} to {to}, with migration ID {id}"));
    Ok(())
}
