use domain::Operation::Read;

use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "in-flight-req",
    &[(Read, |ask| Box::pin(list(ask)))],
    "Lists the requests that are being worked on.",
)];

async fn list(ask: Ask) -> Result<Answer> {
    Ok(Answer::bare(&ask.core.in_flight.list()))
}
