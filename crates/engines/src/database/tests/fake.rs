//! A database that is a map of users and their passwords, and a storage, that stop wherever a story wants.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use domain::Secret;
use storage::{InMemory, Key, Prefix, Storage, Write};
use tenon::{
    Reason, System,
    database::{
        Credential, CredentialType, Database, Error, NewUser, Opened, Result, Settings, Statements,
        UpdateUser,
    },
};
use tokio::sync::Notify;

/// Where the change of a password can be cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    BeforeNote,
    AfterNote,
    BeforeDatabase,
    AfterDatabase,
    BeforeStore,
    AfterStore,
}

pub(super) const STEPS: [Step; 6] = [
    Step::BeforeNote,
    Step::AfterNote,
    Step::BeforeDatabase,
    Step::AfterDatabase,
    Step::BeforeStore,
    Step::AfterStore,
];

/// How it is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Nothing comes after it, as when the server is killed.
    Dead,
    /// It fails, and the engine goes on.
    Fails,
}

/// What lives on when the server is killed: the database, and what is stored.
#[derive(Default)]
pub(super) struct World {
    pub(super) users: Mutex<HashMap<String, String>>,
    pub(super) stored: InMemory,
    pub(super) closed: Mutex<Vec<Reason>>,
    /// What users were told to expire.
    pub(super) prolonged: AtomicUsize,
    pub(super) last: Mutex<Option<NewUser>>,
    fault: Mutex<Option<(Step, Cut)>>,
    reached: Notify,
}

impl World {
    pub(super) fn with_user(name: &str, password: &str) -> Arc<Self> {
        let world = Self::default();
        world.users.lock().unwrap().insert(name.to_owned(), password.to_owned());
        Arc::new(world)
    }

    pub(super) fn password(&self, user: &str) -> Option<String> {
        self.users.lock().unwrap().get(user).cloned()
    }

    /// The next change is cut off there.
    pub(super) fn cut(&self, step: Step, how: Cut) {
        *self.fault.lock().unwrap() = Some((step, how));
    }

    /// Until a change was cut off.
    pub(super) async fn is_cut(&self) {
        self.reached.notified().await;
    }

    async fn pass(&self, step: Step) -> std::result::Result<(), ()> {
        let cut = self.fault.lock().unwrap().take_if(|(at, _)| *at == step).map(|(_, how)| how);
        match cut {
            None => Ok(()),
            Some(Cut::Fails) => {
                self.reached.notify_one();
                Err(())
            }
            Some(Cut::Dead) => {
                self.reached.notify_one();
                std::future::pending().await
            }
        }
    }
}

/// The storage of a mount in it.
pub(super) struct Stored(pub(super) Arc<World>);

#[async_trait]
impl Storage for Stored {
    async fn get(&self, key: &Key) -> storage::Result<Option<Bytes>> {
        self.0.stored.get(key).await
    }

    async fn page(&self, prefix: &Prefix, after: &str, limit: usize) -> storage::Result<Vec<String>> {
        self.0.stored.page(prefix, after, limit).await
    }

    async fn commit(&self, writes: Vec<Write>) -> storage::Result<()> {
        let is_note = |write: &Write| write.key().as_str().starts_with("wal/");
        let (before, after) = match writes.as_slice() {
            [note @ Write::Put(..)] if is_note(note) => (Step::BeforeNote, Step::AfterNote),
            [Write::Put(..), note @ Write::Delete(_)] if is_note(note) => {
                (Step::BeforeStore, Step::AfterStore)
            }
            _ => return self.0.stored.commit(writes).await,
        };
        let failed = |()| storage::Error::Stopped;
        self.0.pass(before).await.map_err(failed)?;
        self.0.stored.commit(writes).await?;
        self.0.pass(after).await.map_err(failed)
    }
}

/// A connection to it: it is as good as the password with which it was opened.
struct Connection(Arc<World>);

#[async_trait]
impl Database for Connection {
    async fn type_name(&self) -> Result<String> {
        Ok("fake".to_owned())
    }

    async fn initialize(&self, mut settings: Settings, verify: bool) -> Result<Settings> {
        if settings.text("connection_url").is_empty() {
            return Err(Error::Failed("connection_url cannot be empty".to_owned()));
        }
        let known = self.0.password(settings.text("username"));
        if verify && known.as_deref() != Some(settings.text("password")) {
            return Err(Error::Failed("error verifying connection: the password is wrong".to_owned()));
        }
        settings.set_supported_credential_types(&CredentialType::ALL);
        Ok(settings)
    }

    async fn new_user(&self, request: NewUser) -> Result<String> {
        let name = format!("v-{}-{}", request.display_name, request.role_name);
        if request.statements.0.iter().any(|statement| statement == "FAIL") {
            return Err(Error::Failed("unable to create new user: no".to_owned()));
        }
        let password = match &request.credential {
            Credential::Password(password) => password.expose().clone(),
            Credential::RsaPublicKey(key) => String::from_utf8_lossy(key).into_owned(),
            Credential::ClientCertificate { subject } => subject.clone(),
        };
        self.0.users.lock().unwrap().insert(name.clone(), password);
        *self.0.last.lock().unwrap() = Some(request);
        Ok(name)
    }

    async fn update_user(&self, request: UpdateUser) -> Result<()> {
        let failed = |()| Error::Failed("cut off".to_owned());
        if request.expiration.is_some() {
            self.0.prolonged.fetch_add(1, Ordering::SeqCst);
            return Ok(());
        }
        self.0.pass(Step::BeforeDatabase).await.map_err(failed)?;
        let to = match (request.password, request.public_key) {
            (Some(change), _) => change.to.expose().clone(),
            (None, Some(change)) => String::from_utf8(change.to).unwrap(),
            (None, None) => return Err(Error::Invalid("update user request has no changes".to_owned())),
        };
        self.0.users.lock().unwrap().insert(request.username, to);
        self.0.pass(Step::AfterDatabase).await.map_err(failed)
    }

    async fn delete_user(&self, username: &str, _: Statements) -> Result<()> {
        self.0.users.lock().unwrap().remove(username);
        Ok(())
    }

    async fn close(&self, reason: Reason) -> Result<()> {
        self.0.closed.lock().unwrap().push(reason);
        Ok(())
    }
}

/// A system that opens it.
pub(super) struct Around(pub(super) Arc<World>);

#[async_trait]
impl System for Around {
    fn default_lease_ttl(&self) -> Duration {
        Duration::from_secs(3600)
    }

    fn max_lease_ttl(&self) -> Duration {
        Duration::from_secs(7200)
    }

    fn host_version(&self) -> String {
        "1.21.4".to_owned()
    }

    fn cluster_id(&self) -> String {
        String::new()
    }

    async fn generate_password(&self, policy: &str) -> tenon::Result<Secret<String>> {
        Ok(Secret::new(format!("after {policy}")))
    }

    async fn open_database(&self, name: &str, version: &str) -> Result<Opened> {
        if name != "fake-database-plugin" {
            return Err(Error::Unavailable(format!("plugin not found in the catalog: {name}")));
        }
        Ok(Opened {
            database: Arc::new(Connection(Arc::clone(&self.0))),
            builtin: true,
            running_version: version.to_owned(),
            running_sha256: String::new(),
        })
    }
}
