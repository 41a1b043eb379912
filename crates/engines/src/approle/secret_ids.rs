use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use tenon::{Error, Request, Response, Result, framework::Outcome};
use uuid::Uuid;

use super::{
    Approle,
    role::Role,
    roles::{Named, no_role},
    secret_id::{Accessor, SecretId, expiration},
    store::{accessor_key, hash, put, secret_id_key, secret_ids_of, stored_secret_id_key},
};
use crate::auth::Networks;

#[derive(Deserialize)]
pub(super) struct Wish {
    role_name: String,
    #[serde(default)]
    secret_id: String,
    #[serde(default)]
    metadata: String,
    #[serde(default)]
    cidr_list: Vec<String>,
    #[serde(default)]
    token_bound_cidrs: Vec<String>,
    ttl: Option<u64>,
    num_uses: Option<i64>,
}

#[derive(Deserialize)]
pub(super) struct WithSecretId {
    role_name: String,
    #[serde(default)]
    secret_id: String,
}

#[derive(Deserialize)]
pub(super) struct WithAccessor {
    role_name: String,
    #[serde(default)]
    secret_id_accessor: String,
}

impl Approle {
    pub(super) async fn make_secret_id(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        self.add(Wish { secret_id: Uuid::new_v4().to_string(), ..wish }).await
    }

    pub(super) async fn take_secret_id(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        if wish.secret_id.is_empty() {
            return Err(Error::refused("missing secret_id"));
        }
        self.add(wish).await
    }

    async fn add(&self, wish: Wish) -> Outcome {
        let _turn = self.changing.lock().await;
        let role = self.role(&wish.role_name).await?.ok_or_else(|| no_role(&wish.role_name))?;
        if !role.settings.bind_secret_id {
            return Err(Error::refused("bind_secret_id is not set on the role"));
        }
        let key = secret_id_key(&role, &wish.secret_id)?;
        if self.load::<SecretId>(&key).await?.is_some() {
            return Err(Error::refused("SecretID is already registered"));
        }
        let record = record(&role, &wish)?;
        let way = Accessor { role: role.name.clone(), hash: hash(&wish.secret_id) };
        let writes = vec![put(key, &record)?, put(accessor_key(&record.secret_id_accessor)?, &way)?];
        self.host.storage.commit(writes).await?;
        Response::json(&json!({
            "secret_id": wish.secret_id,
            "secret_id_accessor": record.secret_id_accessor,
            "secret_id_num_uses": record.secret_id_num_uses,
            "secret_id_ttl": record.secret_id_ttl,
        }))
        .map(Some)
    }

    pub(super) async fn list_secret_ids(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let role = self.role(&named.role_name).await?.ok_or_else(|| no_role(&named.role_name))?;
        let mut accessors = Vec::new();
        for hash in self.host.storage.list(&secret_ids_of(&role)?).await? {
            let secret = self.load::<SecretId>(&stored_secret_id_key(&role, &hash)?).await?;
            accessors.extend(secret.map(|secret| secret.secret_id_accessor));
        }
        Ok(Some(Response::keys(&accessors)))
    }

    pub(super) async fn look_up(self: Arc<Self>, _: Request, wish: WithSecretId) -> Outcome {
        let (role, hash) = self.named(wish).await?;
        let secret = self.load::<SecretId>(&stored_secret_id_key(&role, &hash)?).await?;
        secret.map(|secret| Response::json(&secret)).transpose()
    }

    pub(super) async fn destroy(self: Arc<Self>, _: Request, wish: WithSecretId) -> Outcome {
        let (role, hash) = self.named(wish).await?;
        let _turn = self.secret_ids.lock(&hash).await;
        let Some(secret) = self.load::<SecretId>(&stored_secret_id_key(&role, &hash)?).await? else {
            return Ok(None);
        };
        self.host.storage.commit(self.removal(&role, &hash, &secret)?).await?;
        Ok(None)
    }

    async fn named(&self, wish: WithSecretId) -> Result<(Role, String)> {
        if wish.secret_id.is_empty() {
            return Err(Error::refused("missing secret_id"));
        }
        let role = self.role(&wish.role_name).await?.ok_or_else(|| no_role(&wish.role_name))?;
        Ok((role, hash(&wish.secret_id)))
    }

