//! Ports for servers.

use std::net::TcpListener;
use std::process;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel picks ports for outgoing connections, which could take a port that a
/// server gave up for a restart.
const FIRST: u16 = 12_000;
const COUNT: u16 = 18_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port that nothing listens on, and that no other call in this process returns soon.
pub fn free() -> u16 {
    // Several test programs may run side by side: each starts to look somewhere else.
    let start = u16::try_from(process::id() * 97 % u32::from(COUNT)).expect("less than a u16");
    for _ in 0..COUNT {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (start + offset % COUNT) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port from {FIRST} on");
}
