use http::{HeaderMap, HeaderName, HeaderValue, Method};
use opentelemetry::{
    Value,
    global::BoxedTracer,
    trace::{Status, TracerProvider},
};
use opentelemetry_sdk::{
    propagation::TraceContextPropagator,
    trace::{InMemorySpanExporter, SdkTracerProvider, SpanData},
};
use proptest::prelude::*;

use super::*;

static SPANS: OnceLock<InMemorySpanExporter> = OnceLock::new();

/// All that ended in this process.
fn ended() -> Vec<SpanData> {
    trace().get_finished_spans().unwrap()
}

fn trace() -> &'static InMemorySpanExporter {
    SPANS.get_or_init(|| {
        let exporter = InMemorySpanExporter::default();
        let provider = SdkTracerProvider::builder().with_simple_exporter(exporter.clone()).build();
        start(BoxedTracer::new(Box::new(provider.tracer("test"))), TraceContextPropagator::new());
        exporter
    })
}

fn headers(parent: &str, state: &str) -> HeaderMap {
    let pairs = [("traceparent", parent), ("tracestate", state)];
    pairs
        .into_iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()))
        .collect()
}

fn of(trace: &str) -> Vec<SpanData> {
    ended().into_iter().filter(|span| span.span_context.trace_id().to_string() == trace).collect()
}

fn value(span: &SpanData, key: &str) -> Option<Value> {
    span.attributes.iter().find(|said| said.key.as_str() == key).map(|said| said.value.clone())
}

const PARENT: &str = "b7ad6b7169203331";

#[tokio::test]
async fn spans_hang_together_and_the_client_is_their_parent() {
    trace();
    let id = "0af7651916cd43dd8448eb211c80319c";
    let client = headers(&format!("00-{id}-{PARENT}-01"), "vendor=1");
    let request = Span::of_request(&Method::GET, Route::Api, &client);
    let told = request
        .around(async {
            let routed = Span::begin(&Work::Routed);
            let told = routed.around(async {
                note(Attribute::Mount("kv_1"));
                let mut call = HeaderMap::new();
                Place::at_hand().unwrap().tell(&mut call);
                call
            });
            told.await
        })
        .await;
    request.fail(Failed::Status(500));
    drop(request);
    let spans = of(id);
    let [routed, request] = spans.as_slice() else { panic!("{spans:?}") };
    assert_eq!(request.parent_span_id.to_string(), PARENT);
    assert_eq!(routed.parent_span_id, request.span_context.span_id());
    assert_eq!(value(routed, "mortise.mount.accessor"), Some("kv_1".into()));
    assert_eq!(value(request, "error.type"), Some("500".into()));
    assert_eq!(request.status, Status::error(""));
    let expected = format!("00-{id}-{}-01", routed.span_context.span_id());
    assert_eq!(told["traceparent"], expected);
    assert_eq!(told["tracestate"], "vendor=1");
}

#[tokio::test]
async fn a_trace_that_the_client_does_not_record_is_handed_on_and_not_recorded() {
    trace();
    let id = "1af7651916cd43dd8448eb211c80319c";
    let client = headers(&format!("00-{id}-{PARENT}-00"), "");
    let request = Span::of_request(&Method::GET, Route::Api, &client);
    let told = request
        .around(async {
            let routed = Span::begin(&Work::Routed);
            assert!(routed.is_nothing());
            let mut call = HeaderMap::new();
            routed.place().unwrap().tell(&mut call);
            call
        })
        .await;
    drop(request);
    let told = told["traceparent"].to_str().unwrap();
    assert!(told.starts_with(&format!("00-{id}-")) && told.ends_with("-00"), "{told}");
    assert_eq!(of(id).len(), 0);
}

#[tokio::test]
async fn what_could_belong_to_several_is_linked_to_those_that_are_recorded() {
    trace();
    let place = |id: &str, flag| Place::of_call(&headers(&format!("00-{id}-{PARENT}-{flag}"), "")).unwrap();
    let (one, other) =
        (place("2af7651916cd43dd8448eb211c80319c", "01"), place("3af7651916cd43dd8448eb211c80319c", "00"));
    let span = Span::beside(&[one, other.clone()], &Work::Callback(Stored::Get));
    let own = span.place().unwrap().to_string();
    drop(span);
    let spans = of(&own);
    let linked: Vec<_> = spans[0].links.iter().map(|link| link.span_context.trace_id().to_string()).collect();
    assert_eq!(linked, ["2af7651916cd43dd8448eb211c80319c"]);
    assert!(Span::beside(&[other], &Work::Callback(Stored::Get)).is_nothing());
}

#[tokio::test]
async fn work_without_a_place_makes_no_span() {
    trace();
    assert!(Span::begin(&Work::Routed).is_nothing());
    assert!(Place::at_hand().is_none());
}

#[test]
fn only_one_parent_of_the_right_form_is_taken() {
    trace();
    let good = "00-4af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert!(Place::of_call(&headers(good, "")).is_some());
    assert!(Place::of_call(&headers(&format!("01{}-more", &good[2..]), "")).is_some());
    let zeros = "0".repeat(32);
    for bad in [
        "",
        "00",
        &good[..54],
        &format!("{good}-more"),
        &format!("ff{}", &good[2..]),
        &good.to_uppercase(),
        &good.replace('-', "_"),
        &format!("00-{zeros}-{PARENT}-01"),
        &format!("00-{}-0000000000000000-01", &good[3..35]),
        &format!("00-+{}-{PARENT}-01", &good[4..35]),
    ] {
        assert!(Place::of_call(&headers(bad, "")).is_none(), "{bad}");
    }
    let mut twice = headers(good, "");
    twice.append("traceparent", HeaderValue::from_static(good));
    assert!(Place::of_call(&twice).is_none());
}

proptest! {
    #[test]
    fn whatever_bytes_come_in_the_headers_nothing_fails(
        parent in prop::collection::vec(any::<u8>(), 0..80),
        hex in "[0-9a-fA-F-]{50,60}",
        state in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        trace();
        for parent in [parent, hex.into_bytes()] {
            let mut all = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(&parent) {
                all.insert("traceparent", value);
            }
            if let Ok(value) = HeaderValue::from_bytes(&state) {
                all.insert("tracestate", value);
            }
            if let Some(place) = Place::of_call(&all) {
                let mut told = HeaderMap::new();
                place.tell(&mut told);
                prop_assert!(told.get("traceparent").is_some());
            }
        }
    }

    #[test]
    fn a_good_parent_is_handed_on_as_it_came(
        trace_id in 1_u128.., span in 1_u64.., recorded in any::<bool>()
    ) {
        trace();
        let parent = format!("00-{trace_id:032x}-{span:016x}-{:02x}", u8::from(recorded));
        let place = Place::of_call(&headers(&parent, "a=b,c=d")).unwrap();
        let mut told = HeaderMap::new();
        place.tell(&mut told);
        prop_assert_eq!(&told["traceparent"], parent.as_str());
        prop_assert_eq!(&told["tracestate"], "a=b,c=d");
        prop_assert_eq!(place.is_recorded(), recorded);
    }
}
