use std::io;
use std::path::PathBuf;

use crate::{Excerpt, HandshakeError};

/// Why a started program did not become a plugin one can talk to.
///
/// The cause is often on its stderr, which the caller has: it belongs beside this sentence.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// It closed its stdout, most often by exiting, before it had printed anything.
    #[error("the program ended before it printed its handshake")]
    Silent,
    /// It printed no complete line in time.
    #[error("the program printed no handshake in time{}", so_far(.printed))]
    Timeout {
        /// What it had printed of a line, if anything.
        printed: Excerpt,
    },
    /// Far more text than a handshake is long.
    #[error("the program printed {printed} and more where a plugin prints its handshake; is it a plugin?")]
    TooLong {
        /// The beginning.
        printed: Excerpt,
    },
    /// Its stdout cannot be read.
    #[error("cannot read the program's output")]
    Read(#[source] io::Error),
    /// It printed a line, but not one we can accept.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// It announced a socket that nobody answers.
    #[error("cannot reach the plugin at its socket {}", .socket.display())]
    Dial {
        /// The announced socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody else's process answered at its socket.
    #[error("the process that listens at {} belongs to another user", .0.display())]
    ForeignProcess(PathBuf),
    /// Whoever answered does not hold the key of the announced certificate, or did not finish in time.
    #[error(
        "mutual TLS with the plugin failed: whoever answered did not prove to be what the handshake announced"
    )]
    Tls(#[source] io::Error),
    /// Our own end of mutual TLS cannot be set up.
    #[error("cannot set up mutual TLS")]
    OwnTls(#[source] rustls::Error),
    /// It was greeted, but the deadline passed before it had answered.
    #[error("the plugin printed its handshake, but did not answer at its socket in time")]
    Unresponsive,
    /// It does not speak HTTP/2.
    #[error("the plugin does not speak HTTP/2 at its socket")]
    Http2(#[source] hyper::Error),
}

fn so_far(printed: &Excerpt) -> String {
    if printed.is_empty() { String::new() } else { format!("; it printed {printed}, without an end of line") }
}
