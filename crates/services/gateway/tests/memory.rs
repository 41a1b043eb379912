//! Alone in its process, because the memory that is measured is the whole of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::fs;

use bytes::Bytes;
use common::{Running, Scripted};
use futures::stream;
use gateway::Config;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::{Body, Client};

const MIB: usize = 1 << 20;

/// As long as a body may be.
const LONGEST: usize = 32 * MIB;

/// In KiB, as the kernel counts them.
fn memory(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// A body that is made while it is sent, so that the client holds next to nothing of it.
fn endless(begin: &'static str, piece: &'static str) -> Body {
    let chunk = Bytes::from(piece.repeat(64 * 1024 / piece.len()));
    let chunks = (LONGEST - begin.len()) / chunk.len();
    let begin = std::iter::once(Bytes::from_static(begin.as_bytes()));
    let all = begin.chain(std::iter::repeat_n(chunk, chunks));
    Body::wrap(StreamBody::new(stream::iter(all.map(|data| Ok::<_, std::io::Error>(Frame::data(data))))))
}

#[tokio::test]
async fn g2_the_worst_of_bodies_takes_little_more_memory_than_its_length() {
    let gateway = Running::start(Scripted::content(), Config::default()).await;
    let client = Client::new();
    let send = async |begin, piece| {
        client.put(gateway.url("/v1/sys/unseal")).body(endless(begin, piece)).send().await.unwrap()
    };
    assert_eq!(send("", "[").await.status(), 400);
    for (begin, piece) in [
        ("", "["),
        ("", r#"{"a":"#),
        (r#"{"a":["#, r#""b","#),
        (r#"{"a":["#, "[],"),
        (r#"{"a":["#, r#"{"b":{}},"#),
        (r#"{"a":""#, "x"),
        (r#"{"a":""#, r"\u0061"),
        (r#"{"a":"#, "1"),
        ("{", r#""a":1,"#),
        ("", " "),
    ] {
        // Forgets the highest mark so far.
        fs::write("/proc/self/clear_refs", "5").unwrap();
        let before = memory("VmRSS:");
        let answer = send(begin, piece).await;
        assert!(matches!(answer.status().as_u16(), 200 | 400), "{begin}{piece}: {}", answer.status());
        let grown = memory("VmHWM:").saturating_sub(before);
        // The body itself, once as it came and once while its room grew, and what goes between client and server.
        let allowed = (2 * LONGEST + 8 * MIB) as u64 / 1024;
        assert!(grown < allowed, "{begin}{piece}: {grown} KiB");
    }
}
