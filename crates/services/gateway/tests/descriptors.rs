//! Alone in its process, because the limit of descriptors belongs to the whole of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use common::{LONG, Running, Scripted, raw};
use gateway::Config;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

const GET: &[u8] = b"GET /v1/a HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

fn open() -> u64 {
    fs::read_dir("/proc/self/fd").unwrap().count() as u64
}

fn limit(current: u64) {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: Some(current), maximum }).unwrap();
}

/// Both ends of every connection are here, so that the client takes the last descriptor and the server gets none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn g4_with_no_descriptor_left_it_waits_and_serves_again() {
    let gateway = Running::start(Scripted::content(), Config::default()).await;
    assert!(raw(gateway.address, GET).await.starts_with("HTTP/1.1 200 "));
    let before = getrlimit(Resource::Nofile).current.unwrap();
    limit(open() + 20);
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect(gateway.address) {
        held.push(stream);
    }
    assert!(held.len() > 5, "{} connections", held.len());
    assert!(!gateway.served.is_finished());

    // The last of them waits to be let in, and is once the others have gone.
    let mut last = held.pop().unwrap();
    last.write_all(GET).unwrap();
    drop(held);
    last.set_read_timeout(Some(LONG)).unwrap();
    let mut answer = String::new();
    last.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    limit(before);
    assert!(raw(gateway.address, GET).await.starts_with("HTTP/1.1 200 "));
}
