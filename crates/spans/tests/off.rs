//! Where nothing is traced, a request pays nothing for spans: no memory is taken.

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    pin::pin,
    task::{Context, Poll, Waker},
};

use http::{HeaderMap, HeaderValue, Method};
use spans::{Attribute, Call, Failed, Place, Route, Span, Work, note};

thread_local! {
    static TAKEN: Cell<usize> = const { Cell::new(0) };
}

/// The system's memory, with a count of how often this thread takes some.
struct Counting;

#[expect(unsafe_code, reason = "an allocator is unsafe by its nature; this one only counts")]
// SAFETY: everything is left to the system's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        TAKEN.with(|taken| taken.set(taken.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static MEMORY: Counting = Counting;

/// What a request makes of spans on its way.
async fn request(headers: &HeaderMap) -> bool {
    let request = Span::of_request(&Method::GET, Route::Api, headers);
    let nothing = request
        .around(async {
            let routed = Span::begin(&Work::Routed);
            routed.tell(Attribute::Request("8b9ad2ab-8f41-4a5c-ba37-7f7e3f1c7b5e"));
            let inside = routed.around(async {
                note(Attribute::WaitedForStart(false));
                let call = Span::begin(&Work::Launcher(Call::Handle));
                call.fail(Failed::Plugin);
                call.is_nothing() && Place::at_hand().is_none() && Place::of_call(headers).is_none()
            });
            inside.await && routed.is_nothing()
        })
        .await;
    request.tell(Attribute::Status(500));
    request.fail(Failed::Status(500));
    nothing && request.is_nothing()
}

#[test]
fn nothing_is_taken_where_nothing_is_traced() {
    let parent = HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let headers = HeaderMap::from_iter([(http::header::HeaderName::from_static("traceparent"), parent)]);
    // Once before, for what a thread takes when it first needs it.
    for _ in 0..2 {
        TAKEN.set(0);
        let mut work = pin!(request(&headers));
        let done = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert_eq!(done, Poll::Ready(true));
    }
    assert_eq!(TAKEN.get(), 0);
}
