use serde_json::Value;

use crate::{Error, client::Request, error::Result, output::plain, session::Session};

pub(super) fn reload(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let mounts = given.list("mounts").join(",");
    let (called, name) = match (given.text("plugin"), mounts.is_empty()) {
        (None, true) => {
            return Err(Error::local("No plugins specified, must specify exactly one of -plugin or -mounts"));
        }
        (Some(_), false) => return Err(Error::local("Must specify exactly one of -plugin or -mounts")),
        (Some(plugin), true) => ("plugin", plugin),
        (None, false) => ("mounts", &*mounts),
    };
    let path = match given.text("type") {
        Some(kind) if called == "plugin" => format!("sys/plugins/reload/{kind}/{name}"),
        _ => "sys/plugins/reload/backend".to_owned(),
    };
    let answer =
        session.ask(&Request::put(path, session.body()?), || "Error reloading plugin/mounts".to_owned())?;
    if let Some(secret) = answer.secret()? {
        session.out.warnings(&secret);
        if let Some(id) = secret
            .data
            .and_then(|data| data.get("reload_id").map(plain))
            .filter(|_| given.text("scope") == Some("global"))
        {
            session.out.say(format!("Success! Reloading {called}: {name}, reload_id: {id}"));
            return Ok(());
        }
    }
    session.out.say(format!("Success! Reloaded {called}: {name}"));
    Ok(())
}

pub(super) fn status(session: &Session<'_>) -> Result<()> {
    let request =
        Request::get("sys/plugins/reload/backend/status").with("reload_id", session.given.place("RELOAD_ID"));
    let data = session.ask(&request, || "Error retrieving plugin reload status".to_owned())?.data()?;
    let results = data["results"].as_object().cloned().unwrap_or_default();
    let row = |(node, result): (&String, &Value)| {
        let error = result["error"].as_str().unwrap_or_default();
        let time = result["timestamp"].as_str().unwrap_or_default().to_owned();
        vec![time, node.clone(), error.is_empty().to_string(), error.to_owned()]
    };
    session
        .out
        .either(&data, &["Time", "Participant", "Success", "Message"], || results.iter().map(row).collect())
}
