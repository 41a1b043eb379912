//! How an engine is written: as a table of paths.
//!
//! Each row says which requests it takes, which fields they carry, and which handlers answer them. A handler is an
//! `async fn` of the engine's state that gets the request and its input, read by serde into a type of its own. What
//! clients may send loosely (`"3"` for a number, `a,b` for a list, `1h` for a duration) is put right before, by the
//! fields of the row.
//!
//! ```
//! # use std::sync::Arc;
//! # use serde::Deserialize;
//! # use tenon::{Backend, BackendKind, Error, Request, framework::{Engine, Outcome, Path, field}};
//! struct Greeter;
//!
//! #[derive(Deserialize)]
//! struct Greeting {
//!     name: String,
//!     #[serde(default)]
//!     times: usize,
//! }
//!
//! impl Greeter {
//!     async fn greet(self: Arc<Self>, _: Request, greeting: Greeting) -> Outcome {
//!         let hello = vec![format!("hello, {}", greeting.name); greeting.times.max(1)];
//!         Ok(Some(tenon::Response::json(&serde_json::json!({ "greetings": hello }))?))
//!     }
//! }
//!
//! let engine = Engine::new(BackendKind::Secret).path(
//!     Path::new("hello/{name}")
//!         .field("name", field::string("Whom to greet."))
//!         .field("times", field::int("How often."))
//!         .read(Greeter::greet),
//! );
//! let backend: Arc<dyn Backend> = Arc::new(engine).mounted(Greeter);
//! ```

mod coerce;
mod engine;
pub mod field;
mod handler;
mod help;
mod input;
mod mounted;
mod openapi;
mod path;
mod pattern;
mod rollback;
#[cfg(test)]
mod tests;

/// Reading single values as loosely as fields are read.
pub mod loosely {
    pub use super::coerce::{int, seconds, string};
}

pub use engine::{Engine, Undone};
pub use field::Field;
pub use handler::{NoInput, Outcome};
pub use input::present;
pub use path::Path;
