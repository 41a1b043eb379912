//! What the auth methods have in common.

mod networks;
#[cfg(test)]
pub(crate) mod testing;
mod token_params;

pub(crate) use networks::{Networks, admits};
pub(crate) use token_params::{TokenInput, TokenParams, with_token_fields};

use tenon::Error;

/// A login that fails because of what was sent with it. Hosts count these, and lock out who guesses.
pub(crate) fn wrong_credentials(sentence: &str) -> Error {
    Error::WithResponse {
        error: Box::new(Error::Other("invalid credentials".to_owned())),
        response: Box::new(tenon::Response::error(sentence)),
    }
}
