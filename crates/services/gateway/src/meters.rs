use std::sync::LazyLock;

use http::StatusCode;
use metrics::{Counter, counter};

/// Answers by the first digit of their status. Looked up once: every request comes here.
static ANSWERS: LazyLock<[Counter; 5]> = LazyLock::new(|| {
    ["1xx", "2xx", "3xx", "4xx", "5xx"]
        .map(|class| counter!("vault.core.response_status_code", "type" => class))
});

/// A request was answered.
pub fn answered(status: StatusCode) {
    if let Some(counter) = ANSWERS.get(usize::from(status.as_u16() / 100).wrapping_sub(1)) {
        counter.increment(1);
    }
}
