//! The queue of spans that have ended, and the task that hands them over.

use std::{
    fmt::Display,
    mem,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use opentelemetry::Context;
use opentelemetry_sdk::{
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter, SpanProcessor},
};
use tokio::{
    sync::mpsc,
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How many spans wait at most.
const QUEUE: usize = 4096;

/// How many go together at most.
const BATCH: usize = 512;

/// How long a first span waits for others.
const GATHER: Duration = Duration::from_millis(500);

/// How often a batch is offered before it is dropped: a collector may not want this one, and take the next.
const TRIES: u32 = 5;

/// The pause after the first time; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);

/// How long the end of the process may take for what is left.
const END: Duration = Duration::from_secs(2);

/// How many spans were lost.
#[derive(Clone, Debug, Default)]
struct Dropped(Arc<AtomicU64>);

impl Dropped {
    fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Ordering::Relaxed);
        metrics::counter!("vault.traces.dropped_spans").increment(count as u64);
    }

    fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where spans are put when they end. It never waits.
#[derive(Debug)]
pub(super) struct Outbox {
    ended: mpsc::Sender<SpanData>,
    dropped: Dropped,
}

impl Outbox {
    /// An empty one, and the task that empties it into the exporter.
    pub(super) fn open(exporter: impl SpanExporter + 'static) -> (Self, Courier) {
        let (ended, spans) = mpsc::channel(QUEUE);
        let (ending, dropped) = (CancellationToken::new(), Dropped::default());
        let round = Round {
            spans,
            exporter,
            ending: ending.clone(),
            dropped: dropped.clone(),
            batch: Vec::new(),
            trouble: None,
        };
        (Self { ended, dropped }, Courier { ending, task: tokio::spawn(round.run()) })
    }
}

impl SpanProcessor for Outbox {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.ended.try_send(span).is_err() {
            self.dropped.add(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    /// The courier sends what is left.
    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// The task that hands spans over.
#[derive(Debug)]
pub(super) struct Courier {
    ending: CancellationToken,
    task: JoinHandle<()>,
}

impl Courier {
    /// Hands over what is there by now, and ends.
    pub(super) async fn end(mut self) {
        self.ending.cancel();
        if timeout(END, &mut self.task).await.is_err() {
            self.task.abort();
            tracing::warn!("the last spans of traces did not reach the collector in time");
        }
    }
}

struct Round<E> {
    spans: mpsc::Receiver<SpanData>,
    exporter: E,
    ending: CancellationToken,
    dropped: Dropped,
    batch: Vec<SpanData>,
    /// As many spans were dropped when the collector was last there; none: it is there.
    trouble: Option<u64>,
}

impl<E: SpanExporter> Round<E> {
    async fn run(mut self) {
        while self.gather().await {
            self.deliver().await;
        }
    }

    /// Takes what goes together; false: nothing comes any more.
    async fn gather(&mut self) -> bool {
        let first = tokio::select! {
            first = self.spans.recv() => first,
            () = self.ending.cancelled() => self.spans.try_recv().ok(),
        };
        let Some(first) = first else { return false };
        self.batch.push(first);
        let fill = async {
            while self.batch.len() < BATCH && self.spans.recv_many(&mut self.batch, BATCH).await > 0 {}
        };
        tokio::select! {
            () = fill => {}
            () = sleep(GATHER) => {}
            () = self.ending.cancelled() => {}
        }
        while self.batch.len() < BATCH
            && let Ok(span) = self.spans.try_recv()
        {
            self.batch.push(span);
        }
        true
    }

    /// Offers the batch until it is taken, or often enough.
    async fn deliver(&mut self) {
        let batch = mem::take(&mut self.batch);
        for attempt in 0..TRIES {
            match self.exporter.export(batch.clone()).await {
                Ok(()) => return self.is_well(batch.len()),
                Err(error) => self.is_not_well(&error),
            }
            tokio::select! {
                () = sleep(PAUSE * 2_u32.pow(attempt)) => {}
                () = self.ending.cancelled() => break,
            }
        }
        self.dropped.add(batch.len());
    }

    /// Said once, however long it lasts.
    fn is_not_well(&mut self, error: &dyn Display) {
        if self.trouble.is_none() {
            self.trouble = Some(self.dropped.so_far());
            tracing::warn!(%error, "the collector does not take spans; some of the traces will be lost");
        }
    }

    fn is_well(&mut self, sent: usize) {
        metrics::counter!("vault.traces.sent_spans").increment(sent as u64);
        if let Some(before) = self.trouble.take() {
            let lost = self.dropped.so_far() - before;
            tracing::info!(lost, "the collector takes spans again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize};

    use opentelemetry::trace::{Span as _, Tracer, TracerProvider};
    use opentelemetry_sdk::{error::OTelSdkError, trace::SdkTracerProvider};
    use tokio::time::Instant;

    use super::*;

    /// A collector that is there or not.
    #[derive(Clone, Debug, Default)]
    struct Moody {
        away: Arc<AtomicBool>,
        taken: Arc<AtomicUsize>,
    }

    impl SpanExporter for Moody {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if self.away.load(Ordering::Relaxed) {
                return Err(OTelSdkError::InternalFailure("away".to_owned()));
            }
            self.taken.fetch_add(batch.len(), Ordering::Relaxed);
            Ok(())
        }
    }

    fn make(provider: &SdkTracerProvider, count: usize) {
        let tracer = provider.tracer("test");
        for _ in 0..count {
            tracer.start("work").end();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_is_away_stops_nobody_and_gets_what_found_room_when_it_is_back() {
        let collector = Moody::default();
        collector.away.store(true, Ordering::Relaxed);
        let (outbox, courier) = Outbox::open(collector.clone());
        let dropped = outbox.dropped.clone();
        let provider = SdkTracerProvider::builder().with_span_processor(outbox).build();
        make(&provider, QUEUE + 100);
        assert_eq!(dropped.so_far(), 100);
        sleep(PAUSE * 4).await;
        collector.away.store(false, Ordering::Relaxed);
        sleep(PAUSE * 60).await;
        assert_eq!(collector.taken.load(Ordering::Relaxed), QUEUE);
        make(&provider, 3);
        courier.end().await;
        assert_eq!(collector.taken.load(Ordering::Relaxed), QUEUE + 3);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_does_not_wait_for_a_collector_that_is_away() {
        let collector = Moody::default();
        collector.away.store(true, Ordering::Relaxed);
        let (outbox, courier) = Outbox::open(collector);
        let provider = SdkTracerProvider::builder().with_span_processor(outbox).build();
        make(&provider, 2000);
        let begun = Instant::now();
        courier.end().await;
        assert!(begun.elapsed() <= END);
    }
}
