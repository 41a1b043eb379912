//! Server-sent events: what a browser's `EventSource` reads, and anything else that reads lines.

use std::{pin::Pin, time::Duration};

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use serde_json::{Value, json};
use tokio::time::timeout;
use tonic::Status;
use wire::router::v1::Lines;

/// What sits between us and a reader may close a connection that is silent for longer.
const SILENCE: Duration = Duration::from_secs(15);

/// What is sent then: a comment.
const STILL_HERE: &str = ": still here\n\n";

/// Something that happened, with its number in a row that has no gaps.
#[derive(Debug)]
pub(crate) struct Happened {
    pub(crate) id: u64,
    /// What sort it is.
    pub(crate) name: &'static str,
    pub(crate) data: Value,
}

/// Each as one event. Where numbers are missing that were asked for, an event says so: `gap`, with the last one before it
/// and the first one after it.
pub(crate) fn events<S>(happened: S, after: u64) -> impl Stream<Item = Result<Lines, Status>> + Send + use<S>
where
    S: Stream<Item = Result<Happened, Status>> + Send + 'static,
{
    let said = happened.scan(after, |last, happened| {
        let text = happened.map(|Happened { id, name, data }| {
            let gap = if *last != 0 && id != *last + 1 { gap(*last, id) } else { String::new() };
            *last = id;
            format!("{gap}id: {id}\nevent: {name}\ndata: {data}\n\n")
        });
        futures::future::ready(Some(text))
    });
    kept_alive(said, SILENCE).map(|text| text.map(|text| Lines { text: Bytes::from(text) }))
}

fn gap(after: u64, next: u64) -> String {
    format!("event: gap\ndata: {}\n\n", json!({ "after": after, "next": next }))
}

/// The same, and a sign of life wherever there would be silence for longer than this.
fn kept_alive<S>(texts: S, silence: Duration) -> impl Stream<Item = Result<String, Status>> + Send + use<S>
where
    S: Stream<Item = Result<String, Status>> + Send + 'static,
{
    let texts: Pin<Box<dyn Stream<Item = Result<String, Status>> + Send>> = Box::pin(texts);
    stream::unfold((texts, silence), async |(mut texts, silence)| {
        match timeout(silence, texts.next()).await {
            Ok(text) => Some((text?, (texts, silence))),
            Err(_) => Some((Ok(STILL_HERE.to_owned()), (texts, silence))),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happened(ids: &[u64]) -> impl Stream<Item = Result<Happened, Status>> + Send + 'static {
        let all: Vec<_> = ids
            .iter()
            .map(|id| Ok(Happened { id: *id, name: "plugin", data: json!({ "a": "b\nc" }) }))
            .collect();
        stream::iter(all)
    }

    async fn texts(ids: &[u64], after: u64) -> Vec<String> {
        let lines = events(happened(ids), after).collect::<Vec<_>>().await;
        lines.into_iter().map(|lines| String::from_utf8(lines.unwrap().text.to_vec()).unwrap()).collect()
    }

    #[tokio::test]
    async fn each_is_told_with_its_number_and_a_gap_is_told_too() {
        let all = texts(&[7, 8, 11], 6).await;
        assert_eq!(all[0], "id: 7\nevent: plugin\ndata: {\"a\":\"b\\nc\"}\n\n");
        assert!(all[1].starts_with("id: 8\n"));
        assert_eq!(
            all[2],
            "event: gap\ndata: {\"after\":8,\"next\":11}\n\nid: 11\nevent: plugin\ndata: {\"a\":\"b\\nc\"}\n\n"
        );
        assert!(texts(&[7], 0).await[0].starts_with("id: 7\n"), "who asks for all misses nothing");
    }

    #[tokio::test]
    async fn silence_is_broken() {
        let said = stream::iter([Ok("said".to_owned())]).chain(stream::pending());
        let texts: Vec<_> =
            kept_alive(said, Duration::ZERO).take(3).map(|text| text.unwrap()).collect().await;
        assert_eq!(texts, ["said", STILL_HERE, STILL_HERE]);
    }
}
