use domain::Operation::Read;

use crate::{
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint {
    pattern: "in-flight-req",
    access: Access::Token,
    on_top: false,
    operations: &[(Read, |ask| Box::pin(list(ask)))],
    help: "Lists the requests that are being worked on.",
}];

async fn list(ask: Ask) -> Result<Answer> {
    Ok(Answer::bare(&ask.core.in_flight.list()))
}
