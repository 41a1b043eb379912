use spans::{Database, Failed, Span, Stored, Work};

use crate::Result;

/// What a database does, as a span of the trace of whoever asked; what was written together with it is not told apart.
pub(crate) async fn traced<T>(
    database: Database,
    stored: Stored,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let span = Span::begin(&Work::Database(database, stored));
    let outcome = work.await;
    if let Err(error) = &outcome {
        span.fail(Failed::Kind(error.kind()));
    }
    outcome
}
