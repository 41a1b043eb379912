//! Initialising, unsealing and sealing.

mod ceremonies;
mod cluster;
mod gathering;
mod progress;

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::SystemTime,
};

use ::storage::{
    Barrier, Write,
    barrier::{KeyStatus, SealConfig},
};
use arc_swap::ArcSwapOption;
use bytes::Bytes;
use domain::Secret;
use tonic::{Request, Response, Status};
use wire::catalog::v1::{
    self, CeremonyKind, CeremonyRequest, CeremonyState, InitReply, InitRequest, KeyStatusRequest,
    RotateRequest, SealReply, SealRequest, SealStatus, StatusRequest, UnsealRequest, barrier_server,
    ceremony_request::Step,
};

use crate::{Error, PluginsService, storage::writes_of};
use ceremonies::Ceremonies;
pub use ceremonies::CeremonyError;
use cluster::Cluster;
use progress::Progress;

/// The seal around everything stored.
pub struct BarrierService {
    barrier: Arc<Barrier>,
    storage_type: &'static str,
    /// What the cluster shall be called.
    cluster_name: Option<String>,
    progress: Mutex<Progress>,
    /// Steps are taken one after the other.
    ceremonies: tokio::sync::Mutex<Ceremonies>,
    cluster: ArcSwapOption<Cluster>,
    epoch: AtomicU64,
    /// Has something to do whenever the barrier is opened.
    plugins: Arc<PluginsService>,
}

impl BarrierService {
    pub(crate) fn new(
        barrier: Arc<Barrier>,
        storage_type: &'static str,
        cluster_name: Option<String>,
        plugins: Arc<PluginsService>,
    ) -> Self {
        // Counted from the clock, so that another run of this process is another epoch too.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let epoch = AtomicU64::new(u64::try_from(since.as_micros()).unwrap_or_default());
        Self {
            barrier,
            storage_type,
            cluster_name,
            progress: Mutex::default(),
            ceremonies: tokio::sync::Mutex::default(),
            cluster: ArcSwapOption::empty(),
            epoch,
            plugins,
        }
    }

    // A panic cannot leave the shares half changed, so a poisoned lock means nothing.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn state(&self) -> Result<SealStatus, Error> {
        let config = self.barrier.seal_config().await?;
        let sealed = self.barrier.is_sealed();
        if !sealed {
            // A share that came while the last one was looked at.
            self.progress().reset();
        }
        let (progress, nonce) = self.progress().state();
        let cluster = self.cluster.load().as_ref().filter(|_| !sealed).map(|cluster| Cluster::clone(cluster));
        let cluster = cluster.unwrap_or_default();
        Ok(SealStatus {
            initialized: config.is_some(),
            sealed,
            threshold: config.map_or(0, |config| config.threshold().into()),
            shares: config.map_or(0, |config| config.shares().into()),
            progress,
            nonce,
            storage_type: self.storage_type.to_owned(),
            cluster_name: cluster.name,
            cluster_id: cluster.id,
            epoch: self.epoch.load(Ordering::SeqCst),
        })
    }

    async fn initialise(&self, request: InitRequest) -> Result<InitReply, Error> {
        let config = SealConfig::new(request.shares, request.threshold)?;
        let mut writes = writes_of(request.first_writes)?;
        writes.push(Write::Put(cluster::key()?, Cluster::fresh(self.cluster_name.clone()).encode()?));
        let shares = self.barrier.init(config, writes).await?;
        Ok(InitReply { shares: shares.iter().map(|share| Bytes::copy_from_slice(share.expose())).collect() })
    }

    async fn hand_in(&self, request: UnsealRequest) -> Result<SealStatus, Error> {
        let unsealed = !self.barrier.is_sealed();
        if request.reset {
            if unsealed {
                return Err(Error::Unsealed);
            }
            self.progress().reset();
        } else if !unsealed {
            let config = self.barrier.seal_config().await?.ok_or(Error::NotInitialized)?;
            let share = progress::checked(&request.share)?;
            let complete = self.progress().add(share, config.threshold().into());
            if let Some(shares) = complete {
                self.open(&shares).await?;
            }
        }
        self.state().await
    }

    async fn open(&self, shares: &[Secret<Vec<u8>>]) -> Result<(), Error> {
        self.barrier.unseal(shares).await?;
        // What is stored, damaged or not, must not keep the server closed.
        let cluster = Cluster::load(&self.barrier).await.inspect_err(|error| {
            tracing::error!(%error, "the record of the cluster's name does not open; it goes without");
        });
        self.cluster.store(cluster.ok().flatten().map(Arc::new));
        self.plugins.register_declared().await;
        self.epoch.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn step(&self, request: CeremonyRequest) -> Result<CeremonyState, Error> {
        use CeremonyKind::{Rekey, Root, Unspecified, Verification};
        let mut ceremonies = self.ceremonies.lock().await;
        if self.barrier.is_sealed() {
            return Err(::storage::Error::Sealed.into());
        }
        let seal = self.barrier.seal_config().await?.ok_or(Error::NotInitialized)?;
        let barrier = &self.barrier;
        match (request.kind(), request.step.ok_or(Error::NoStep)?) {
            (Root, Step::Look(_)) => {}
            (Root, Step::Start(start)) => ceremonies.start_root(start)?,
            (Root, Step::Share(share)) => return ceremonies.hand_in_for_root(barrier, seal, &share).await,
            (Root, Step::Cancel(cancel)) => ceremonies.cancel_root(cancel.authorised)?,
            (Rekey, Step::Look(_)) => return Ok(ceremonies.rekey(seal)),
            (Rekey, Step::Start(start)) => {
                ceremonies.start_rekey(&start)?;
                return Ok(ceremonies.rekey(seal));
            }
            (Rekey, Step::Share(share)) => return ceremonies.hand_in_for_rekey(barrier, seal, &share).await,
            (Rekey, Step::Cancel(cancel)) => {
                ceremonies.cancel_rekey(&cancel.nonce, cancel.authorised)?;
                return Ok(ceremonies.rekey(seal));
            }
            (Verification, Step::Look(_)) => return ceremonies.verification(),
            (Verification, Step::Share(share)) => {
                return ceremonies.hand_in_for_verification(barrier, &share).await;
            }
            (Verification, Step::Cancel(_)) => return ceremonies.restart_verification(),
            (Verification, Step::Start(_)) | (Unspecified, _) => return Err(Error::NoStep),
        }
        Ok(ceremonies.root(seal))
    }
}

