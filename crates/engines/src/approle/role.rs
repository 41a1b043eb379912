use serde::{Deserialize, Serialize};
use tenon::{Error, Result};
use uuid::Uuid;

use crate::auth::{Networks, TokenInput, TokenParams};

/// What is stored of a role. Times are whole seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) name: String,
    pub(super) role_id: String,
    /// Part of the place of its secret ids: a role of the same name that is made later has none of them.
    pub(super) uuid: Uuid,
    #[serde(flatten)]
    pub(super) settings: Settings,
}

/// What operators set, in the order that they read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) bind_secret_id: bool,
    pub(super) local_secret_ids: bool,
    pub(super) secret_id_bound_cidrs: Option<Vec<String>>,
    pub(super) secret_id_num_uses: i64,
    pub(super) secret_id_ttl: u64,
    #[serde(flatten)]
    pub(super) token: TokenParams,
}

/// What a request says of them.
#[derive(Default, Deserialize)]
pub(super) struct SettingsInput {
    pub(super) bind_secret_id: Option<bool>,
    pub(super) local_secret_ids: Option<bool>,
    pub(super) secret_id_bound_cidrs: Option<Vec<String>>,
    pub(super) bound_cidr_list: Option<Vec<String>>,
    pub(super) secret_id_num_uses: Option<i64>,
    pub(super) secret_id_ttl: Option<u64>,
    pub(super) policies: Option<Vec<String>>,
    pub(super) period: Option<u64>,
    #[serde(flatten)]
    pub(super) token: TokenInput,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            bind_secret_id: true,
            local_secret_ids: false,
            secret_id_bound_cidrs: None,
            secret_id_num_uses: 0,
            secret_id_ttl: 0,
            token: TokenParams::default(),
        }
    }
}

impl Settings {
    /// These, changed as a request says.
    ///
    /// # Errors
    /// Values that make no sense, alone or together.
    pub(super) fn changed(&self, mut input: SettingsInput) -> Result<Self> {
        input.token.token_policies = input.token.token_policies.or(input.policies);
        input.token.token_period = input.token.token_period.or(input.period);
        let cidrs = input.secret_id_bound_cidrs.or(input.bound_cidr_list);
        let cidrs = cidrs.map(|cidrs| Networks::checked("secret_id_bound_cidrs", cidrs)).transpose()?;
        let next = Self {
            bind_secret_id: input.bind_secret_id.unwrap_or(self.bind_secret_id),
            local_secret_ids: input.local_secret_ids.unwrap_or(self.local_secret_ids),
            secret_id_bound_cidrs: match cidrs {
                Some(cidrs) => Some(cidrs).filter(|cidrs| !cidrs.is_empty()),
                None => self.secret_id_bound_cidrs.clone(),
            },
            secret_id_num_uses: input.secret_id_num_uses.unwrap_or(self.secret_id_num_uses),
            secret_id_ttl: input.secret_id_ttl.unwrap_or(self.secret_id_ttl),
            token: self.token.changed(input.token)?,
        };
        if next.secret_id_num_uses < 0 {
            return Err(Error::refused("secret_id_num_uses cannot be negative"));
        }
        if !next.bind_secret_id
            && next.secret_id_bound_cidrs.is_none()
            && next.token.token_bound_cidrs.is_empty()
        {
            return Err(Error::refused("at least one constraint should be enabled on the role"));
        }
        Ok(next)
    }

    pub(super) fn bound_cidrs(&self) -> &[String] {
        self.secret_id_bound_cidrs.as_deref().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(body: &str) -> Result<Settings> {
        Settings::default().changed(serde_json::from_str(body).unwrap())
    }

    #[test]
    fn older_names_count_where_the_newer_are_not_used() {
        let settings = changed(r#"{"policies":["a"],"period":60,"bound_cidr_list":["10.0.0.0/8"]}"#).unwrap();
        assert_eq!((settings.token.token_policies, settings.token.token_period), (vec!["a".to_owned()], 60));
        assert_eq!(settings.secret_id_bound_cidrs.unwrap(), ["10.0.0.0/8"]);
        let both = changed(r#"{"policies":["a"],"token_policies":["b"]}"#).unwrap();
        assert_eq!(both.token.token_policies, ["b"]);
    }

    #[test]
    fn a_role_that_anybody_could_use_is_refused() {
        assert!(changed(r#"{"bind_secret_id":false}"#).is_err());
        assert!(changed(r#"{"bind_secret_id":false,"secret_id_bound_cidrs":["10.0.0.0/8"]}"#).is_ok());
        assert!(changed(r#"{"secret_id_num_uses":-1}"#).is_err());
    }
}