    pub(super) async fn look_up_accessor(self: Arc<Self>, request: Request, wish: WithAccessor) -> Outcome {
        match self.found(&wish).await? {
            Some((_, _, secret)) => Response::json(&secret).map(Some),
            None => unknown_accessor(&wish, &request.id),
        }
    }

    pub(super) async fn destroy_accessor(self: Arc<Self>, request: Request, wish: WithAccessor) -> Outcome {
        match self.found(&wish).await? {
            Some((role, hash, secret)) => {
                let _turn = self.secret_ids.lock(&hash).await;
                self.host.storage.commit(self.removal(&role, &hash, &secret)?).await?;
                Ok(None)
            }
            None => unknown_accessor(&wish, &request.id),
        }
    }

    /// The secret id of an accessor; of another role's, there is none.
    async fn found(&self, wish: &WithAccessor) -> Result<Option<(Role, String, SecretId)>> {
        if wish.secret_id_accessor.is_empty() {
            return Err(Error::refused("missing secret_id_accessor"));
        }
        let role = self.role(&wish.role_name).await?.ok_or_else(|| no_role(&wish.role_name))?;
        let way = self.load::<Accessor>(&accessor_key(&wish.secret_id_accessor)?).await?;
        let Some(way) = way.filter(|way| way.role == role.name) else { return Ok(None) };
        let secret = self.load::<SecretId>(&stored_secret_id_key(&role, &way.hash)?).await?;
        Ok(secret.map(|secret| (role, way.hash, secret)))
    }
}

fn unknown_accessor(wish: &WithAccessor, request_id: &str) -> Outcome {
    let sentence =
        format!("failed to find accessor entry for secret_id_accessor: {:?}", wish.secret_id_accessor);
    Response::error(sentence).with_status(404, request_id).map(Some)
}

/// A secret id is never good for more than its role allows.
fn record(role: &Role, wish: &Wish) -> Result<SecretId> {
    let settings = &role.settings;
    let num_uses = wish.num_uses.unwrap_or(settings.secret_id_num_uses);
    if num_uses < 0 {
        return Err(Error::refused("num_uses cannot be negative"));
    }
    let ttl = wish.ttl.unwrap_or(settings.secret_id_ttl);
    let exceeds = |wanted: u64, allowed: u64| allowed != 0 && (wanted == 0 || wanted > allowed);
    if exceeds(num_uses.unsigned_abs(), settings.secret_id_num_uses.unsigned_abs()) {
        return Err(Error::refused("num_uses cannot be higher than the role's secret_id_num_uses"));
    }
    if exceeds(ttl, settings.secret_id_ttl) {
        return Err(Error::refused("ttl cannot be longer than the role's secret_id_ttl"));
    }
    let cidr_list = Networks::checked("cidr_list", wish.cidr_list.clone())?;
    let token_bound_cidrs = Networks::checked("token_bound_cidrs", wish.token_bound_cidrs.clone())?;
    within("cidr_list", &cidr_list, settings.bound_cidrs())?;
    within("token_bound_cidrs", &token_bound_cidrs, &settings.token.token_bound_cidrs)?;
    let now = Timestamp::now();
    Ok(SecretId {
        cidr_list,
        creation_time: now,
        expiration_time: expiration(now, ttl),
        last_updated_time: now,
        metadata: metadata(&wish.metadata)?,
        secret_id_accessor: Uuid::new_v4().to_string(),
        secret_id_num_uses: num_uses,
        secret_id_ttl: ttl,
        token_bound_cidrs,
    })
}

fn within(field: &str, networks: &[String], allowed: &[String]) -> Result<()> {
    if Networks::all_within(networks, allowed) {
        return Ok(());
    }
    Err(Error::refused(format!("{field} is not within the networks that the role is bound to")))
}

fn metadata(written: &str) -> Result<BTreeMap<String, String>> {
    if written.is_empty() {
        return Ok(BTreeMap::new());
    }
    serde_json::from_str(written)
        .map_err(|_| Error::refused("metadata has to be a JSON object of texts, written as a text"))
}
