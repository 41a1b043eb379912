//! The end that runs plugins.
//!
//! ```no_run
//! # async fn example(stdout: tokio::process::ChildStdout) -> Result<(), Box<dyn std::error::Error>> {
//! # use goplugin::{Cookie, Identity, host};
//! # use tokio::time::{Duration, Instant};
//! let directory = std::path::Path::new("/run/mortise/p1"); // 0700, and short: socket paths end at 107 bytes
//! let identity = Identity::generate()?;
//! let variables = host::environment(Cookie::BACKEND, &[5], &identity, directory);
//! // … spawn the program with these variables, its stdout piped …
//! let deadline = Instant::now() + Duration::from_secs(60);
//! let (connection, rest) = host::connect(stdout, &[5], &identity, directory, deadline).await?;
//! tokio::spawn(rest.drain());
//! # Ok(())
//! # }
//! ```

mod broker;
mod connect;
mod connection;
mod door;
mod environment;
mod error;
mod first_line;
mod stdio;

pub use broker::{Broker, BrokerError, Brokered};
pub use connect::connect;
pub use connection::Connection;
pub use environment::environment;
pub use error::StartError;
pub use first_line::Rest;
pub use stdio::Stream;
