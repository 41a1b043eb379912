//! Where the spans of this process go: by OTLP to a collector, for those who want to see them.
//!
//! Whether the collector takes them, is slow, or is away, no request waits for it: spans stand in a queue with an end,
//! and what finds no room in it is dropped and counted.

mod collector;
mod outbox;
mod settings;

use opentelemetry::{KeyValue, global::BoxedTracer, trace::TracerProvider};
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{Sampler, SdkTracerProvider, SpanExporter},
};
use std::{io, path::PathBuf};

pub use settings::{Settings, Variables};

use crate::Service;
use outbox::{Courier, Outbox};

/// Why spans cannot be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that is needed for it cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A line that is no header. What stands there may be a secret.
    #[error("line {line} of {} is no header; allowed: NAME: VALUE", path.display())]
    Header {
        /// The file with the headers.
        path: PathBuf,
        /// Which line.
        line: usize,
    },
    /// A way to speak that is not spoken here.
    #[error("{variable} is {value:?}; allowed: \"grpc\"")]
    Protocol {
        /// Where it was asked for.
        variable: &'static str,
        /// What was asked for.
        value: String,
    },
    /// All else that the exporter refuses.
    #[error("the spans of traces cannot be sent as configured")]
    Exporter(#[from] ExporterBuildError),
}

/// The spans on their way out of this process.
#[derive(Debug)]
pub struct Traces(Option<Sending>);

#[derive(Debug)]
struct Sending {
    /// Ends what it has made when it goes.
    _provider: SdkTracerProvider,
    courier: Courier,
}

impl Traces {
    /// Begins to trace, if that is asked for. Must be called within the runtime, once a process. Without a service, the
    /// process holds all of them.
    ///
    /// # Errors
    /// A file cannot be read, or what is configured cannot be done.
    pub fn start(settings: &Settings, service: Option<Service>) -> Result<Self, Error> {
        let variables = Variables::of_process();
        let Some(mut exporter) = collector::exporter(settings, &variables)? else { return Ok(Self(None)) };
        let resource = resource(service);
        exporter.set_resource(&resource);
        let (outbox, courier) = Outbox::open(exporter);
        let mut provider = SdkTracerProvider::builder().with_span_processor(outbox).with_resource(resource);
        // The variables are read by the library itself.
        if !variables.choose_sampler {
            let share = Sampler::TraceIdRatioBased(settings.sample_ratio);
            provider = provider.with_sampler(Sampler::ParentBased(Box::new(share)));
        }
        let provider = provider.build();
        let tracer = provider.tracer("mortise");
        spans::start(BoxedTracer::new(Box::new(tracer)), TraceContextPropagator::new());
        Ok(Self(Some(Sending { _provider: provider, courier })))
    }

    /// Sends what has ended so far. It takes a moment at most, whether the collector is there or not.
    pub async fn end(self) {
        if let Some(sending) = self.0 {
            sending.courier.end().await;
        }
    }
}

/// What all spans of the process have in common. What the variables say goes before.
fn resource(service: Option<Service>) -> Resource {
    let name = service.map_or_else(|| "mortise".to_owned(), |service| format!("mortise-{service}"));
    let told = Resource::builder().build();
    let named =
        !told.get(&"service.name".into()).is_none_or(|name| name.as_str().starts_with("unknown_service"));
    let usual = [
        KeyValue::new("service.namespace", "mortise"),
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
    ];
    let usual = usual.into_iter().filter(|usual| told.get(&usual.key).is_none()).collect::<Vec<_>>();
    let resource = Resource::builder().with_attributes(usual);
    if named { resource.build() } else { resource.with_service_name(name).build() }
}
