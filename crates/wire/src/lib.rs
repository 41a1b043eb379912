//! Code generated from `proto/` at build time, and its conversions to domain.

mod codec;
mod failure;
pub mod json;
mod request_id;
mod sandbox;
mod seam;
mod generated {
    #![allow(missing_docs, unused_qualifications, clippy::all, clippy::unwrap_used)]
    include!(concat!(env!("OUT_DIR"), "/generated.rs"));
}

pub use codec::{Protobuf, buffers};
pub use failure::{Failure, failure_of, status_of};
pub use generated::dbplugin::v5 as dbplugin;
pub use generated::grpc::health::v1 as health;
pub use generated::logical;
pub use generated::mortise::{catalog, common, launcher, router};
pub use generated::pb;
pub use generated::plugin as goplugin;
pub use generated::pluginutil::multiplexing;
pub use request_id::{Belonging, Errand, OnErrand, RequestId};
pub use seam::{Answer, Seam};

/// The largest message that a plugin's connection carries, in bytes: what Go's side of the protocol allows.
pub const PLUGIN_MESSAGE_LIMIT: usize = i32::MAX as usize;
