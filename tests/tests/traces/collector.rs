//! A collector: the real service of OpenTelemetry's protocol, which keeps what it is sent.

use std::{
    collections::BTreeSet,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::{KeyValue, any_value::Value},
    trace::v1 as proto,
};
use testkit::eventually;
use tokio::runtime::{Builder, Runtime};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, transport::Server};

/// Spans are sent together, and services are slow when the machine is.
const SENT: Duration = Duration::from_secs(60);

/// One span, and which process sent it.
#[derive(Clone, Debug)]
pub struct Span {
    pub name: String,
    pub process: String,
    pub links: usize,
    parent: Vec<u8>,
    span: proto::Span,
}

impl Span {
    /// What it says under a key, as a text; empty: nothing.
    pub fn says(&self, key: &str) -> String {
        said(&self.span.attributes, key)
    }

    pub fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    pub fn failed(&self) -> bool {
        let status = self.span.status.as_ref();
        status.is_some_and(|status| status.code == proto::status::StatusCode::Error as i32)
    }

    pub fn lasted(&self) -> u64 {
        self.span.end_time_unix_nano.saturating_sub(self.span.start_time_unix_nano)
    }
}

fn said(all: &[KeyValue], key: &str) -> String {
    let value = all.iter().find(|said| said.key == key).and_then(|said| said.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::BoolValue(truth)) => truth.to_string(),
        _ => String::new(),
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<ExportTraceServiceRequest>>>);

#[tonic::async_trait]
impl TraceService for Kept {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        self.0.lock().unwrap().push(request.into_inner());
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

pub struct Collector {
    address: SocketAddr,
    kept: Kept,
    /// Of its own: its connections end with it.
    runtime: Option<Runtime>,
}

impl Collector {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, kept) = (listener.local_addr().unwrap(), Kept::default());
        Self { address, runtime: Some(serve(listener, kept.clone())), kept }
    }

    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Goes away; connections break.
    pub fn stop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }

    /// Is there again, where it was.
    pub async fn start_again(&mut self) {
        let mut listener = None;
        eventually(SENT, "its port is free again", async || {
            listener = TcpListener::bind(self.address).ok();
            listener.is_some()
        })
        .await;
        self.runtime = Some(serve(listener.unwrap(), self.kept.clone()));
    }

    /// What is there of a trace.
    pub fn trace(&self, id: &str) -> Trace {
        let kept = self.kept.0.lock().unwrap();
        let resources = kept.iter().flat_map(|request| &request.resource_spans);
        let spans = resources.flat_map(|resource| {
            let process = &resource.resource.as_ref().unwrap().attributes;
            let process = said(process, "service.name");
            let spans = resource.scope_spans.iter().flat_map(|scope| &scope.spans);
            spans.map(move |span| Span {
                name: span.name.clone(),
                process: process.clone(),
                links: span.links.len(),
                parent: span.parent_span_id.clone(),
                span: span.clone(),
            })
        });
        Trace(spans.filter(|span| hex(&span.span.trace_id) == id).collect())
    }

    /// A trace, once it has spans of all these names.
    pub async fn whole(&self, id: &str, names: &[&str]) -> Trace {
        let mut trace = self.trace(id);
        for _ in 0..SENT.as_millis() / 50 {
            if names.iter().all(|name| trace.0.iter().any(|span| span.name == *name)) {
                return trace;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            trace = self.trace(id);
        }
        panic!("of {names:?} there is only {:#?}", trace.names());
    }

    /// The span that is linked to a trace, and not a part of it.
    pub fn linked_to(&self, id: &str) -> Span {
        let kept = self.kept.0.lock().unwrap();
        let traces: BTreeSet<_> = kept
            .iter()
            .flat_map(|request| &request.resource_spans)
            .flat_map(|resource| resource.scope_spans.iter().flat_map(|scope| &scope.spans))
            .filter(|span| span.links.iter().any(|link| hex(&link.trace_id) == id))
            .map(|span| hex(&span.trace_id))
            .collect();
        drop(kept);
        let [trace] = Vec::from_iter(traces).try_into().unwrap_or_else(|all| panic!("{all:?}"));
        let trace: String = trace;
        self.trace(&trace).0.into_iter().find(|span| span.links > 0).unwrap()
    }

    /// Everything that it was sent, as text.
    pub fn text(&self) -> String {
        format!("{:?}", self.kept.0.lock().unwrap())
    }
}

fn serve(listener: TcpListener, kept: Kept) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    listener.set_nonblocking(true).unwrap();
    runtime.spawn(async move {
        let incoming = TcpListenerStream::new(tokio::net::TcpListener::from_std(listener).unwrap());
        let server = Server::builder().add_service(TraceServiceServer::new(kept));
        server.serve_with_incoming(incoming).await.unwrap();
    });
    runtime
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Clone, Debug)]
pub struct Trace(pub Vec<Span>);

impl Trace {
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|span| span.name.as_str()).collect()
    }

    pub fn only(&self, name: &str) -> &Span {
        let found: Vec<_> = self.0.iter().filter(|span| span.name == name).collect();
        let [span] = found.as_slice() else { panic!("{name}: {:#?}", self.names()) };
        span
    }

    /// The names of each span of that name and of those above it, from the top down, beginning with its client.
    pub fn above(&self, name: &str) -> Vec<Vec<String>> {
        self.0.iter().filter(|span| span.name == name).map(|span| self.line(span)).collect()
    }

    fn line(&self, span: &Span) -> Vec<String> {
        let parent = self.0.iter().find(|other| other.span.span_id == span.parent);
        let mut line = parent.map_or_else(|| vec![hex(&span.parent)], |parent| self.line(parent));
        line.push(span.name.clone());
        line
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
