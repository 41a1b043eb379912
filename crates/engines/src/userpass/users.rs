use std::sync::Arc;

use serde::Deserialize;
use tenon::{
    Error, Key, Prefix, Request, Response, Result,
    framework::{NoInput, Outcome},
};

use super::{
    Userpass,
    password::{Password, PasswordHash},
    user::{OlderNames, User, UserView},
};
use crate::auth::{TokenInput, TokenParams};

const USERS: &str = "user/";

#[derive(Deserialize)]
pub(super) struct Named {
    username: String,
}

#[derive(Deserialize)]
pub(super) struct Credentials {
    username: String,
    #[serde(default)]
    password: Password,
    #[serde(default)]
    password_hash: String,
}

#[derive(Deserialize)]
pub(super) struct Policies {
    username: String,
    policies: Option<Vec<String>>,
    token_policies: Option<Vec<String>>,
}

#[derive(Deserialize)]
pub(super) struct Wish {
    #[serde(flatten)]
    credentials: Credentials,
    #[serde(flatten)]
    token: TokenInput,
    #[serde(flatten)]
    older: OlderNames,
}

impl Credentials {
    /// What to store, if something was given.
    async fn hash(self) -> Result<Option<PasswordHash>> {
        match (self.password.is_empty(), self.password_hash.is_empty()) {
            (true, true) => Ok(None),
            (false, true) => PasswordHash::of(self.password).await.map(Some),
            (true, false) => PasswordHash::given(self.password_hash).map(Some),
            (false, false) => {
                Err(Error::refused("\"password\" and \"password_hash\" cannot be supplied together"))
            }
        }
    }
}

/// The older names count where the newer are not used, and are remembered there.
fn token_of(
    user: &TokenParams,
    mut input: TokenInput,
    older: OlderNames,
    known: &OlderNames,
) -> Result<(TokenParams, OlderNames)> {
    let mut remembered = known.clone();
    let take = |newer: &mut Option<u64>, older: Option<u64>, remembered: &mut Option<u64>| {
        if newer.is_some() {
            *remembered = None;
        } else if older.is_some() {
            (*newer, *remembered) = (older, older);
        }
    };
    take(&mut input.token_ttl, older.ttl, &mut remembered.ttl);
    take(&mut input.token_max_ttl, older.max_ttl, &mut remembered.max_ttl);
    let take = |newer: &mut Option<Vec<String>>, older: Option<Vec<String>>, remembered: &mut Option<_>| {
        if newer.is_some() {
            *remembered = None;
        } else if older.is_some() {
            newer.clone_from(&older);
            *remembered = older;
        }
    };
    take(&mut input.token_policies, older.policies, &mut remembered.policies);
    take(&mut input.token_bound_cidrs, older.bound_cidrs, &mut remembered.bound_cidrs);
    Ok((user.changed(input)?, remembered))
}

impl Userpass {
    pub(super) async fn list(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        let prefix: Prefix = USERS.parse()?;
        Ok(Some(Response::keys(&self.host.storage.list(&prefix).await?)))
    }

    pub(super) async fn exists(self: Arc<Self>, _: Request, named: Named) -> Result<bool> {
        Ok(self.user(&named.username).await?.is_some())
    }

    pub(super) async fn read(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let Some(user) = self.user(&named.username).await? else { return Ok(None) };
        Response::json(&UserView { token: &user.token, older: &user.older }).map(Some)
    }

    pub(super) async fn write(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        let name = wish.credentials.username.clone();
        // Hashed before its turn: that takes long.
        let hash = wish.credentials.hash().await?;
        let _turn = self.changing.lock().await;
        let known = self.user(&name).await?;
        let Some(password) = hash.or_else(|| known.as_ref().map(|user| user.password.clone())) else {
            return Err(Error::refused("\"password\" or \"password_hash\" must be supplied"));
        };
        let (token, older) = known.map(|user| (user.token, user.older)).unwrap_or_default();
        let (token, older) = token_of(&token, wish.token, wish.older, &older)?;
        self.save(&name, &User { password, token, older }).await
    }

    pub(super) async fn delete(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let _turn = self.changing.lock().await;
        self.host.storage.delete(key(&named.username)?).await?;
        Ok(None)
    }

    pub(super) async fn change_password(self: Arc<Self>, _: Request, credentials: Credentials) -> Outcome {
        let name = credentials.username.clone();
        let Some(password) = credentials.hash().await? else {
            return Err(Error::refused("\"password\" or \"password_hash\" must be supplied"));
        };
        let _turn = self.changing.lock().await;
        let user = self.user(&name).await?.ok_or_else(nobody)?;
        self.save(&name, &User { password, ..user }).await
    }

    pub(super) async fn change_policies(self: Arc<Self>, _: Request, wish: Policies) -> Outcome {
        let _turn = self.changing.lock().await;
        let user = self.user(&wish.username).await?.ok_or_else(nobody)?;
        let input = TokenInput { token_policies: wish.token_policies, ..TokenInput::default() };
        let older = OlderNames { policies: wish.policies, ..OlderNames::default() };
        let (token, older) = token_of(&user.token, input, older, &user.older)?;
        self.save(&wish.username, &User { token, older, ..user }).await
    }

    pub(super) async fn user(&self, name: &str) -> Result<Option<User>> {
        let Some(stored) = self.host.storage.get(&key(name)?).await? else { return Ok(None) };
        let user = serde_json::from_slice(&stored);
        user.map(Some).map_err(|error| Error::Internal(format!("the record of the user is damaged: {error}")))
    }

    async fn save(&self, name: &str, user: &User) -> Outcome {
        let value = serde_json::to_vec(user).map_err(|error| Error::Internal(error.to_string()))?;
        self.host.storage.put(key(name)?, value.into()).await?;
        Ok(None)
    }
}

fn nobody() -> Error {
    Error::Other("username does not exist".to_owned())
}

/// Names are the same however they are written.
fn key(name: &str) -> Result<Key> {
    Ok(format!("{USERS}{}", name.to_lowercase()).parse()?)
}
