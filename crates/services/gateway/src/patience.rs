use std::{
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// How many requests are being answered on a connection.
#[derive(Clone, Debug, Default)]
pub struct InFlight(Arc<AtomicUsize>);

/// One of them, until dropped.
#[derive(Debug)]
pub struct Request(InFlight);

impl InFlight {
    /// One more.
    pub fn begin(&self) -> Request {
        self.0.fetch_add(1, Ordering::Relaxed);
        Request(self.clone())
    }

    fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) > 0
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// How long a client may keep us waiting.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// For the next request to begin.
    pub idle: Duration,
    /// For its head to be complete, once it has begun. None: not watched here.
    pub head: Option<Duration>,
}

/// What we wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Awaited {
    /// A request to be answered: our own turn, no limit.
    Us,
    /// The first byte of a request.
    Request(Instant),
    /// The rest of its head.
    Head(Instant),
}

/// A connection that fails a read when its client lets us wait too long between requests or within a request's head,
/// so that silent and slow clients do not hold connections for ever.
///
/// The HTTP library has one limit for both waits; they differ by far: an idle connection is a client's pool at work,
/// a head that trickles is an attack.
pub struct Patience<S> {
    stream: S,
    in_flight: InFlight,
    limits: Limits,
    awaited: Awaited,
    alarm: Pin<Box<Sleep>>,
}

impl<S> Patience<S> {
    /// Watches a connection on which a head is due right away.
    pub fn new(stream: S, in_flight: InFlight, limits: Limits) -> Self {
        let awaited = match limits.head {
            Some(head) => Awaited::Head(Instant::now() + head),
            None => Awaited::Request(Instant::now() + limits.idle),
        };
        let alarm = Box::pin(sleep_until(awaited.limit().unwrap_or_else(Instant::now)));
        Self { stream, in_flight, limits, awaited, alarm }
    }

    fn waiting(&mut self) {
        if self.in_flight.any() {
            self.awaited = Awaited::Us;
        } else if self.awaited == Awaited::Us {
            self.awaited = Awaited::Request(Instant::now() + self.limits.idle);
        }
    }

    fn received(&mut self) {
        if let (false, Awaited::Us | Awaited::Request(_), Some(head)) =
            (self.in_flight.any(), self.awaited, self.limits.head)
        {
            self.awaited = Awaited::Head(Instant::now() + head);
        }
    }

    /// Ready when the client has used up its time. Otherwise the task is woken then.
    fn poll_alarm(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(limit) = self.awaited.limit() else { return Poll::Pending };
        // Most waits end long before their limit, so the alarm is moved as rarely as can be: when it would come too
        // late, or has come too early.
        if self.alarm.deadline() > limit {
            self.alarm.as_mut().reset(limit);
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            if Instant::now() >= limit {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(limit);
        }
        Poll::Pending
    }
}

impl Awaited {
    const fn limit(self) -> Option<Instant> {
        match self {
            Self::Us => None,
            Self::Request(limit) | Self::Head(limit) => Some(limit),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patience<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, into);
        match polled {
            Poll::Ready(Ok(())) if into.filled().len() > before => this.received(),
            Poll::Ready(_) => {}
            Poll::Pending => {
                this.waiting();
                if this.poll_alarm(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
            }
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patience<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        time,
    };

    use super::*;

    const LIMITS: Limits = Limits { idle: Duration::from_secs(300), head: Some(Duration::from_secs(10)) };

    async fn fails_after(patience: &mut Patience<impl AsyncRead + Unpin>) -> (io::ErrorKind, u64) {
        let begun = Instant::now();
        let mut into = [0; 64];
        loop {
            if let Err(error) = patience.read(&mut into).await {
                return (error.kind(), begun.elapsed().as_secs());
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_trickles_is_cut_off_in_time() {
        let (mut client, server) = duplex(64);
        let mut patience = Patience::new(server, InFlight::default(), LIMITS);
        let trickle = async {
            loop {
                time::sleep(Duration::from_secs(1)).await;
                client.write_all(b"x").await.unwrap();
            }
        };
        let failed = tokio::select! {
            failed = fails_after(&mut patience) => failed,
            () = trickle => unreachable!(),
        };
        assert_eq!(failed, (io::ErrorKind::TimedOut, 10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_idle_between_requests_for_longer() {
        let (mut client, server) = duplex(64);
        let in_flight = InFlight::default();
        let mut patience = Patience::new(server, in_flight.clone(), LIMITS);
        client.write_all(b"request").await.unwrap();
        assert_eq!(patience.read(&mut [0; 64]).await.unwrap(), 7);
        let request = in_flight.begin();
        let mut into = [0; 64];
        let answering = time::timeout(Duration::from_secs(1000), patience.read(&mut into)).await;
        assert!(answering.is_err(), "it is our turn: the client may wait silently");
        drop(request);
        assert_eq!(fails_after(&mut patience).await, (io::ErrorKind::TimedOut, 300));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_head_on_an_idle_connection_is_cut_off_too() {
        let (mut client, server) = duplex(64);
        let in_flight = InFlight::default();
        let mut patience = Patience::new(server, in_flight.clone(), LIMITS);
        drop(in_flight.begin());
        client.write_all(b"request").await.unwrap();
        assert_eq!(patience.read(&mut [0; 64]).await.unwrap(), 7);
        assert_eq!(fails_after(&mut patience).await, (io::ErrorKind::TimedOut, 10));
    }
}
