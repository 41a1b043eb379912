use std::{collections::HashMap, time::Duration};

use serde::{Deserialize, Serialize};
use tenon::{
    Auth, Error, LeaseOptions, Result,
    framework::{Path, field},
};

use super::Networks;

/// How the tokens of a login are made: the `token_*` fields that every auth method has. Times are whole seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct TokenParams {
    pub(crate) token_bound_cidrs: Vec<String>,
    pub(crate) token_explicit_max_ttl: u64,
    pub(crate) token_max_ttl: u64,
    pub(crate) token_no_default_policy: bool,
    pub(crate) token_num_uses: i64,
    pub(crate) token_period: u64,
    pub(crate) token_policies: Vec<String>,
    pub(crate) token_ttl: u64,
    pub(crate) token_type: TokenType,
}

/// Which sort of token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum TokenType {
    #[default]
    Default,
    Service,
    Batch,
    DefaultService,
    DefaultBatch,
}

/// What a request says of them.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct TokenInput {
    pub(crate) token_bound_cidrs: Option<Vec<String>>,
    pub(crate) token_explicit_max_ttl: Option<u64>,
    pub(crate) token_max_ttl: Option<u64>,
    pub(crate) token_no_default_policy: Option<bool>,
    pub(crate) token_num_uses: Option<i64>,
    pub(crate) token_period: Option<u64>,
    pub(crate) token_policies: Option<Vec<String>>,
    pub(crate) token_ttl: Option<u64>,
    pub(crate) token_type: Option<String>,
}

/// The path with the fields that say how tokens are made.
pub(crate) fn with_token_fields<S: Send + Sync + 'static>(path: Path<S>) -> Path<S> {
    path.field("token_bound_cidrs", field::comma_list("Networks that the token can be used from."))
        .field("token_explicit_max_ttl", field::seconds("The life of a token at most, whatever else is set."))
        .field("token_max_ttl", field::seconds("How long a token can live, renewals included."))
        .field("token_no_default_policy", field::bool("Leaves the policy `default` out."))
        .field("token_num_uses", field::int("How often a token can be used; 0: without limit."))
        .field(
            "token_period",
            field::seconds("Makes tokens that live as long as they are renewed within it."),
        )
        .field("token_policies", field::comma_list("The policies of the token."))
        .field("token_ttl", field::seconds("How long a token lives at first."))
        .field("token_type", field::string("`default`, `service` or `batch`."))
}

impl TokenType {
    fn parse(text: &str) -> Result<Self> {
        match text {
            "" | "default" => Ok(Self::Default),
            "service" => Ok(Self::Service),
            "batch" => Ok(Self::Batch),
            "default-service" => Ok(Self::DefaultService),
            "default-batch" => Ok(Self::DefaultBatch),
            other => Err(Error::refused(format!("invalid 'token_type' value {other:?}"))),
        }
    }

    /// The number of the plugin protocol.
    const fn number(self) -> u32 {
        match self {
            Self::Default => 0,
            Self::Service => 1,
            Self::Batch => 2,
            Self::DefaultService => 3,
            Self::DefaultBatch => 4,
        }
    }

    const fn is_batch(self) -> bool {
        matches!(self, Self::Batch | Self::DefaultBatch)
    }
}

impl TokenParams {
    /// These, changed as a request says.
    ///
    /// # Errors
    /// Values that make no sense, alone or together.
    pub(crate) fn changed(&self, input: TokenInput) -> Result<Self> {
        let mut next = self.clone();
        if let Some(cidrs) = input.token_bound_cidrs {
            next.token_bound_cidrs = Networks::checked("token_bound_cidrs", cidrs)?;
        }
        if let Some(policies) = input.token_policies {
            next.token_policies = normalised(policies);
        }
        if let Some(written) = input.token_type {
            next.token_type = TokenType::parse(&written)?;
        }
        let set = |to: &mut u64, from: Option<u64>| *to = from.unwrap_or(*to);
        set(&mut next.token_explicit_max_ttl, input.token_explicit_max_ttl);
        set(&mut next.token_max_ttl, input.token_max_ttl);
        set(&mut next.token_period, input.token_period);
        set(&mut next.token_ttl, input.token_ttl);
        next.token_no_default_policy = input.token_no_default_policy.unwrap_or(next.token_no_default_policy);
        next.token_num_uses = input.token_num_uses.unwrap_or(next.token_num_uses);
        next.check().map_err(Error::refused)?;
        Ok(next)
    }

