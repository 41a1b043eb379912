//! Vault's HTTP API; the only crate that knows a status code.
