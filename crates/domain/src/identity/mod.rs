//! Identity: the people and machines behind tokens, their names at auth methods, the groups they are in, and what
//! follows from that.

mod change;
mod directory;
mod entity;
mod group;
mod index;
mod merge;
mod metadata;
mod name;
mod person;

pub use change::{Change, Draft};
pub use directory::Directory;
pub use entity::{Alias, Entity};
pub use group::{Group, GroupAlias, GroupKind};
pub use merge::{Clash, MergeRefusal};
pub use metadata::{InvalidMetadata, check_custom_metadata, check_metadata};
pub use name::{Factors, Folded, RootPolicy, policy_names};
pub use person::Person;
