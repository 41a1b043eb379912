use serde_json::Value;

use super::{Side, flags};
use crate::{
    client::Request,
    error::Result,
    session::{Session, mount},
};

pub(super) fn enable(session: &Session<'_>, side: &Side) -> Result<()> {
    let kind = session.path("TYPE");
    let path = mount(session.given.text("path").unwrap_or(&kind));
    let mut body = session.given.body(flags::MADE.iter().chain(flags::SAID))?;
    let settings = [flags::SETTINGS, flags::NO_CACHE, flags::TOKENS].into_iter().flatten();
    body.insert("config".to_owned(), Value::Object(session.given.body(settings)?));
    body.insert("type".to_owned(), kind.clone().into());
    let (thing, article) = (side.thing, side.article);
    session
        .ask(&Request::post(format!("{}/{path}", side.api), body), || format!("Error enabling {thing}"))?;
    session.out.say(format!("Success! Enabled {article}{kind} {thing} at: {path}"));
    Ok(())
}

pub(super) fn disable(session: &Session<'_>, side: &Side) -> Result<()> {
    let (path, thing) = (mount(session.given.place("PATH")), side.thing);
    let request = Request::delete(format!("{}/{path}", side.api));
    session.ask(&request, || format!("Error disabling {thing} at {path}"))?;
    session.out.say(format!("Success! Disabled the {thing} (if it existed) at: {path}"));
    Ok(())
}

pub(super) fn tune(session: &Session<'_>, side: &Side) -> Result<()> {
    let (path, thing) = (mount(session.given.place("PATH")), side.thing);
    let request = Request::post(format!("{}/{path}tune", side.api), session.body()?);
    session.ask(&request, || format!("Error tuning {thing} {path}"))?;
    session.out.say(format!("Success! Tuned the {thing} at: {path}"));
    Ok(())
}
