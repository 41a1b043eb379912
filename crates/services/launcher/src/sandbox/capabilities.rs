//! The host's special rights, which no sandbox keeps: the super-user's programs would get them all back.

use std::io;

use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities,
};

use super::{Missing, Offers};

/// The rights to be taken away.
#[derive(Debug)]
pub struct Dropped {
    /// Those that a program could get back.
    bounding: Vec<CapabilitySet>,
}

pub(super) fn prepare(offers: &Offers) -> Result<Dropped, Missing> {
    if !offers.drops_capabilities {
        return Err(Missing::Capabilities);
    }
    Ok(Dropped { bounding: offers.bounding.iter().collect() })
}

impl Dropped {
    /// No program gets them back.
    pub(super) fn for_good(&self) -> io::Result<()> {
        let dropped = self.bounding.iter().try_for_each(|each| remove_capability_from_bounding_set(*each));
        Ok(dropped?)
    }

    /// The process has none.
    pub(super) fn now(&self) -> io::Result<()> {
        // Kernels before 4.3 have none of these.
        let _ = clear_ambient_capability_set();
        let none = CapabilitySet::empty();
        Ok(set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?)
    }
}
