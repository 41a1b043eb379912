use std::sync::Arc;

use super::{entry::TokenEntry, store::SaltedId};

/// Who asks, as their token says.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) id: SaltedId,
    pub(crate) entry: Arc<TokenEntry>,
}
