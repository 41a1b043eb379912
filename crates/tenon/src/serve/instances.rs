use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use tonic::{Request, Status, metadata::MetadataMap};

use super::remote_system::RemoteSystem;
use crate::Backend;

/// The metadata key that tells the mounts of one process apart.
const MULTIPLEX_ID: &str = "multiplex_id";

/// The id of the only instance of a process that is not multiplexed. Such a process gets ids too, and ignores them.
const ONLY: &str = "";

/// The id that a host gives to one of those whom a process serves. The sentences are those of Go's plugins, which hosts
/// may look for.
pub(super) fn multiplex_id(metadata: &MetadataMap) -> Result<&str, Status> {
    let mut ids = metadata.get_all(MULTIPLEX_ID).iter();
    let Some(first) = ids.next() else { return Err(Status::unknown("no multiplexing ID found")) };
    let more = ids.count();
    if more > 0 {
        return Err(Status::unknown(format!("unexpected number of IDs in metadata: ({})", more + 1)));
    }
    match first.to_str() {
        Ok("") => Err(Status::unknown("empty multiplex ID in metadata")),
        Ok(id) => Ok(id),
        Err(_) => Err(Status::unknown("no multiplexing ID found")),
    }
}

/// One mount's backend, and its view of the host.
pub(super) struct Instance {
    pub(super) backend: Arc<dyn Backend>,
    pub(super) system: Arc<RemoteSystem>,
}

/// The backends of this process, by the host's id for each.
pub(super) struct Instances {
    multiplexed: bool,
    by_id: RwLock<HashMap<String, Arc<Instance>>>,
}

impl Instances {
    pub(super) fn new(multiplexed: bool) -> Self {
        Self { multiplexed, by_id: RwLock::default() }
    }

    /// The id that a call is about.
    pub(super) fn id_of<'r>(&self, metadata: &'r MetadataMap) -> Result<&'r str, Status> {
        if !self.multiplexed {
            return Ok(ONLY);
        }
        multiplex_id(metadata)
    }

    /// The instance that a call is about.
    pub(super) fn of<T>(&self, request: &Request<T>) -> Result<Arc<Instance>, Status> {
        let id = self.id_of(request.metadata())?;
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        by_id.get(id).cloned().ok_or_else(|| Status::unknown("no backend instance found"))
    }

    /// Adds an instance; returns the one that it takes the place of.
    pub(super) fn insert(&self, id: String, instance: Instance) -> Option<Arc<Instance>> {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::new(instance))
    }

    /// Takes an instance out.
    pub(super) fn remove(&self, id: &str) -> Option<Arc<Instance>> {
        self.by_id.write().unwrap_or_else(PoisonError::into_inner).remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_refused_in_gos_words() {
        let instances = Instances::new(true);
        let sentence = |metadata: &MetadataMap| {
            let id = instances.id_of(metadata).map(str::to_owned);
            id.unwrap_or_else(|status| status.message().to_owned())
        };
        let mut metadata = MetadataMap::new();
        assert_eq!(sentence(&metadata), "no multiplexing ID found");
        metadata.append(MULTIPLEX_ID, "".parse().unwrap());
        assert_eq!(sentence(&metadata), "empty multiplex ID in metadata");
        metadata.append(MULTIPLEX_ID, "a".parse().unwrap());
        assert_eq!(sentence(&metadata), "unexpected number of IDs in metadata: (2)");
        metadata.insert(MULTIPLEX_ID, "a".parse().unwrap());
        assert_eq!(sentence(&metadata), "a");
    }

    #[test]
    fn a_process_for_one_mount_ignores_ids() {
        assert_eq!(Instances::new(false).id_of(&MetadataMap::new()).unwrap(), ONLY);
    }
}
