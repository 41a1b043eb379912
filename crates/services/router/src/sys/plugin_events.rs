//! What happens to plugins, told while it happens.

use domain::Operation::Read;
use futures::{Stream, TryStreamExt};
use jiff::Timestamp;
use serde_json::{Value, json};
use tonic::Status;
use wire::{
    launcher::v1::{Event, EventsRequest},
    router::v1::{HeaderLine, Lines},
};

use super::{
    Unfit,
    sse::{self, Happened},
};
use crate::{
    answer::Answer, audit::word_of_reason, core::Core, endpoint::Endpoint, error::Result, fields::Fields,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "plugins/events",
    // The events themselves come in a stream.
    &[(Read, |ask| Box::pin(async move { after(&ask.body, &[]).map(|_| Answer::Nothing) }))],
    "Tells what happens to the processes of plugins, as server-sent events; Last-Event-ID resumes.",
)];

/// By this a reader says what it has seen already.
const LAST: &[u8] = b"last-event-id";

/// The events that are kept after the one that the reader has seen, and those to come.
pub(super) async fn follow(
    core: &Core,
    data: &[u8],
    headers: &[HeaderLine],
) -> Result<impl Stream<Item = Result<Lines, Status>> + Send + use<>> {
    let after = after(data, headers)?;
    let events = core.clients.launcher.events(EventsRequest { after }).await?.into_inner();
    Ok(sse::events(events.map_ok(happened), after))
}

/// What the reader has seen: as browsers say it, or as a parameter.
pub(super) fn after(data: &[u8], headers: &[HeaderLine]) -> Result<u64> {
    let given =
        headers.iter().find(|line| *line.name == *LAST).map(|line| String::from_utf8_lossy(&line.value));
    let text = match given {
        Some(text) => text.into_owned(),
        None => Fields::parse(data)?.text("after")?.unwrap_or_default(),
    };
    match text.trim() {
        "" => Ok(0),
        text => Ok(text.parse().map_err(|_| Unfit::EventId)?),
    }
}

fn happened(event: Event) -> Happened {
    Happened { id: event.id, name: "plugin", data: view(&event) }
}

fn view(event: &Event) -> Value {
    json!({
        "id": event.id,
        "time": time(event.time),
        "plugin": event.plugin,
        "type": event.r#type,
        "version": event.version,
        "sha256": hex::encode(&event.sha256),
        "pid": event.pid,
        "state": event.state,
        "reason": word_of_reason(event.reason()),
        "detail": event.detail,
    })
}

/// Nanoseconds since 1970, for people.
pub(super) fn time(nanos: i64) -> String {
    Timestamp::from_nanosecond(nanos.into()).unwrap_or(Timestamp::UNIX_EPOCH).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(value: &str) -> HeaderLine {
        HeaderLine { name: LAST.into(), value: value.to_owned().into() }
    }

    #[test]
    fn what_was_seen_is_said_in_a_header_or_a_parameter() {
        assert_eq!(after(b"", &[]).unwrap(), 0);
        assert_eq!(after(br#"{"after":"12"}"#, &[]).unwrap(), 12);
        assert_eq!(after(br#"{"after":"12"}"#, &[line(" 13")]).unwrap(), 13);
        assert!(after(b"", &[line("x")]).is_err());
    }
}
