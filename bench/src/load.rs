use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Request, header::HOST};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpStream,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{target::Target, usage::Usage, work::Work};

/// How long connections are used before anything is counted.
const WARM_UP: Duration = Duration::from_millis(300);

/// What was measured of one sort of work, on one target, with so many connections.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Microseconds of every request that succeeded.
    pub latency: Histogram<u64>,
    pub failed: u64,
    pub time: Duration,
    pub host: Usage,
    pub plugin: Usage,
}

/// When requests are counted.
#[derive(Clone, Copy)]
struct Window {
    from: Instant,
    until: Instant,
}

/// Writes what the work will read, and makes sure that it is answered at all.
pub async fn prepare(target: &Target, work: &Work, connections: usize) -> anyhow::Result<()> {
    let mut client = Client::connect(target).await?;
    for connection in 0..connections {
        let steps = work.seed().into_iter().chain([work.clone()]);
        for step in steps {
            let (status, body) = client.work(&step, connection).await?;
            let sent = step.path(connection);
            ensure!(status < 300, "{}: {} {sent}: {status} {body:?}", target.name, step.method);
        }
    }
    Ok(())
}

/// Keeps so many connections busy for a time.
pub async fn run(
    target: &Target,
    work: &Work,
    connections: usize,
    time: Duration,
) -> anyhow::Result<Outcome> {
    let from = Instant::now() + WARM_UP;
    let window = Window { from, until: from + time };
    let mut all = JoinSet::new();
    for connection in 0..connections {
        let client = Client::connect(target).await?;
        all.spawn(client.keep_busy(work.clone(), connection, window));
    }
    sleep_until(window.from).await;
    let before = target.usage();
    sleep_until(window.until).await;
    let after = target.usage();
    let mut outcome = Outcome {
        latency: histogram()?,
        failed: 0,
        time,
        host: after.host - before.host,
        plugin: after.plugin - before.plugin,
    };
    while let Some(done) = all.join_next().await {
        let (latency, failed) = done??;
        outcome.latency.add(latency)?;
        outcome.failed += failed;
    }
    Ok(outcome)
}

fn histogram() -> anyhow::Result<Histogram<u64>> {
    Ok(Histogram::new(3)?)
}

/// One connection.
struct Client {
    requests: SendRequest<Full<Bytes>>,
    host: String,
    token: String,
    /// That of somebody with very many policies.
    restricted: String,
}

impl Client {
    async fn connect(target: &Target) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(target.address).await.context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (requests, connection) = handshake(TokioIo::new(stream)).await?;
        // Its end shows in the next request.
        tokio::spawn(async move { drop(connection.await) });
        let (host, token) = (target.address.to_string(), target.token.clone());
        Ok(Self { requests, host, token, restricted: target.restricted.clone() })
    }

    async fn send(&mut self, work: &Work, connection: usize) -> anyhow::Result<(u16, Bytes)> {
        self.requests.ready().await?;
        let request = Request::builder()
            .method(work.method.clone())
            .uri(work.path(connection))
            .header(HOST, &self.host)
            .header("X-Vault-Token", if work.by_many_policies { &self.restricted } else { &self.token })
            .header("X-Vault-Request", "true")
            .body(Full::from(work.body(connection)))?;
        let answer = self.requests.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, answer.into_body().collect().await?.to_bytes()))
    }

    /// All that belongs to some work; the first answer that is no success is the last.
    async fn work(&mut self, work: &Work, connection: usize) -> anyhow::Result<(u16, Bytes)> {
        let (status, body) = self.send(work, connection).await?;
        match work.next(&body).filter(|_| status < 300) {
            Some(next) => self.send(&next, connection).await,
            None => Ok((status, body)),
        }
    }

    async fn keep_busy(
        mut self,
        work: Work,
        connection: usize,
        window: Window,
    ) -> anyhow::Result<(Histogram<u64>, u64)> {
        let (mut latency, mut failed) = (histogram()?, 0);
        loop {
            let begun = Instant::now();
            let (status, _) = self.work(&work, connection).await?;
            let done = Instant::now();
            if done > window.until {
                return Ok((latency, failed));
            }
            if done < window.from {
                continue;
            }
            if status < 300 {
                latency.record((done - begun).as_micros().max(1) as u64)?;
            } else {
                failed += 1;
            }
        }
    }
}