fn key_status(status: KeyStatus) -> v1::KeyStatus {
    v1::KeyStatus { term: status.term, install_time: status.install_time, encryptions: status.encryptions }
}

#[tonic::async_trait]
impl barrier_server::Barrier for BarrierService {
    async fn status(&self, _: Request<StatusRequest>) -> Result<Response<SealStatus>, Status> {
        Ok(Response::new(self.state().await?))
    }

    async fn init(&self, request: Request<InitRequest>) -> Result<Response<InitReply>, Status> {
        Ok(Response::new(self.initialise(request.into_inner()).await?))
    }

    async fn unseal(&self, request: Request<UnsealRequest>) -> Result<Response<SealStatus>, Status> {
        Ok(Response::new(self.hand_in(request.into_inner()).await?))
    }

    async fn seal(&self, _: Request<SealRequest>) -> Result<Response<SealReply>, Status> {
        self.barrier.seal();
        self.progress().reset();
        *self.ceremonies.lock().await = Ceremonies::default();
        Ok(Response::new(SealReply {}))
    }

    async fn rotate(&self, _: Request<RotateRequest>) -> Result<Response<v1::KeyStatus>, Status> {
        let status = self.barrier.rotate().await.map_err(Error::from)?;
        Ok(Response::new(key_status(status)))
    }

    async fn ceremony(&self, request: Request<CeremonyRequest>) -> Result<Response<CeremonyState>, Status> {
        Ok(Response::new(self.step(request.into_inner()).await?))
    }

    async fn get_key_status(&self, _: Request<KeyStatusRequest>) -> Result<Response<v1::KeyStatus>, Status> {
        let status = self.barrier.key_status().map_err(Error::from)?;
        Ok(Response::new(key_status(status)))
    }
}

#[cfg(test)]
mod tests {
    use ::storage::InMemory;

    use super::*;

    #[tokio::test]
    async fn a_share_that_came_too_late_is_forgotten() {
        let barrier = Arc::new(Barrier::new(Arc::new(InMemory::new())));
        let shares = barrier.init(SealConfig::new(3, 2).unwrap(), Vec::new()).await.unwrap();
        barrier.unseal(&shares[..2]).await.unwrap();
        let plugins = Arc::new(PluginsService::new(barrier.clone(), None, None, Vec::new()));
        let service = BarrierService::new(barrier, "inmem", None, plugins);
        service.progress().add(shares[2].clone(), 2);
        let state = service.state().await.unwrap();
        assert_eq!((state.sealed, state.progress, state.nonce.as_str()), (false, 0, ""));
        assert_eq!(service.progress().state().0, 0);
    }
}
