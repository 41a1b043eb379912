use serde_json::{Map, Value};

use super::{events::until, follow::Event};
use crate::{
    client::Request,
    error::Result,
    output::{duration, plain},
    session::Session,
};

pub(super) fn processes(session: &Session<'_>) -> Result<()> {
    let data = session
        .ask(&Request::get("sys/plugins/processes"), || "Error listing processes".to_owned())?
        .data()?;
    let processes = data["processes"].as_array().cloned().unwrap_or_default();
    let head = ["PID", "Name", "Type", "Version", "State", "Uptime", "Restarts", "Memory", "Mounts"];
    session.out.either(&processes, &head, || processes.iter().map(row).collect())
}

fn row(process: &Value) -> Vec<String> {
    let text = |name: &str| process.get(name).map(plain).unwrap_or_default();
    let mounts: Vec<&str> =
        process["mounts"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    vec![
        text("pid"),
        text("name"),
        text("type"),
        text("version"),
        text("state"),
        duration(process["uptime_seconds"].as_i64().unwrap_or_default()),
        text("restarts"),
        format!("{} MiB", process["rss_bytes"].as_u64().unwrap_or_default() >> 20),
        mounts.join(" "),
    ]
}

pub(super) fn logs(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let mut request =
        Request::get(format!("sys/plugins/logs/{}/{}", given.place("TYPE"), given.place("NAME")));
    for name in ["version", "level"] {
        request = given.text(name).into_iter().fold(request, |request, value| request.with(name, value));
    }
    request = given
        .number("lines")
        .into_iter()
        .fold(request, |request, lines| request.with("limit", lines.to_string()));
    if given.on("follow") {
        let request = request.with("follow", "true");
        return until(session, &request, given.number("count"), |event| shown(session, event, line));
    }
    let data = session.ask(&request, || "Error reading the log".to_owned())?.data()?;
    if !session.out.is_table() {
        return session.out.document(&data["lines"]);
    }
    data["lines"].as_array().into_iter().flatten().for_each(|told| session.out.say(line(told)));
    Ok(())
}

/// A line of a log, as the plugin would have written it for people.
fn line(told: &Value) -> String {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    let module = if text("module").is_empty() { String::new() } else { format!("{}: ", text("module")) };
    let empty = Map::new();
    let fields = told["fields"].as_object().unwrap_or(&empty);
    let fields: String = fields.iter().map(|(name, value)| format!(" {name}={}", plain(value))).collect();
    format!("{} [{}] {module}{}{fields}", text("time"), text("level").to_uppercase(), text("message"))
}

pub(super) fn events(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let request = Request::get("sys/plugins/events");
    let request = given
        .number("after")
        .into_iter()
        .fold(request, |request, after| request.with("after", after.to_string()));
    until(session, &request, given.number("count"), |event| shown(session, event, happened))
}

fn happened(told: &Value) -> String {
    let text = |name: &str| told.get(name).map(plain).unwrap_or_default();
    let words = ["time", "plugin", "type", "version", "state", "reason", "detail"];
    let words = words.map(text).into_iter().filter(|word| !word.is_empty() && word != "<nil>");
    words.collect::<Vec<_>>().join(" ")
}

/// In a line for people; for programs, too, one document after the other.
fn shown(session: &Session<'_>, event: &Event, line: fn(&Value) -> String) -> Result<()> {
    let Ok(told) = serde_json::from_str::<Value>(&event.data) else {
        session.out.say(&event.data);
        return Ok(());
    };
    if session.out.is_table() {
        session.out.say(line(&told));
        return Ok(());
    }
    session.out.document(&told)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lines_are_for_people() {
        let told =
            json!({"time": "t", "level": "warn", "module": "m", "message": "slow", "fields": {"after": 2}});
        assert_eq!(line(&told), "t [WARN] m: slow after=2");
        assert_eq!(
            happened(&json!({"time": "t", "plugin": "kv", "reason": "", "state": "running"})),
            "t kv running"
        );
    }
}
