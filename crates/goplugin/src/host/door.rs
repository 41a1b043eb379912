use std::error::Error;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use http::Request;
use http::header::USER_AGENT;
use tokio::net::UnixListener;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tonic::body::Body;

use crate::server::{ACCEPT_PAUSE, CONNECTIONS, Greeted, Server, next_of};
use crate::socket::User;
use crate::{Answering, Services};

/// Go's end hangs up after half an hour without a call, and would find no socket if it dialled again in the same
/// instant. So we say goodbye first, with the socket open. Looked at once in this time, so it takes twice that at most.
pub(crate) const QUIET: Duration = Duration::from_secs(600);

/// A connection is exchanged after so many calls: HTTP/2 numbers them, and Go's end dials again when it runs out.
const MANY_CALLS: u64 = 1 << 28;

/// What every implementation of gRPC calls itself begins like this, as its specification asks for.
const GRPC: &[u8] = b"grpc-";

/// Where a plugin dials in to what is served to it alone.
///
/// A plugin has one connection to each of its mounts' services, and thousands of mounts. So the socket is closed once the
/// plugin is in, and made anew before the connection is given up.
pub(crate) struct Door {
    pub(crate) server: Server,
    pub(crate) path: PathBuf,
    pub(crate) user: User,
    /// After so long without a call a connection is given up.
    pub(crate) quiet: Duration,
    /// Once it is set, nobody is waited for who has left.
    pub(crate) ends: Arc<AtomicBool>,
    pub(crate) stop: CancellationToken,
}

/// What is served on one connection, and how much it is used.
struct Visit {
    services: Arc<dyn Services>,
    calls: AtomicU64,
    /// The peer has the one connection and cannot dial again: so do plugins that are written with our own SDK.
    stays: AtomicBool,
}

impl Services for Visit {
    fn answer(&self, call: Request<Body>) -> Answering {
        if self.calls.fetch_add(1, Ordering::Relaxed) == 0 {
            let name = call.headers().get(USER_AGENT);
            let dials_again = name.is_some_and(|name| name.as_bytes().starts_with(GRPC));
            self.stays.store(!dials_again, Ordering::Relaxed);
        }
        self.services.answer(call)
    }
}

impl Visit {
    /// Until the connection is to be exchanged.
    async fn over(&self, quiet: Duration) {
        let mut before = self.calls.load(Ordering::Relaxed);
        loop {
            sleep(quiet).await;
            let calls = self.calls.load(Ordering::Relaxed);
            if !self.stays.load(Ordering::Relaxed) && (calls == before || calls >= MANY_CALLS) {
                return;
            }
            before = calls;
        }
    }
}

impl Door {
    /// Serves until it is stopped; then what is under way is cut.
    pub(crate) async fn keep(self, listener: UnixListener) {
        tokio::select! {
            () = self.serve(listener) => {}
            () = self.stop.cancelled() => {}
        }
    }

    async fn serve(&self, mut listener: UnixListener) {
        // A peer that was told goodbye finishes its calls here; it has no longer for it than the next one stays.
        let mut _leaving;
        loop {
            let peer = self.admit(listener).await;
            let (visit, goodbye) = (self.visit(), CancellationToken::new());
            let answering = peer.answer(Arc::clone(&visit) as _, goodbye.clone());
            let mut connection = AbortOnDropHandle::new(tokio::spawn(answering));
            listener = loop {
                tokio::select! {
                    _ = &mut connection => break match self.ends.load(Ordering::Relaxed) {
                        true => return,
                        false => self.listen_again().await,
                    },
                    () = visit.over(self.quiet) => match self.listen() {
                        Ok(listener) => break listener,
                        Err(error) => complain(&error),
                    },
                }
            };
            goodbye.cancel();
            _leaving = connection;
        }
    }

    fn visit(&self) -> Arc<Visit> {
        let services = Arc::clone(&self.server.services);
        Arc::new(Visit { services, calls: AtomicU64::new(0), stays: AtomicBool::new(false) })
    }

    /// Lets in the first who proves to be the plugin, and closes the socket.
    async fn admit(&self, listener: UnixListener) -> Greeted {
        let mut greetings = JoinSet::new();
        loop {
            tokio::select! {
                Some(greeted) = greetings.join_next() => {
                    if let Ok(Some(greeted)) = greeted {
                        return greeted;
                    }
                }
                stream = next_of(&listener), if greetings.len() < CONNECTIONS => {
                    let server = self.server.clone();
                    greetings.spawn(async move { server.greet(stream).await });
                }
            }
        }
    }

    /// Listens at the same place, now that nobody does.
    fn listen(&self) -> io::Result<UnixListener> {
        let _ = fs::remove_file(&self.path);
        let listener = UnixListener::bind(&self.path)?;
        if self.stop.is_cancelled() {
            // Who stops us has removed the file, perhaps before it was made.
            let _ = fs::remove_file(&self.path);
        }
        self.user.give(&self.path)?;
        Ok(listener)
    }

    async fn listen_again(&self) -> UnixListener {
        loop {
            match self.listen() {
                Ok(listener) => return listener,
                Err(error) => complain(&error),
            }
            sleep(ACCEPT_PAUSE).await;
        }
    }
}

fn complain(error: &io::Error) {
    tracing::warn!(error = error as &dyn Error, "a plugin cannot be listened for again yet");
}

#[cfg(test)]
mod tests;
