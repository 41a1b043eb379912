use wire::pb;

use crate::{Error, Response, Result};

/// What a backend did, as the reply to `HandleRequest`.
pub fn reply(outcome: Result<Option<Response>>) -> pb::HandleRequestReply {
    match outcome {
        Ok(response) => pb::HandleRequestReply { response: response.map(boxed), err: None },
        Err(Error::WithResponse { error, response }) => {
            pb::HandleRequestReply { response: Some(boxed(*response)), err: Some((*error).into()) }
        }
        Err(error) => pb::HandleRequestReply { response: None, err: Some(error.into()) },
    }
}

fn boxed(response: Response) -> Box<pb::Response> {
    Box::new(response.into())
}

/// What a plugin's reply to `HandleRequest` says.
///
/// # Errors
/// The plugin's own.
pub fn outcome_of(reply: pb::HandleRequestReply) -> Result<Option<Response>> {
    let response = reply.response.map(|response| Response::from(*response));
    let Some(error) = reply.err.map(Error::from) else { return Ok(response) };
    Err(match response {
        Some(response) => Error::WithResponse { error: Box::new(error), response: Box::new(response) },
        None => error,
    })
}

/// What a backend found, as the reply to `HandleExistenceCheck`.
pub fn existence_reply(found: Result<Option<bool>>) -> pb::HandleExistenceCheckReply {
    match found {
        Ok(found) => pb::HandleExistenceCheckReply {
            check_found: found.is_some(),
            exists: found.unwrap_or_default(),
            err: None,
        },
        Err(error) => pb::HandleExistenceCheckReply { err: Some(error.into()), ..Default::default() },
    }
}

/// What a plugin's reply to `HandleExistenceCheck` says.
///
/// # Errors
/// The plugin's own.
pub fn existence_of(reply: pb::HandleExistenceCheckReply) -> Result<Option<bool>> {
    match reply.err {
        Some(error) => Err(error.into()),
        None => Ok(reply.check_found.then_some(reply.exists)),
    }
}
