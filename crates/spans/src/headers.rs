//! W3C's trace context in headers: those of HTTP, and the metadata of gRPC, which are the same.

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::{
    Context,
    propagation::{Extractor, Injector},
    trace::TraceContextExt,
};

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";

/// So long is a `traceparent` of the version that is known: a version, a trace, a span and flags, in hexadecimal.
const USUAL: usize = 55;

/// The longest `tracestate` that is handed on: what everybody has to.
const LONGEST_STATE: usize = 512;

/// What headers say of the caller's span, if they say it well. Anything else is overlooked.
pub(crate) fn read(headers: &HeaderMap) -> Option<Context> {
    let traces = crate::TRACES.get()?;
    let carrier = Read { parent: parent(headers)?, state: only(headers, STATE) };
    let context = traces.propagator.extract_with_context(&Context::new(), &carrier);
    context.span().span_context().is_valid().then_some(context)
}

/// Tells a callee of the caller's span.
pub(crate) fn write(context: &Context, headers: &mut HeaderMap) {
    if let Some(traces) = crate::TRACES.get() {
        traces.propagator.inject_context(context, &mut Write(headers));
    }
}

/// The only header of that name. Of several, nobody knows which one is meant.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut all = headers.get_all(name).iter();
    let value = all.next()?;
    all.next().is_none().then(|| value.to_str().ok()).flatten()
}

/// A parent of the right form; of later versions, what stands at its beginning has this form too.
fn parent(headers: &HeaderMap) -> Option<&str> {
    let text = only(headers, PARENT)?;
    let form = |(at, byte): (usize, u8)| match at {
        2 | 35 | 52 => byte == b'-',
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    let (usual, rest) = text.as_bytes().split_at_checked(USUAL)?;
    let later = !text.starts_with("00") && rest.first() == Some(&b'-');
    (usual.iter().copied().enumerate().all(form) && (rest.is_empty() || later)).then_some(text)
}

struct Read<'h> {
    parent: &'h str,
    state: Option<&'h str>,
}

impl Extractor for Read<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            PARENT => Some(self.parent),
            STATE => self.state.filter(|state| state.len() <= LONGEST_STATE),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec![PARENT, STATE]
    }
}

struct Write<'h>(&'h mut HeaderMap);

impl Injector for Write<'_> {
    fn set(&mut self, key: &str, value: String) {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value)) else { return };
        if !value.is_empty() {
            self.0.insert(name, value);
        }
    }
}
