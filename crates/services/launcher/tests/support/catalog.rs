use std::{
    collections::HashMap,
    fs,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use domain::Kind;
use futures::{Stream, StreamExt, stream};
use storage::{InMemory, Storage};
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};
use tonic::{Request, Response, Status};
use wire::{
    Failure,
    catalog::v1::{
        self, Chunk, FetchRequest, Plugin, PluginRequest, barrier_server::Barrier, plugins_server::Plugins,
    },
};

/// The catalog's services as far as a launcher needs them.
#[derive(Clone)]
pub struct FakeCatalog {
    pub stored: Arc<InMemory>,
    pub plugins: Arc<Mutex<HashMap<String, Plugin>>>,
    pub commits: Commits,
    pub transfers: Transfers,
    /// Nothing stored is given out or taken.
    pub sealed: Arc<AtomicBool>,
}

/// What is asked to be written; a story can hold it up.
#[derive(Clone, Default)]
pub struct Commits {
    asked: Arc<AtomicUsize>,
    open: Arc<RwLock<()>>,
}

impl Commits {
    /// As many writes were asked for so far.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Nothing is written while the guard is held.
    pub async fn hold_up(&self) -> OwnedRwLockWriteGuard<()> {
        Arc::clone(&self.open).write_owned().await
    }
}

/// Which transfers there were; a story can cut them off.
#[derive(Clone, Default)]
pub struct Transfers {
    offsets: Arc<Mutex<Vec<u64>>>,
    cut_at: Arc<Mutex<Option<usize>>>,
}

impl Transfers {
    fn begun(&self, offset: u64) {
        self.offsets.lock().unwrap().push(offset);
    }

    /// From where on something was asked for, each time.
    pub fn offsets(&self) -> Vec<u64> {
        self.offsets.lock().unwrap().clone()
    }

    /// Transfers that come so far, in pieces of a quarter of a mebibyte, end there; with none, they all go through.
    pub fn cut_at(&self, piece: Option<usize>) {
        *self.cut_at.lock().unwrap() = piece;
    }

    /// After how many pieces one that starts here is cut off.
    fn cut(&self, first: usize) -> Option<usize> {
        self.cut_at.lock().unwrap().and_then(|cut| cut.checked_sub(first))
    }
}

type Reply<T> = Result<Response<T>, Status>;

fn unused<T>() -> Reply<T> {
    Err(Status::unimplemented("no launcher asks this"))
}

fn failed(error: &storage::Error) -> Status {
    Failure::new(error.kind(), error.to_string()).into()
}

impl FakeCatalog {
    fn open(&self) -> Result<(), Status> {
        if self.sealed.load(Ordering::SeqCst) { Err(failed(&storage::Error::Sealed)) } else { Ok(()) }
    }

    fn plugin(&self, name: &str) -> Result<Plugin, Status> {
        let found = self.plugins.lock().unwrap().get(name).cloned();
        found.ok_or_else(|| Failure::new(Kind::NotFound, format!("no plugin is called {name}")).into())
    }
}

#[tonic::async_trait]
impl v1::storage_server::Storage for FakeCatalog {
    async fn get(&self, request: Request<v1::GetRequest>) -> Reply<v1::GetReply> {
        self.open()?;
        let key = request.into_inner().key.try_into().map_err(|e| failed(&storage::Error::Key(e)))?;
        let value = self.stored.get(&key).await.map_err(|e| failed(&e))?;
        Ok(Response::new(v1::GetReply { value }))
    }

    async fn list(&self, request: Request<v1::ListRequest>) -> Reply<v1::ListReply> {
        self.open()?;
        let request = request.into_inner();
        let prefix = request.prefix.try_into().map_err(|e| failed(&storage::Error::Key(e)))?;
        let keys = self.stored.list(&prefix).await.map_err(|e| failed(&e))?;
        Ok(Response::new(v1::ListReply { keys }))
    }

    async fn commit(&self, request: Request<v1::CommitRequest>) -> Reply<v1::CommitReply> {
        self.open()?;
        let writes = request.into_inner().writes.into_iter().map(|write| {
            let key: storage::Key = write.key.try_into().unwrap();
            write
                .value
                .map_or_else(|| storage::Write::Delete(key.clone()), |v| storage::Write::Put(key.clone(), v))
        });
        self.commits.asked.fetch_add(1, Ordering::SeqCst);
        let _open = self.commits.open.read().await;
        self.stored.commit(writes.collect()).await.map_err(|e| failed(&e))?;
        Ok(Response::new(v1::CommitReply {}))
    }
}

#[tonic::async_trait]
impl Plugins for FakeCatalog {
    async fn register(&self, _: Request<v1::RegisterRequest>) -> Reply<v1::RegisterReply> {
        unused()
    }

