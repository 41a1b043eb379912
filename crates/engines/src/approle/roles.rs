use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;
use tenon::{
    Error, Prefix, Request, Response, Result, Write,
    framework::{NoInput, Outcome},
};
use uuid::Uuid;

use super::{
    Approle,
    role::{Role, Settings, SettingsInput},
    secret_id::SecretId,
    store::{ROLES, put, role_id_key, role_key, secret_ids_of, stored_secret_id_key},
};

#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) role_name: String,
}

#[derive(Deserialize)]
pub(super) struct Wish {
    pub(super) role_name: String,
    role_id: Option<String>,
    #[serde(flatten)]
    pub(super) settings: SettingsInput,
}

#[derive(Deserialize)]
pub(super) struct WithRoleId {
    role_name: String,
    #[serde(default)]
    role_id: String,
}

pub(super) fn no_role(name: &str) -> Error {
    Error::refused(format!("role {name:?} does not exist"))
}

impl Approle {
    pub(super) async fn list(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        let prefix: Prefix = ROLES.parse()?;
        Ok(Some(Response::keys(&self.host.storage.list(&prefix).await?)))
    }

    pub(super) async fn exists(self: Arc<Self>, _: Request, named: Named) -> Result<bool> {
        Ok(self.role(&named.role_name).await?.is_some())
    }

    pub(super) async fn read(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let Some(role) = self.role(&named.role_name).await? else { return Ok(None) };
        Response::json(&role.settings).map(Some)
    }

    pub(super) async fn write(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        let _turn = self.changing.lock().await;
        let known = self.role(&wish.role_name).await?;
        if known.is_some() && wish.settings.local_secret_ids.is_some() {
            return Err(Error::refused("local_secret_ids can only be modified during role creation"));
        }
        let settings = known.as_ref().map_or_else(Settings::default, |role| role.settings.clone());
        let settings = settings.changed(wish.settings)?;
        let role_id = wish.role_id.filter(|role_id| !role_id.is_empty());
        let role = match &known {
            Some(role) => {
                Role { settings, role_id: role_id.unwrap_or_else(|| role.role_id.clone()), ..role.clone() }
            }
            None => Role {
                name: wish.role_name.to_lowercase(),
                role_id: role_id.unwrap_or_else(|| Uuid::new_v4().to_string()),
                uuid: Uuid::new_v4(),
                settings,
            },
        };
        self.save(known.as_ref(), &role).await
    }

    /// The role, its secret ids, and all ways to them go together.
    pub(super) async fn delete(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let _turn = self.changing.lock().await;
        let Some(role) = self.role(&named.role_name).await? else { return Ok(None) };
        // The role first: without it, what a kill leaves of its secret ids opens nothing.
        let role_writes =
            vec![Write::Delete(role_key(&role.name)?), Write::Delete(role_id_key(&role.role_id)?)];
        self.host.storage.commit(role_writes).await?;
        for hash in self.host.storage.list(&secret_ids_of(&role)?).await? {
            let _turn = self.secret_ids.lock(&hash).await;
            let Some(secret) = self.load::<SecretId>(&stored_secret_id_key(&role, &hash)?).await? else {
                continue;
            };
            self.host.storage.commit(self.removal(&role, &hash, &secret)?).await?;
        }
        Ok(None)
    }

    pub(super) async fn read_role_id(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let Some(role) = self.role(&named.role_name).await? else { return Ok(None) };
        Response::json(&json!({ "role_id": role.role_id })).map(Some)
    }

    pub(super) async fn write_role_id(self: Arc<Self>, _: Request, wish: WithRoleId) -> Outcome {
        if wish.role_id.is_empty() {
            return Err(Error::refused("missing role_id"));
        }
        let _turn = self.changing.lock().await;
        let known = self.role(&wish.role_name).await?.ok_or_else(|| no_role(&wish.role_name))?;
        let role = Role { role_id: wish.role_id, ..known.clone() };
        self.save(Some(&known), &role).await
    }

    pub(super) async fn save(&self, known: Option<&Role>, role: &Role) -> Outcome {
        if self.role_of(&role.role_id).await?.is_some_and(|other| other.name != role.name) {
            return Err(Error::refused("the role_id is already in use by another role"));
        }
        let mut writes = Vec::new();
        if let Some(known) = known.filter(|known| known.role_id != role.role_id) {
            writes.push(Write::Delete(role_id_key(&known.role_id)?));
        }
        writes.push(put(role_key(&role.name)?, role)?);
        writes.push(put(role_id_key(&role.role_id)?, &role.name)?);
        self.host.storage.commit(writes).await?;
        Ok(None)
    }
}
