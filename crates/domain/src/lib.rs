//! Names, paths, digests, requests, mount table, process life: the pure rules, without IO.

mod digest;
pub mod document;
mod duration;
pub mod identity;
mod kind;
mod lease;
mod lockout;
mod mount;
mod names;
mod namespace;
mod operation;
mod password;
mod path;
pub mod policy;
mod process;
mod secret;
mod special;
mod token;
mod version;

pub use digest::{InvalidDigest, Sha256};
pub use duration::{InvalidDuration, format_go_duration, parse_duration};
pub use kind::Kind;
pub use lease::{Capped, Due, LeaseLimits, LeaseQueue, LeaseTerm, LeaseWish, PastMaxTtl, Places};
pub use lockout::{Failures, Lockout, LockoutConfig};
pub use mount::{MountConfig, MountEntry, MountFacts, MountState, MountTable, PathInUse};
pub use names::{InvalidName, MountKind, PluginName, PluginType};
pub use namespace::{InvalidNamespace, NamespaceName, NamespacePath, NamespaceTree, namespace_of_token};
pub use operation::{Operation, UnknownOperation};
pub use password::{InvalidPasswordPolicy, PasswordPolicy};
pub use path::{InvalidPath, MountPath, RequestPath};
pub use process::{Life, News, Pauses, Reason};
pub use secret::{Secret, Token};
pub use special::SpecialPaths;
pub use token::{Grant, GrantRefused, RolePolicies, display_name, matches_glob, normalise};
pub use version::{InvalidVersion, PluginVersion};
