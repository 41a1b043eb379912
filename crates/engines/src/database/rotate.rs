//! How the credentials of a static role are changed, so that they are never lost: what they will be is written down
//! first, then the database is told, then the role is stored and the note taken out, in one commit. A change that was cut
//! off is made again with what was written down.

use std::{
    collections::HashMap,
    sync::{MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tenon::{
    Error, Result, Wal, WalEntry,
    database::{Change, Credential, CredentialType, UpdateUser},
};

use super::{
    Databases,
    certificate::Subject,
    config::Config,
    role::told,
    secret::LoginSecret,
    static_role::StaticRole,
    store::{STATIC_ROLES, put},
};

/// What such notes are called in Vault.
pub(super) const STATIC_WAL: &str = "staticRotationKey";

/// What a static role's credentials are about to be.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct StaticWal {
    pub(super) role_name: String,
    username: String,
    secret: LoginSecret,
    last_vault_rotation: Option<Timestamp>,
}

impl StaticWal {
    /// What a note says, if it is of this kind.
    pub(super) fn of(entry: &WalEntry) -> Option<Self> {
        (entry.kind == STATIC_WAL).then(|| entry.data().ok()).flatten()
    }
}

impl Databases {
    /// The notes about changes that were cut off, by role.
    pub(super) fn unfinished(&self) -> MutexGuard<'_, HashMap<String, String>> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the credentials of a role's user now, stores the role, and plans for the next time. The caller has the
    /// role's turn.
    pub(super) async fn rotate(&self, name: &str, role: StaticRole) -> Result<()> {
        let config = self.known_config(&role.db_name).await?;
        config.allow(name)?;
        config.support(role.credentials.kind()?)?;
        let (id, secret, used_before) = match self.unfinished_secret(name, &role).await? {
            Some((id, secret)) => (id, secret, true),
            None => {
                let (id, secret) = self.new_secret(name, &role, &config).await?;
                (id, secret, false)
            }
        };
        if let Err(error) = self.tell_database(&role, &secret).await {
            if used_before {
                // Perhaps it is what the database does not like: next time there is another.
                self.wal.delete(&id).await?;
                self.unfinished().remove(name);
            }
            return Err(error);
        }
        let role = role.rotated(secret, self.now());
        self.host.storage.commit(vec![put(STATIC_ROLES, name, &role)?, Wal::removal(&id)?]).await?;
        self.unfinished().remove(name);
        self.queue.plan_for(name, role.next_vault_rotation);
        Ok(())
    }

    /// What the credentials were about to be when a change was cut off.
    async fn unfinished_secret(
        &self,
        name: &str,
        role: &StaticRole,
    ) -> Result<Option<(String, LoginSecret)>> {
        let Some(id) = self.unfinished().get(name).cloned() else { return Ok(None) };
        let entry = self.wal.get(&id).await?;
        let wal = entry.as_ref().and_then(StaticWal::of).filter(|wal| is_of(wal, role));
        if wal.is_none() {
            self.wal.delete(&id).await?;
            self.unfinished().remove(name);
        }
        Ok(wal.map(|wal| (id, wal.secret)))
    }

    async fn new_secret(
        &self,
        name: &str,
        role: &StaticRole,
        config: &Config,
    ) -> Result<(String, LoginSecret)> {
        let subject = Subject {
            display_name: String::new(),
            role_name: name.to_owned(),
            until: role.next_vault_rotation.into(),
        };
        let secret = role.credentials.recipe()?.make(&self.host, &config.password_policy, subject).await?;
        let wal = StaticWal {
            role_name: name.to_owned(),
            username: role.username.clone(),
            secret,
            last_vault_rotation: role.last_vault_rotation,
        };
        let id = self.wal.put(STATIC_WAL, &wal).await?;
        self.unfinished().insert(name.to_owned(), id.clone());
        Ok((id, wal.secret))
    }

    async fn tell_database(&self, role: &StaticRole, secret: &LoginSecret) -> Result<()> {
        let statements = told(&role.rotation_statements);
        let mut update = UpdateUser { username: role.username.clone(), ..UpdateUser::default() };
        match secret.credential() {
            Credential::Password(to) => update.password = Some(Change { to, statements }),
            Credential::RsaPublicKey(to) => update.public_key = Some(Change { to, statements }),
            Credential::ClientCertificate { .. } => {
                return Err(Error::refused("unsupported credential_type: \"client_certificate\""));
            }
        }
        let changed = self.connection(&role.db_name).await?.update_user(update).await;
        Ok(changed.map_err(|error| named("error setting credentials", error))?)
    }
}

/// Whether a note is about this user, in this form, and newer than what is stored.
fn is_of(wal: &StaticWal, role: &StaticRole) -> bool {
    let kind = match wal.secret.credential() {
        Credential::Password(_) => CredentialType::Password,
        Credential::RsaPublicKey(_) => CredentialType::RsaPrivateKey,
        Credential::ClientCertificate { .. } => CredentialType::ClientCertificate,
    };
    wal.username == role.username
        && wal.last_vault_rotation == role.last_vault_rotation
        && role.credentials.kind().is_ok_and(|wanted| wanted == kind)
}

/// What a database refused, and what was to be done.
pub(super) fn named(what: &str, error: tenon::database::Error) -> tenon::database::Error {
    match error {
        tenon::database::Error::Failed(why) => tenon::database::Error::Failed(format!("{what}: {why}")),
        other => other,
    }
}
