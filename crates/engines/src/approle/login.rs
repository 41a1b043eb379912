use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tenon::{Alias, Auth, Error, Operation, Request, Response, Result, framework::Outcome};

use super::{
    Approle,
    role::Role,
    secret_id::SecretId,
    store::{hash, put, stored_secret_id_key},
};
use crate::auth::{admits, wrong_credentials};

#[derive(Deserialize)]
pub(super) struct Login {
    #[serde(default)]
    role_id: String,
    #[serde(default)]
    secret_id: String,
}

/// Whether the role, the secret id or its uses are wrong is nobody's business.
pub(super) fn wrong() -> Error {
    wrong_credentials("invalid role or secret ID")
}

impl Approle {
    /// Who would log in, and as which role: hosts ask before.
    pub(super) async fn look_ahead(self: Arc<Self>, request: Request, login: Login) -> Outcome {
        if login.role_id.is_empty() {
            return Err(Error::refused("missing role_id"));
        }
        if request.operation == Operation::ResolveRole {
            let role = self.role_of(&login.role_id).await?.ok_or_else(wrong)?;
            return Response::json(&json!({ "role": role.name })).map(Some);
        }
        let auth = Auth { alias: Some(alias(login.role_id)), ..Auth::default() };
        Ok(Some(Response { auth: Some(auth), ..Response::default() }))
    }

    pub(super) async fn log_in(self: Arc<Self>, request: Request, login: Login) -> Outcome {
        if login.role_id.is_empty() {
            return Err(Error::refused("missing role_id"));
        }
        let role = self.role_of(&login.role_id).await?.ok_or_else(wrong)?;
        let secret = match role.settings.bind_secret_id {
            true if login.secret_id.is_empty() => return Err(Error::refused("missing secret_id")),
            true => Some(self.use_up(&request, &role, &login.secret_id).await?),
            false => None,
        };
        if !admits(role.settings.bound_cidrs(), request.connection.as_ref()) {
            return Err(Error::PermissionDenied);
        }
        Ok(Some(Response { auth: Some(auth(&role, secret)), ..Response::default() }))
    }

    /// Counts a use of a secret id before it is of use.
    async fn use_up(&self, request: &Request, role: &Role, secret_id: &str) -> Result<SecretId> {
        let hash = hash(secret_id);
        let key = stored_secret_id_key(role, &hash)?;
        let secret: SecretId = self.load(&key).await?.ok_or_else(wrong)?;
        if secret.is_expired(Timestamp::now()) {
            return Err(wrong());
        }
        let networks =
            if secret.cidr_list.is_empty() { role.settings.bound_cidrs() } else { &secret.cidr_list };
        if !admits(networks, request.connection.as_ref()) {
            return Err(Error::PermissionDenied);
        }
        if secret.secret_id_num_uses == 0 {
            return Ok(secret);
        }
        let _turn = self.secret_ids.lock(&hash).await;
        // Another login may have used it meanwhile.
        let secret: SecretId = self.load(&key).await?.ok_or_else(wrong)?;
        let writes = match secret.secret_id_num_uses {
            ..=1 => self.removal(role, &hash, &secret)?,
            left => {
                let secret_id_num_uses = left - 1;
                let last_updated_time = Timestamp::now();
                vec![put(key, &SecretId { secret_id_num_uses, last_updated_time, ..secret.clone() })?]
            }
        };
        self.host.storage.commit(writes).await?;
        Ok(secret)
    }

    /// A login whose role is gone is not renewed.
    pub(super) async fn renew(self: Arc<Self>, request: Request) -> Outcome {
        let auth = request.auth.ok_or_else(|| Error::Other("request auth was nil".to_owned()))?;
        let name = auth.metadata.get("role_name").cloned().unwrap_or_default();
        let role = self.role(&name).await?;
        let role =
            role.ok_or_else(|| Error::Other(format!("role {name:?} does not exist during renewal")))?;
        Ok(Some(Response { auth: Some(role.settings.token.renewed(auth)), ..Response::default() }))
    }
}

fn auth(role: &Role, secret: Option<SecretId>) -> Auth {
    let mut metadata = HashMap::from([("role_name".to_owned(), role.name.clone())]);
    let mut token = role.settings.token.clone();
    if let Some(secret) = secret {
        metadata.extend(secret.metadata);
        // The role's name is not the secret id's to say.
        metadata.insert("role_name".to_owned(), role.name.clone());
        if !secret.token_bound_cidrs.is_empty() {
            token.token_bound_cidrs = secret.token_bound_cidrs;
        }
    }
    let internal_data = json!({ "role_name": role.name }).to_string().into();
    let alias = Alias { metadata: metadata.clone(), ..alias(role.role_id.clone()) };
    Auth { alias: Some(alias), internal_data, ..token.login(metadata) }
}

fn alias(name: String) -> Alias {
    Alias { name, ..Alias::default() }
}
