use std::time::Duration;

use domain::{RolePolicies, matches_glob, normalise};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use super::{TokenKind, TokenRefusal, network, wish::duration};
use crate::{error::Result, fields::Fields};

/// How tokens are made whose makers may use it. Times are whole seconds; zero: nothing said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Role {
    pub(super) allowed_policies: Vec<String>,
    pub(super) allowed_policies_glob: Vec<String>,
    pub(super) disallowed_policies: Vec<String>,
    pub(super) disallowed_policies_glob: Vec<String>,
    pub(super) allowed_entity_aliases: Option<Vec<String>>,
    pub(super) orphan: bool,
    pub(super) renewable: bool,
    pub(super) path_suffix: String,
    /// As older clients wrote it; shown to them, and else in `token_period`.
    period: u64,
    /// Likewise.
    explicit_max_ttl: u64,
    pub(super) token_period: u64,
    pub(super) token_explicit_max_ttl: u64,
    pub(super) token_no_default_policy: bool,
    pub(super) token_num_uses: i64,
    pub(super) token_bound_cidrs: Vec<IpNet>,
    token_type: RoleKind,
}

/// Of which kind its tokens are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RoleKind {
    Service,
    Batch,
    /// Unless their makers want the other.
    DefaultService,
    DefaultBatch,
}

/// A role as clients see it.
#[derive(Serialize)]
pub(super) struct RoleView<'r> {
    allowed_entity_aliases: &'r Option<Vec<String>>,
    allowed_policies: &'r [String],
    allowed_policies_glob: &'r [String],
    disallowed_policies: &'r [String],
    disallowed_policies_glob: &'r [String],
    explicit_max_ttl: u64,
    name: &'r str,
    orphan: bool,
    path_suffix: &'r str,
    period: u64,
    renewable: bool,
    #[serde(skip_serializing_if = "<[IpNet]>::is_empty")]
    token_bound_cidrs: &'r [IpNet],
    token_explicit_max_ttl: u64,
    token_no_default_policy: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_num_uses: Option<i64>,
    token_period: u64,
    token_type: RoleKind,
}

impl Default for Role {
    fn default() -> Self {
        Self {
            allowed_policies: Vec::new(),
            allowed_policies_glob: Vec::new(),
            disallowed_policies: Vec::new(),
            disallowed_policies_glob: Vec::new(),
            allowed_entity_aliases: None,
            orphan: false,
            renewable: true,
            path_suffix: String::new(),
            period: 0,
            explicit_max_ttl: 0,
            token_period: 0,
            token_explicit_max_ttl: 0,
            token_no_default_policy: false,
            token_num_uses: 0,
            token_bound_cidrs: Vec::new(),
            token_type: RoleKind::DefaultService,
        }
    }
}

impl Role {
    /// With what is said about it; the rest stays.
    pub(super) fn changed(mut self, fields: &Fields) -> Result<Self> {
        let names = |name| -> Result<_> { Ok(fields.list(name)?.map(normalise)) };
        set(&mut self.allowed_policies, names("allowed_policies")?);
        set(&mut self.allowed_policies_glob, names("allowed_policies_glob")?);
        set(&mut self.disallowed_policies, names("disallowed_policies")?);
        set(&mut self.disallowed_policies_glob, names("disallowed_policies_glob")?);
        if let Some(aliases) = fields.list("allowed_entity_aliases")? {
            self.allowed_entity_aliases = Some(aliases.iter().map(|alias| alias.to_lowercase()).collect());
        }
        set(&mut self.orphan, fields.flag("orphan")?);
        set(&mut self.renewable, fields.flag("renewable")?);
        set(&mut self.token_no_default_policy, fields.flag("token_no_default_policy")?);
        if let Some(uses) = fields.number("token_num_uses")? {
            self.token_num_uses = uses;
        }
        if let Some(suffix) = fields.text("path_suffix")? {
            self.path_suffix = checked_suffix(suffix)?;
        }
        twice(fields, "period", "token_period", (&mut self.period, &mut self.token_period))?;
        let limits = (&mut self.explicit_max_ttl, &mut self.token_explicit_max_ttl);
        twice(fields, "explicit_max_ttl", "token_explicit_max_ttl", limits)?;
        let cidrs = match fields.list("token_bound_cidrs")? {
            Some(cidrs) => Some(cidrs),
            None => fields.list("bound_cidrs")?,
        };
        if let Some(cidrs) = cidrs {
            self.token_bound_cidrs = cidrs.iter().map(|text| bound(text)).collect::<Result<_, _>>()?;
        }
        if let Some(word) = fields.text("token_type")? {
            self.token_type = RoleKind::parse(&word).ok_or(TokenRefusal::RoleKind(word))?;
        }
        self.check()?;
        Ok(self)
    }

