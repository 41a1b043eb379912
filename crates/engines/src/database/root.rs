//! How the password of the user is changed by which the engine itself reaches a database, so that it is never locked
//! out: both passwords are written down first, then the database is told, then the new one is stored and the note taken
//! out, in one commit. Wherever that is cut off, one of the two works, and both are known.

use std::{collections::HashSet, sync::Arc};

use domain::Secret;
use serde::{Deserialize, Serialize};
use tenon::{
    Error, Reason, Request, Result, Wal, WalEntry,
    database::{Change, Database, UpdateUser},
    framework::{Outcome, Undone},
};

use super::{
    Databases,
    config::Config,
    configs::Named,
    connection::{LIMIT, in_time},
    recipe::password,
    role::told,
    rotate::{StaticWal, named},
    store::{CONFIGS, put},
};

/// What such notes are called in Vault.
const ROOT_WAL: &str = "rotateRootWALKey";

/// A change of a root user's password that is about to be made.
#[derive(Serialize, Deserialize)]
struct RootWal {
    connection_name: String,
    username: String,
    old_password: String,
    new_password: String,
}

impl RootWal {
    fn of(entry: &WalEntry, name: &str) -> Option<Self> {
        let wal: Option<Self> = (entry.kind == ROOT_WAL).then(|| entry.data().ok()).flatten();
        wal.filter(|wal| wal.connection_name == name)
    }
}

impl Databases {
    pub(super) async fn rotate_root(self: Arc<Self>, _: Request, request: Named) -> Outcome {
        let name = &request.name;
        self.known_config(name).await?;
        let slot = self.connections.slot(name);
        let _turn = slot.turn.lock().await;
        let live = self.open_in_turn(&slot, name).await?;
        // Read after that: to open it may have brought another password to light.
        let config = self.known_config(name).await?;
        root_user(&config)?;
        let busy = || Error::Other("the connection is in use all the time; try again".to_owned());
        let (alone, database) = live.alone().await.ok_or_else(busy)?;
        let outcome = self.change_root(name, &config, database).await;
        // Its sessions were opened with what may not be true any more. Those who wait for it get another.
        live.expire();
        drop(alone);
        slot.put(None);
        live.end(Reason::RootRotated).await;
        outcome.map(|()| None)
    }

    async fn change_root(&self, name: &str, config: &Config, database: &dyn Database) -> Result<()> {
        let new_password = password(&self.host, &config.password_policy).await?;
        let wal = RootWal {
            connection_name: name.to_owned(),
            username: config.detail("username").to_owned(),
            old_password: config.detail("password").to_owned(),
            new_password: new_password.expose().clone(),
        };
        let id = self.wal.put(ROOT_WAL, &wal).await?;
        let change =
            Change { to: new_password.clone(), statements: told(&config.root_credentials_rotate_statements) };
        let update = UpdateUser { username: wal.username, password: Some(change), ..UpdateUser::default() };
        let changed = in_time(database.update_user(update)).await;
        changed.map_err(|error| named("failed to update user", error))?;
        let config = config.with_password(new_password.expose());
        Ok(self.host.storage.commit(vec![put(CONFIGS, name, &config)?, Wal::removal(&id)?]).await?)
    }

    /// The passwords that the root user may have if it has not the stored one: those of changes that were cut off, the
    /// newest first.
    pub(super) async fn other_passwords(&self, name: &str, config: &Config) -> Result<Vec<Secret<String>>> {
        let entries = self.wal.entries().await?;
        let wals = entries.iter().rev().filter_map(|entry| RootWal::of(entry, name));
        let mut seen = HashSet::from([config.detail("password").to_owned()]);
        let both = wals.flat_map(|wal| [wal.new_password, wal.old_password]);
        Ok(both.filter(|password| seen.insert(password.clone())).map(Secret::new).collect())
    }

    /// What becomes of a note that is so old that nobody is at it any more.
    pub(super) async fn undo(self: Arc<Self>, entry: WalEntry) -> Result<Undone> {
        if let Some(wal) = StaticWal::of(&entry) {
            return self.undo_static(&wal, &entry.id).await;
        }
        if entry.kind != ROOT_WAL {
            return Err(Error::Other("unknown type to rollback".to_owned()));
        }
        self.undo_root(entry.data()?, &entry.id).await
    }

    /// The rotation of its role uses it; one that is of no use is in nobody's way.
    async fn undo_static(&self, wal: &StaticWal, id: &str) -> Result<Undone> {
        let _turn = self.roles.lock(&wal.role_name).await;
        let used = self.unfinished().get(&wal.role_name).is_some_and(|used| used == id);
        let needed = used && self.static_role(&wal.role_name).await?.is_some();
        Ok(if needed { Undone::Later } else { Undone::Now })
    }

    /// Tries which of the passwords works, and stores that.
    async fn undo_root(&self, wal: RootWal, id: &str) -> Result<Undone> {
        let name = &wal.connection_name;
        let slot = self.connections.slot(name);
        let _turn = slot.turn.lock().await;
        let config = self.config(name).await?;
        let Some(config) = config.filter(|_| !wal.new_password.is_empty()) else { return Ok(Undone::Now) };
        let settled = config.detail("password") == wal.new_password;
        if settled || self.wal.get(id).await?.is_none() {
            return Ok(Undone::Now);
        }
        // Sessions that are open tell nothing about the password.
        slot.end(Reason::WalRolledBack).await;
        let opening = self.open_by_what_works(name, Reason::WalRolledBack);
        let late = |_| Error::Other(format!("the database did not answer within {LIMIT:?}"));
        let live = tokio::time::timeout(3 * LIMIT, opening).await.map_err(late)??;
        slot.put(Some(live));
        Ok(Undone::Now)
    }
}

fn root_user(config: &Config) -> Result<()> {
    for name in ["username", "password"] {
        if config.detail(name).is_empty() {
            let sentence = format!("unable to rotate root credentials: no {name} in configuration");
            return Err(Error::refused(sentence));
        }
    }
    Ok(())
}
