//! Identity: who the holders of tokens are, and what follows from that for each of their requests.

mod aliases;
mod changes;
mod entities;
mod family;
mod group_aliases;
mod groups;
mod load;
mod login;
mod lookup;
mod merge;
mod record;
mod refusal;
mod standing;
mod store;
mod told;
mod view;

pub(crate) use login::Shown;
pub use refusal::IdentityRefusal;
pub(crate) use standing::Standing;
pub(crate) use store::Identity;
pub(crate) use told::told;

use crate::endpoint::Endpoint;

/// What lies under `identity/`.
pub(crate) const ENDPOINTS: &[&[Endpoint]] = &[
    entities::ENDPOINTS,
    merge::ENDPOINTS,
    aliases::ENDPOINTS,
    groups::ENDPOINTS,
    group_aliases::ENDPOINTS,
    lookup::ENDPOINTS,
];