    /// What a batch token cannot be, a role that makes batch tokens cannot ask for.
    fn check(&self) -> Result<(), TokenRefusal> {
        if self.token_num_uses < 0 {
            return Err(TokenRefusal::RoleUses);
        }
        if matches!(self.token_type, RoleKind::Batch | RoleKind::DefaultBatch) && self.token_num_uses != 0 {
            return Err(TokenRefusal::BatchRoleUses);
        }
        if self.token_type != RoleKind::Batch {
            return Ok(());
        }
        for (is_set, what) in [
            (!self.orphan, "non-orphan tokens"),
            (self.token_period != 0, "periodic tokens"),
            (self.renewable, "renewable tokens"),
            (self.token_explicit_max_ttl != 0, "tokens with an explicit max TTL"),
        ] {
            if is_set {
                return Err(TokenRefusal::BatchRole(what));
            }
        }
        Ok(())
    }

    pub(super) fn view<'r>(&'r self, name: &'r str) -> RoleView<'r> {
        RoleView {
            allowed_entity_aliases: &self.allowed_entity_aliases,
            allowed_policies: &self.allowed_policies,
            allowed_policies_glob: &self.allowed_policies_glob,
            disallowed_policies: &self.disallowed_policies,
            disallowed_policies_glob: &self.disallowed_policies_glob,
            explicit_max_ttl: self.explicit_max_ttl,
            name,
            orphan: self.orphan,
            path_suffix: &self.path_suffix,
            period: self.period,
            renewable: self.renewable,
            token_bound_cidrs: &self.token_bound_cidrs,
            token_explicit_max_ttl: self.token_explicit_max_ttl,
            token_no_default_policy: self.token_no_default_policy,
            token_num_uses: Some(self.token_num_uses).filter(|uses| *uses != 0),
            token_period: self.token_period,
            token_type: self.token_type,
        }
    }

    pub(super) fn policies(&self) -> RolePolicies<'_> {
        RolePolicies {
            allowed: &self.allowed_policies,
            allowed_globs: &self.allowed_policies_glob,
            disallowed: &self.disallowed_policies,
            disallowed_globs: &self.disallowed_policies_glob,
        }
    }

    /// Of which kind a token is whose maker wants that one, or none in particular.
    pub(super) fn kind(&self, wanted: Option<TokenKind>) -> TokenKind {
        match self.token_type {
            RoleKind::Service => TokenKind::Service,
            RoleKind::Batch => TokenKind::Batch,
            RoleKind::DefaultService => wanted.unwrap_or(TokenKind::Service),
            RoleKind::DefaultBatch => wanted.unwrap_or(TokenKind::Batch),
        }
    }

    /// Whether tokens may be made for whoever has that name, which is in lower case.
    pub(super) fn allows_alias(&self, alias: &str) -> bool {
        self.allowed_entity_aliases.iter().flatten().any(|glob| matches_glob(glob, alias))
    }
}

impl RoleKind {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "service" => Self::Service,
            "batch" => Self::Batch,
            "" | "default" | "default-service" => Self::DefaultService,
            "default-batch" => Self::DefaultBatch,
            _ => return None,
        })
    }
}

