//! Users that are made when they are asked for, and live as long as their lease.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tenon::{
    Belonging, Error, LeaseOptions, Request, Response, Result, Secret,
    database::{Change, NewUser, UpdateUser},
    framework::Outcome,
};
use tokio::sync::oneshot;

use super::{
    Databases,
    certificate::Subject,
    configs::Named,
    role::{Role, told},
};

/// What its leases are called.
pub(super) const LEASES: &str = "creds";

/// A user outlives its lease by this: the lease is written a moment later.
const LONGER: Duration = Duration::from_secs(5);

/// What a lease remembers of its user.
#[derive(Clone, Serialize, Deserialize)]
struct Remembered {
    secret_type: String,
    username: String,
    role: String,
    #[serde(default)]
    db_name: String,
    #[serde(default)]
    revocation_statements: Option<Vec<String>>,
}

impl Remembered {
    fn of(request: &Request) -> Result<Self> {
        let secret = request.secret.as_ref().ok_or(Error::InvalidRequest)?;
        let damaged = |_| Error::Internal("the lease does not say which user it is of".to_owned());
        serde_json::from_slice(&secret.internal_data).map_err(damaged)
    }
}

impl Databases {
    /// A reader may leave while the database works; the user is then made nevertheless, and would be without a lease.
    pub(super) async fn read_creds(self: Arc<Self>, request: Request, named: Named) -> Outcome {
        let (sender, made) = oneshot::channel();
        let making = async move {
            let outcome = self.make_user(&request, &named.name).await;
            if let Err(Ok((_, remembered))) = sender.send(outcome)
                && let Err(error) = self.remove_user(&remembered).await
            {
                let user = remembered.username;
                tracing::error!(user, %error, "nobody waits for a user that was made, and it cannot be removed");
            }
        };
        tokio::spawn(making.carried());
        let cut_off = |_| Error::Internal("the making of a user was cut off".to_owned());
        made.await.map_err(cut_off)?.map(|(response, _)| Some(response))
    }

    async fn make_user(&self, request: &Request, name: &str) -> Result<(Response, Remembered)> {
        let unknown = || Error::refused(format!("unknown role: {name}"));
        let role = self.role(name).await?.ok_or_else(unknown)?;
        let config = self.known_config(&role.db_name).await?;
        config.allow(name)?;
        config.support(role.credentials.kind()?)?;
        let until = SystemTime::now() + self.ttl(&role, Duration::ZERO, None) + LONGER;
        let subject =
            Subject { display_name: request.display_name.clone(), role_name: name.to_owned(), until };
        let secret = role.credentials.recipe()?.make(&self.host, &config.password_policy, subject).await?;
        let new_user = NewUser {
            display_name: request.display_name.clone(),
            role_name: name.to_owned(),
            statements: told(&role.creation_statements),
            rollback_statements: told(&role.rollback_statements),
            credential: secret.credential(),
            expiration: Some(until),
        };
        let username = self.connection(&role.db_name).await?.new_user(new_user).await?;
        let remembered = Remembered {
            secret_type: LEASES.to_owned(),
            username: username.clone(),
            role: name.to_owned(),
            db_name: role.db_name.clone(),
            revocation_statements: Some(role.revocation_statements.clone()),
        };
        let mut data = Map::from_iter([("username".to_owned(), Value::from(username))]);
        secret.tell(&mut data);
        Ok((leased(&role, Response::json(&data)?, &remembered)?, remembered))
    }

    /// How long a user may live from now on.
    fn ttl(&self, role: &Role, increment: Duration, issued: Option<SystemTime>) -> Duration {
        let or = |own: Duration, other| if own.is_zero() { other } else { own };
        let longest = self.host.system.max_lease_ttl();
        let max = or(Duration::from_secs(role.max_ttl), longest).min(longest);
        let default = or(Duration::from_secs(role.default_ttl), self.host.system.default_lease_ttl());
        let age = issued.and_then(|issued| issued.elapsed().ok()).unwrap_or_default();
        or(increment, default).min(max.saturating_sub(age))
    }

    pub(super) async fn renew(self: Arc<Self>, request: Request) -> Outcome {
        let remembered = Remembered::of(&request)?;
        let name = &remembered.role;
        let gone = || Error::Other(format!("error during renew: could not find role with name {name:?}"));
        let role = self.role(name).await?.ok_or_else(gone)?;
        let lease = request.secret.map(|secret| secret.lease).unwrap_or_default();
        let ttl = self.ttl(&role, lease.increment, lease.issue_time);
        if !ttl.is_zero() {
            let to = SystemTime::now() + ttl + LONGER;
            let update = UpdateUser {
                username: remembered.username.clone(),
                expiration: Some(Change { to, statements: told(&role.renew_statements) }),
                ..UpdateUser::default()
            };
            self.connection(&role.db_name).await?.update_user(update).await?;
        }
        leased(&role, Response::default(), &remembered).map(Some)
    }

    pub(super) async fn revoke(self: Arc<Self>, request: Request) -> Outcome {
        self.remove_user(&Remembered::of(&request)?).await?;
        Ok(None)
    }

    /// By what the role says now; if there is none any more, by what it said then.
    async fn remove_user(&self, remembered: &Remembered) -> Result<()> {
        let (db_name, statements) = match self.role(&remembered.role).await? {
            Some(role) => (role.db_name, role.revocation_statements),
            None => {
                (remembered.db_name.clone(), remembered.revocation_statements.clone().unwrap_or_default())
            }
        };
        let connection = self.connection(&db_name).await?;
        Ok(connection.delete_user(&remembered.username, told(&statements)).await?)
    }
}

fn leased(role: &Role, response: Response, remembered: &Remembered) -> Result<Response> {
    let internal_data =
        serde_json::to_vec(remembered).map_err(|error| Error::Internal(error.to_string()))?.into();
    let lease = LeaseOptions {
        ttl: Duration::from_secs(role.default_ttl),
        max_ttl: Duration::from_secs(role.max_ttl),
        renewable: true,
        ..LeaseOptions::default()
    };
    let secret = Secret { lease, internal_data, ..Secret::default() };
    Ok(Response { secret: Some(secret), ..response })
}