    async fn get(&self, _: Request<PluginRequest>) -> Reply<Plugin> {
        unused()
    }

    async fn list(&self, _: Request<v1::ListPluginsRequest>) -> Reply<v1::ListPluginsReply> {
        unused()
    }

    async fn deregister(&self, _: Request<PluginRequest>) -> Reply<v1::DeregisterReply> {
        unused()
    }

    async fn resolve(&self, request: Request<PluginRequest>) -> Reply<Plugin> {
        Ok(Response::new(self.plugin(&request.into_inner().name)?))
    }

    async fn inspect(&self, _: Request<PluginRequest>) -> Reply<Plugin> {
        unused()
    }

    async fn pin(&self, _: Request<PluginRequest>) -> Reply<v1::PinReply> {
        unused()
    }

    async fn unpin(&self, _: Request<PluginRequest>) -> Reply<v1::UnpinReply> {
        unused()
    }

    async fn get_pin(&self, _: Request<PluginRequest>) -> Reply<v1::GetPinReply> {
        unused()
    }

    async fn list_pins(&self, _: Request<v1::ListPinsRequest>) -> Reply<v1::ListPinsReply> {
        unused()
    }

    async fn upload(&self, _: Request<v1::UploadPiece>) -> Reply<v1::UploadState> {
        unused()
    }

    async fn get_upload(&self, _: Request<v1::UploadRequest>) -> Reply<v1::UploadState> {
        unused()
    }

    async fn place_upload(&self, _: Request<v1::PlaceRequest>) -> Reply<v1::PlaceReply> {
        unused()
    }

    async fn drop_upload(&self, _: Request<v1::UploadRequest>) -> Reply<v1::DropReply> {
        unused()
    }

    async fn put_runtime(&self, _: Request<v1::Runtime>) -> Reply<v1::PutRuntimeReply> {
        unused()
    }

    async fn get_runtime(&self, _: Request<v1::RuntimeRequest>) -> Reply<v1::Runtime> {
        unused()
    }

    async fn list_runtimes(&self, _: Request<v1::ListRuntimesRequest>) -> Reply<v1::ListRuntimesReply> {
        unused()
    }

    async fn delete_runtime(&self, _: Request<v1::RuntimeRequest>) -> Reply<v1::DeleteRuntimeReply> {
        unused()
    }

    type FetchStream = Pin<Box<dyn Stream<Item = Result<Chunk, Status>> + Send>>;

    async fn fetch(&self, request: Request<FetchRequest>) -> Reply<Self::FetchStream> {
        let request = request.into_inner();
        let plugin = self.plugin(&request.name)?;
        self.transfers.begun(request.offset);
        let bytes = Bytes::from(fs::read(&plugin.command).map_err(|error| {
            Status::from(Failure::new(Kind::Invalid, format!("cannot read {}: {error}", plugin.command)))
        })?);
        let piece = 256 << 10;
        let (first, last, size) = (request.offset as usize, bytes.len(), bytes.len() as u64);
        let mut chunks: Vec<_> = (first..last)
            .step_by(piece)
            .map(|at| Ok(Chunk { data: bytes.slice(at..last.min(at + piece)), size }))
            .collect();
        if let Some(whole) = self.transfers.cut(first / piece) {
            // As a connection breaks: without a word of ours.
            chunks.truncate(whole);
            chunks.push(Err(Status::unavailable("the connection broke")));
        }
        Ok(Response::new(stream::iter(chunks).boxed()))
    }
}

#[tonic::async_trait]
impl Barrier for FakeCatalog {
    async fn status(&self, _: Request<v1::StatusRequest>) -> Reply<v1::SealStatus> {
        let cluster = |word: &str| format!("cluster-{word}");
        let status = v1::SealStatus {
            initialized: true,
            cluster_name: cluster("name"),
            cluster_id: cluster("id"),
            ..v1::SealStatus::default()
        };
        Ok(Response::new(status))
    }

    async fn init(&self, _: Request<v1::InitRequest>) -> Reply<v1::InitReply> {
        unused()
    }

    async fn unseal(&self, _: Request<v1::UnsealRequest>) -> Reply<v1::SealStatus> {
        unused()
    }

    async fn seal(&self, _: Request<v1::SealRequest>) -> Reply<v1::SealReply> {
        unused()
    }

    async fn rotate(&self, _: Request<v1::RotateRequest>) -> Reply<v1::KeyStatus> {
        unused()
    }

    async fn get_key_status(&self, _: Request<v1::KeyStatusRequest>) -> Reply<v1::KeyStatus> {
        unused()
    }

    async fn ceremony(&self, _: Request<v1::CeremonyRequest>) -> Reply<v1::CeremonyState> {
        unused()
    }
}
