use std::{collections::HashMap, sync::Arc};

use serde::Deserialize;
use tenon::{Alias, Auth, Error, Request, Response, framework::Outcome};

use super::{
    Userpass,
    password::{Password, PasswordHash},
};
use crate::auth::{admits, wrong_credentials};

#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    #[serde(default)]
    password: Password,
}

impl Userpass {
    /// Who would log in: hosts ask before, to see whether the user is locked out.
    pub(super) async fn look_ahead(self: Arc<Self>, _: Request, login: Login) -> Outcome {
        let auth = Auth { alias: Some(alias(login.username.to_lowercase())), ..Auth::default() };
        Ok(Some(Response { auth: Some(auth), ..Response::default() }))
    }

    pub(super) async fn log_in(self: Arc<Self>, request: Request, login: Login) -> Outcome {
        let name = login.username.to_lowercase();
        if login.password.is_empty() {
            return Err(Error::Other("invalid credentials".to_owned()));
        }
        let user = self.user(&name).await?;
        let hash = user.as_ref().map(|user| user.password.clone());
        let right = PasswordHash::is_of(hash, login.password).await;
        let Some(user) = user.filter(|_| right) else {
            return Err(wrong_credentials("invalid username or password"));
        };
        if !admits(&user.token.token_bound_cidrs, request.connection.as_ref()) {
            return Err(Error::PermissionDenied);
        }
        let metadata = HashMap::from([("username".to_owned(), name.clone())]);
        let auth =
            Auth { display_name: name.clone(), alias: Some(alias(name)), ..user.token.login(metadata) };
        Ok(Some(Response { auth: Some(auth), ..Response::default() }))
    }

    /// A login of somebody who is no user any more is not renewed, and not an error.
    pub(super) async fn renew(self: Arc<Self>, request: Request) -> Outcome {
        let auth = request.auth.ok_or_else(|| Error::Other("request auth was nil".to_owned()))?;
        let name = auth.metadata.get("username").cloned().unwrap_or_default();
        if name.is_empty() {
            return Err(Error::Other("the login does not say whose it is".to_owned()));
        }
        let Some(user) = self.user(&name).await? else { return Ok(None) };
        if !user.token.has_policies_of(&auth) {
            return Err(Error::Other("policies have changed, not renewing".to_owned()));
        }
        Ok(Some(Response { auth: Some(user.token.renewed(auth)), ..Response::default() }))
    }
}

fn alias(name: String) -> Alias {
    Alias { name, ..Alias::default() }
}