fn set<T>(slot: &mut T, new: Option<T>) {
    if let Some(new) = new {
        *slot = new;
    }
}

fn bound(text: &str) -> Result<IpNet, TokenRefusal> {
    network(text).ok_or_else(|| TokenRefusal::BoundCidr(text.to_owned()))
}

/// A time that has an old name and a new one. The old one sets both, the new one wins.
fn twice(fields: &Fields, old: &'static str, new: &'static str, slots: (&mut u64, &mut u64)) -> Result<()> {
    let (shown, counts) = slots;
    let read = |name| -> Result<Duration> { duration(fields, name, name) };
    if fields.has(new) {
        (*shown, *counts) = (0, read(new)?.as_secs());
    } else if fields.has(old) {
        let seconds = read(old)?.as_secs();
        (*shown, *counts) = (seconds, seconds);
    }
    Ok(())
}

/// Letters, digits and underscores; between the first and the last also hyphens and dots.
fn checked_suffix(suffix: String) -> Result<String, TokenRefusal> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let fits = match suffix.as_bytes() {
        [] => true,
        [first, middle @ .., last] if !middle.is_empty() => {
            word(first) && word(last) && middle.iter().all(|byte| word(byte) || b"-.".contains(byte))
        }
        _ => false,
    };
    if fits { Ok(suffix) } else { Err(TokenRefusal::Suffix) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(role: Role, body: &str) -> Result<Role> {
        role.changed(&Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_not_said_stays() {
        let role =
            changed(Role::default(), r#"{"orphan":true,"period":"1h","allowed_policies":"B,a"}"#).unwrap();
        assert_eq!((role.period, role.token_period), (3600, 3600));
        let role = changed(role, r#"{"token_period":"2h"}"#).unwrap();
        assert_eq!((role.period, role.token_period, role.orphan), (0, 7200, true));
        assert_eq!(role.allowed_policies, ["a", "b"]);
    }

    #[test]
    fn a_role_for_batch_tokens_asks_for_nothing_that_they_cannot_be() {
        let batch = r#""token_type":"batch""#;
        for (rest, what) in [
            ("", "non-orphan tokens"),
            (r#","orphan":true,"token_period":5"#, "periodic tokens"),
            (r#","orphan":true"#, "renewable tokens"),
            (
                r#","orphan":true,"renewable":false,"token_explicit_max_ttl":5"#,
                "tokens with an explicit max TTL",
            ),
        ] {
            let refused = changed(Role::default(), &format!("{{{batch}{rest}}}")).unwrap_err();
            let sentence = format!("'token_type' cannot be 'batch' when role is set to generate {what}");
            assert_eq!(refused.to_string(), sentence);
        }
        let role =
            changed(Role::default(), &format!(r#"{{{batch},"orphan":true,"renewable":false}}"#)).unwrap();
        assert_eq!(role.kind(Some(TokenKind::Service)), TokenKind::Batch);
    }

    #[test]
    fn nonsense_is_refused() {
        for (body, words) in [
            (r#"{"token_type":"zzz"}"#, r#"invalid 'token_type' value "zzz""#),
            (r#"{"token_bound_cidrs":"here"}"#, r#""here" is neither an address nor a network"#),
            (
                r#"{"path_suffix":"a/../b"}"#,
                r"given role path suffix contains invalid characters; must match \w[\w-.]+\w",
            ),
            (r#"{"token_num_uses":-1}"#, "'token_num_uses' cannot be negative"),
        ] {
            assert_eq!(changed(Role::default(), body).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn aliases_are_allowed_by_patterns_in_lower_case() {
        let role = changed(Role::default(), r#"{"allowed_entity_aliases":["Al*","bob"]}"#).unwrap();
        assert!(role.allows_alias("alice") && role.allows_alias("bob"));
        assert!(!role.allows_alias("mallory") && !Role::default().allows_alias("alice"));
    }
}
