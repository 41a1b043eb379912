//! A launcher over a catalog in memory, and the plugins that the stories run.
#![allow(dead_code, reason = "each story uses its own part")]

pub mod catalog;
pub mod engine;

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use catalog::{Commits, FakeCatalog, Transfers};
use engine::Systems;
use launcher::{Catalog, Config, Launcher};
use storage::{InMemory, Storage};
use tempfile::TempDir;
use tenon::System;
use tonic::Status;
use wire::{
    catalog::v1::{BarrierSeam, Plugin, PluginsSeam, StorageSeam},
    launcher::v1::{
        Call, LauncherSeam, MountReply, MountRequest, MountSpec, Process, ProcessesRequest, UnmountRequest,
    },
    pb,
};

/// A launcher, what it stores, and what it runs.
pub struct Bench {
    pub client: LauncherSeam,
    pub stored: Arc<InMemory>,
    pub plugins: Arc<Mutex<HashMap<String, Plugin>>>,
    pub commits: Commits,
    pub transfers: Transfers,
    pub sealed: Arc<AtomicBool>,
    pub folder: TempDir,
    pub systems: Systems,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { runtime_dir: Some(folder.path().to_owned()), ..config };
        let stored = Arc::new(InMemory::default());
        let plugins = Arc::new(Mutex::default());
        let commits = Commits::default();
        let transfers = Transfers::default();
        let sealed = Arc::new(AtomicBool::new(false));
        let catalog = Arc::new(FakeCatalog {
            stored: Arc::clone(&stored),
            plugins: Arc::clone(&plugins),
            commits: commits.clone(),
            transfers: transfers.clone(),
            sealed: Arc::clone(&sealed),
        });
        let clients = Catalog {
            barrier: BarrierSeam::local(catalog.clone()),
            storage: StorageSeam::local(catalog.clone()),
            plugins: PluginsSeam::local(catalog),
        };
        let systems = Systems::default();
        let launcher = Arc::new(Launcher::new(config, clients, engine::engines(&systems)).unwrap());
        let client = LauncherSeam::local(launcher);
        Self { client, stored, plugins, commits, transfers, sealed, folder, systems }
    }

    /// Registers a program under a name. The entry's command is its full path.
    pub fn register(&self, name: &str, program: &Path, args: &[&str]) {
        self.register_as("secret", name, program, args);
    }

    /// Likewise, for a plugin of this type.
    pub fn register_as(&self, kind: &str, name: &str, program: &Path, args: &[&str]) {
        let bytes = std::fs::read(program).unwrap_or_default();
        let sha256 = ring::digest::digest(&ring::digest::SHA256, &bytes);
        let plugin = Plugin {
            name: name.to_owned(),
            r#type: kind.to_owned(),
            sha256: sha256.as_ref().to_vec().into(),
            command: program.to_str().unwrap().to_owned(),
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            ..Plugin::default()
        };
        self.plugins.lock().unwrap().insert(name.to_owned(), plugin);
    }

    /// Registers a script under a name.
    pub fn register_script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.sh"));
        std::fs::write(&path, script).unwrap();
        self.register(name, &path, &[]);
        path
    }

    /// Registers the engine of the stories that is part of the host.
    pub fn register_builtin(&self) {
        let plugin = Plugin {
            name: "obedient".to_owned(),
            r#type: "secret".to_owned(),
            builtin: true,
            ..Plugin::default()
        };
        self.plugins.lock().unwrap().insert("obedient".to_owned(), plugin);
    }

    /// Registers an engine or a database plugin that is part of the host.
    pub fn register_own(&self, kind: &str, name: &str) {
        let (name, kind) = (name.to_owned(), kind.to_owned());
        let plugin = Plugin { name: name.clone(), r#type: kind, builtin: true, ..Plugin::default() };
        self.plugins.lock().unwrap().insert(name, plugin);
    }

    /// What a mount of the engine that is part of the host may ask.
    pub async fn system(&self, uuid: &str) -> Arc<dyn System> {
        self.register_builtin();
        self.mount(uuid, "obedient").await.unwrap();
        self.systems.0.lock().unwrap().last().cloned().unwrap()
    }

    pub async fn mount(&self, uuid: &str, plugin: &str) -> Result<MountReply, Status> {
        self.mount_as(spec(uuid, plugin), true).await
    }

    pub async fn mount_as(&self, spec: MountSpec, fresh: bool) -> Result<MountReply, Status> {
        let request = MountRequest { spec: Some(spec), fresh };
        Ok(self.client.mount(request).await?.into_inner())
    }

    pub async fn unmount(&self, uuid: &str) {
        let request = UnmountRequest { uuid: uuid.to_owned(), reason: 1 };
        self.client.unmount(request).await.unwrap();
    }

    pub async fn call(
        &self,
        uuid: &str,
        operation: &str,
        path: &str,
        data: &str,
    ) -> Result<pb::HandleRequestReply, Status> {
        let request = pb::Request {
            operation: operation.to_owned(),
            path: path.to_owned(),
            data: data.to_owned().into(),
            mount_point: format!("{uuid}/"),
            ..pb::Request::default()
        };
        let call = Call { mount: uuid.to_owned(), request: Some(request.into()), ..Call::default() };
        Ok(self.client.handle(call).await?.into_inner())
    }

    pub async fn read(&self, uuid: &str, path: &str) -> Result<serde_json::Value, Status> {
        self.read_with(uuid, path, "{}").await
    }

    pub async fn read_with(&self, uuid: &str, path: &str, data: &str) -> Result<serde_json::Value, Status> {
        let reply = self.call(uuid, "read", path, data).await?;
        assert_eq!(reply.err, None, "{uuid} {path}");
        let response = reply.response.unwrap_or_default();
        Ok(serde_json::from_slice(&response.data).unwrap_or_default())
    }

    pub async fn write(&self, uuid: &str, path: &str, data: &str) {
        let reply = self.call(uuid, "update", path, data).await.unwrap();
        assert_eq!(reply.err, None, "{uuid} {path}");
    }

    pub async fn processes(&self) -> Vec<Process> {
        self.client.processes(ProcessesRequest {}).await.unwrap().into_inner().processes
    }

    /// The one process that runs.
    pub async fn process(&self) -> Process {
        let processes = self.processes().await;
        assert_eq!(processes.len(), 1, "{processes:?}");
        processes.into_iter().next().unwrap()
    }

    /// What is left of the processes' folders.
    pub fn process_dirs(&self) -> usize {
        let hosts = std::fs::read_dir(self.folder.path()).unwrap().flatten();
        let mut hosts = hosts.filter(|entry| entry.file_name().to_string_lossy().starts_with("mortise-"));
        let host = hosts.next().unwrap();
        std::fs::read_dir(host.path()).unwrap().flatten().filter(|entry| entry.path().is_dir()).count()
    }

    pub async fn all_stored(&self) -> Vec<String> {
        self.stored.list(&"logical/".parse().unwrap()).await.unwrap()
    }
}

pub fn spec(uuid: &str, plugin: &str) -> MountSpec {
    MountSpec {
        uuid: uuid.to_owned(),
        backend_uuid: format!("{uuid}-backend"),
        path: format!("{uuid}/"),
        accessor: format!("{plugin}_{uuid}"),
        r#type: "secret".to_owned(),
        plugin: plugin.to_owned(),
        default_lease_ttl: 3_600_000_000_000,
        max_lease_ttl: 7_200_000_000_000,
        ..MountSpec::default()
    }
}

/// Builds a Go plugin of the stories, or finds it built.
pub fn go_plugin(name: &str) -> PathBuf {
    let build = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/plugins/build");
    let output = Command::new(build).arg(name).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}

/// Whether a process of this number exists and has not ended.
pub fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with('Z'))
}

/// Whether there is a process of this number, be it one that only waits to be reaped.
pub fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// Waits for a condition; fails loudly if it does not come.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(10), waiting).await.is_ok(), "never: {what}");
}

/// The sentences of a failure.
pub fn sentence(status: &Status) -> String {
    wire::failure_of(status).to_string()
}

/// Sends a signal to a process that the story knows to be its own.
pub fn signal(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}
