//! What is said of a panic: where it was, and never what was in hand there.

use std::panic::{self, PanicHookInfo};

/// From now on panics are lines of the log. A text that was put together may hold anything that a request brought, as
/// the text that could not be cut there; only one that stands in the code is told.
pub(super) fn tell() {
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, why = said(panic), "the server panicked; please report this");
    }));
}

fn said(panic: &PanicHookInfo<'_>) -> &'static str {
    panic.payload().downcast_ref::<&'static str>().copied().unwrap_or("not told, for it may hold a secret")
}