    fn check(&self) -> Result<(), &'static str> {
        if self.token_max_ttl > 0 && self.token_ttl > self.token_max_ttl {
            return Err("'token_ttl' cannot be greater than 'token_max_ttl'");
        }
        if self.token_num_uses < 0 {
            return Err("'token_num_uses' cannot be negative");
        }
        if self.token_type.is_batch() && self.token_num_uses > 0 {
            return Err(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
            );
        }
        if self.token_type.is_batch() && self.token_period > 0 {
            return Err(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
            );
        }
        Ok(())
    }

    /// A login that gets such a token.
    pub(crate) fn login(&self, metadata: HashMap<String, String>) -> Auth {
        Auth {
            lease: self.lease(),
            policies: self.token_policies.clone(),
            metadata,
            period: Duration::from_secs(self.token_period),
            explicit_max_ttl: Duration::from_secs(self.token_explicit_max_ttl),
            num_uses: self.token_num_uses,
            bound_cidrs: self.token_bound_cidrs.clone(),
            token_type: self.token_type.number(),
            no_default_policy: self.token_no_default_policy,
            ..Auth::default()
        }
    }

    /// A login that is renewed: it lasts as the settings say now.
    pub(crate) fn renewed(&self, auth: Auth) -> Auth {
        let lease = LeaseOptions { increment: auth.lease.increment, ..self.lease() };
        Auth { lease, period: Duration::from_secs(self.token_period), ..auth }
    }

    fn lease(&self) -> LeaseOptions {
        LeaseOptions {
            ttl: Duration::from_secs(self.token_ttl),
            max_ttl: Duration::from_secs(self.token_max_ttl),
            renewable: true,
            ..LeaseOptions::default()
        }
    }

    /// Whether a login has just the policies that it would get today.
    pub(crate) fn has_policies_of(&self, auth: &Auth) -> bool {
        let sorted = |policies: &[String]| {
            let mut policies = normalised(policies.to_vec());
            policies.retain(|policy| policy != "default");
            policies.sort();
            policies.dedup();
            policies
        };
        let then = if auth.token_policies.is_empty() { &auth.policies } else { &auth.token_policies };
        sorted(&self.token_policies) == sorted(then)
    }
}

/// Names of policies are in lower case.
pub(crate) fn normalised(policies: Vec<String>) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(policies.len());
    for name in policies.iter().map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(json: &str) -> TokenInput {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_a_request_does_not_say_stays() {
        let first = TokenParams::default()
            .changed(input(r#"{"token_ttl":60,"token_policies":["App","app"," x "],"token_type":"batch"}"#))
            .unwrap();
        assert_eq!(first.token_policies, ["app", "x"]);
        let second = first.changed(input(r#"{"token_max_ttl":120}"#)).unwrap();
        assert_eq!((second.token_ttl, second.token_max_ttl, second.token_type), (60, 120, TokenType::Batch));
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for bad in [
            r#"{"token_type":"zz"}"#,
            r#"{"token_ttl":2,"token_max_ttl":1}"#,
            r#"{"token_num_uses":-1}"#,
            r#"{"token_num_uses":1,"token_type":"batch"}"#,
            r#"{"token_period":1,"token_type":"default-batch"}"#,
            r#"{"token_bound_cidrs":["here"]}"#,
        ] {
            assert!(TokenParams::default().changed(input(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn policies_are_compared_without_order_and_default() {
        let params = TokenParams { token_policies: vec!["b".into(), "a".into()], ..TokenParams::default() };
        let auth = |policies: &[&str]| Auth {
            token_policies: policies.iter().map(|&name| name.to_owned()).collect(),
            ..Auth::default()
        };
        assert!(params.has_policies_of(&auth(&["a", "b", "default"])));
        assert!(!params.has_policies_of(&auth(&["a"])));
    }
}
