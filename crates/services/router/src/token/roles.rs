use super::{role::Role, store::Tokens};
use crate::{error::Result, fields::Fields};

/// Where the roles are.
const ROLES: &str = "core/token/role/";

fn key(name: &str) -> String {
    format!("{ROLES}{name}")
}

impl Tokens {
    pub(super) async fn role(&self, name: &str) -> Result<Option<Role>> {
        self.store.read(&key(name)).await
    }

    pub(super) async fn role_names(&self) -> Result<Vec<String>> {
        self.store.list(ROLES).await
    }

    /// Makes a role, or changes what is said about one.
    pub(super) async fn change_role(&self, name: &str, fields: &Fields) -> Result<()> {
        let _turn = self.role_changes.lock().await;
        let role = self.role(name).await?.unwrap_or_default().changed(fields)?;
        self.store.write(key(name), &role).await
    }

    pub(super) async fn delete_role(&self, name: &str) -> Result<()> {
        let _turn = self.role_changes.lock().await;
        self.store.delete(key(name)).await
    }
}
