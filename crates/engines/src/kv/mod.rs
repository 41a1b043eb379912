//! Key and value: secrets that are stored as they are written. Version 1 keeps the last write, version 2 keeps versions.

mod announce;
#[cfg(test)]
pub(crate) mod testing;
mod v1;
mod v2;

use std::sync::Arc;

use tenon::{Backend, Config, Error, Host, Result};

/// Sets up one mount. Its option `version` says which of the two it is.
///
/// # Errors
/// The option is neither `1` nor `2`, or storage fails.
pub async fn create(config: Config, host: Host) -> Result<Arc<dyn Backend>> {
    match config.options.get("version").map_or("", String::as_str) {
        "" | "1" => Ok(v1::create(&config, host)),
        "2" => v2::create(&config, host).await,
        other => {
            Err(Error::BadRequest(format!("a kv secrets engine has version \"1\" or \"2\", not {other:?}")))
        }
    }
}
