use std::{net::IpAddr, time::Duration};

use domain::{Kind, MountEntry, Token, format_go_duration};
use ipnet::IpNet;
use serde::Serialize;
use wire::pb;

use super::{TokenEntry, TokenKind, create_vouched, store::new_accessor};
use crate::{core::Active, error::Result, identity::Shown};

/// Why a login does not yield a token, though its plugin says yes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// The plugin names an identity and does not say which.
    #[error("missing name in alias")]
    NoAliasName,
    /// Root is never given away.
    #[error("auth methods cannot create root tokens")]
    Root,
    /// A batch token is nowhere but with its holder.
    #[error("batch tokens cannot be revoked")]
    RevokeBatch,
    /// A token that its maker has chosen, and that is there already.
    #[error("cannot create a token with a duplicate ID")]
    Duplicate,
    /// Nobody would count its uses.
    #[error("batch tokens cannot have \"num_uses\" set")]
    BatchUses,
    /// The plugin binds the token to something that is no network.
    #[error("the auth method bound the token to {0:?}, which is neither an address nor a network")]
    BoundCidr(String),
    /// A login anywhere but at a login path.
    #[error("unexpected authentication in the answer of a path that is not for logins")]
    Unexpected,
}

impl Refused {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::NoAliasName | Self::Root | Self::RevokeBatch | Self::Duplicate | Self::BatchUses => {
                Kind::Invalid
            }
            Self::BoundCidr(_) | Self::Unexpected => Kind::Internal,
        }
    }
}

/// Where somebody logs in, and what the mount allows there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Login<'r> {
    /// `auth/userpass/`.
    pub(crate) mount: &'r str,
    /// `auth/userpass/login/bob`.
    pub(crate) path: &'r str,
    /// As the mount is tuned.
    pub(crate) token_type: &'r str,
    pub(crate) default_ttl: Duration,
    pub(crate) max_ttl: Duration,
}

/// The token that was made, as the answer shows it.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    /// The `auth` member, in JSON.
    pub(crate) auth: Vec<u8>,
    pub(crate) warnings: Vec<String>,
}

#[derive(Serialize)]
struct AuthView<'a> {
    client_token: &'a str,
    accessor: &'a str,
    policies: &'a [String],
    token_policies: &'a [String],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    identity_policies: &'a [String],
    metadata: &'a Option<std::collections::BTreeMap<String, String>>,
    lease_duration: u64,
    renewable: bool,
    entity_id: &'a str,
    token_type: &'a str,
    orphan: bool,
    mfa_requirement: Option<()>,
    num_uses: i64,
}

/// Makes a token for somebody whom a plugin vouches for.
pub(crate) async fn log_in(
    active: &Active,
    mount: &MountEntry,
    login: Login<'_>,
    auth: pb::Auth,
) -> Result<LoggedIn> {
    let shown = auth.alias.clone().map(|alias| Shown::new(mount, alias, auth.group_aliases.clone()));
    let (mut entry, warnings) = entry_of(login, &auth, new_accessor()?)?;
    // Nobody becomes somebody by a login that is refused.
    let mut identity_policies = Vec::new();
    if let Some(shown) = shown {
        let standing = active.identity.log_in(shown).await?;
        entry.entity_id = standing.entity_id().to_owned();
        identity_policies = standing.policies().to_vec();
    }
    let mut policies = [entry.policies.as_slice(), &identity_policies].concat();
    policies.sort();
    policies.dedup();
    let token: Token = create_vouched(active, &entry, &auth).await?;
    let view = AuthView {
        client_token: token.expose(),
        accessor: &entry.accessor,
        policies: &policies,
        token_policies: &entry.policies,
        identity_policies: &identity_policies,
        metadata: &entry.meta,
        lease_duration: entry.ttl,
        renewable: entry.renewable,
        entity_id: &entry.entity_id,
        token_type: entry.kind.word(),
        orphan: entry.orphan(),
        mfa_requirement: None,
        num_uses: entry.num_uses,
    };
    let auth = serde_json::to_vec(&view).expect("our own answers have a form in JSON");
    Ok(LoggedIn { auth, warnings })
}

/// What a plugin says is checked as a caller's input would be: it cannot grant more than its mount allows.
fn entry_of(
    login: Login<'_>,
    auth: &pb::Auth,
    accessor: String,
) -> std::result::Result<(TokenEntry, Vec<String>), Refused> {
    if auth.alias.as_ref().is_some_and(|alias| alias.name.is_empty()) {
        return Err(Refused::NoAliasName);
    }
    let kind = kind(login.token_type, auth.token_type);
    let batch = kind == TokenKind::Batch;
    if batch && auth.num_uses > 0 {
        return Err(Refused::BatchUses);
    }
    let policies = policies(auth)?;
    let bound_cidrs = auth.bound_cidrs.iter().map(|range| network(range)).collect::<Result<_, _>>()?;
    let (ttl, warnings) = ttl(login, auth);
    let prefix = login.mount.trim_start_matches("auth/").trim_end_matches('/').replace('/', "-");
    let name = if auth.display_name.is_empty() { prefix } else { format!("{prefix}-{}", auth.display_name) };
    let entry = TokenEntry {
        kind,
        policies,
        meta: (!auth.metadata.is_empty()).then(|| auth.metadata.clone().into_iter().collect()),
        display_name: name,
        num_uses: auth.num_uses.max(0),
        ttl: ttl.as_secs().max(1),
        explicit_max_ttl: nanos(auth.explicit_max_ttl).as_secs(),
        period: if batch { 0 } else { nanos(auth.period).as_secs() },
        renewable: !batch && auth.lease_options.is_some_and(|lease| lease.renewable),
        bound_cidrs,
        ..TokenEntry::at(login.path, if batch { String::new() } else { accessor })
    };
    Ok((entry, warnings))
}

/// The mount's setting wins; one that only says what is usual leaves the choice to the plugin.
fn kind(mount: &str, plugin: u32) -> TokenKind {
    let batch = match (mount, plugin) {
        ("batch", _) => true,
        ("service", _) | (_, 1) => false,
        (_, 2) => true,
        (_, 3 | 4) => plugin == 4,
        (usual, _) => usual == "default-batch",
    };
    if batch { TokenKind::Batch } else { TokenKind::Service }
}

fn policies(auth: &pb::Auth) -> Result<Vec<String>, Refused> {
    let given = auth.policies.iter().chain(&auth.token_policies);
    let mut policies: Vec<String> = given.map(|name| name.trim().to_lowercase()).collect();
    policies.retain(|name| !name.is_empty());
    if !auth.no_default_policy {
        policies.push("default".to_owned());
    }
    policies.sort();
    policies.dedup();
    if policies.iter().any(|name| name == "root") { Err(Refused::Root) } else { Ok(policies) }
}

fn network(text: &str) -> Result<IpNet, Refused> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse().or_else(|_| address()).map_err(|_| Refused::BoundCidr(text.to_owned()))
}

fn ttl(login: Login<'_>, auth: &pb::Auth) -> (Duration, Vec<String>) {
    let lease = auth.lease_options.unwrap_or_default();
    let limits = [nanos(lease.max_ttl), nanos(auth.explicit_max_ttl)];
    let limits = limits.into_iter().filter(|limit| !limit.is_zero());
    let max = limits.fold(login.max_ttl, Duration::min);
    let period = nanos(auth.period);
    let (wanted, capped) = match (period.is_zero(), nanos(lease.ttl)) {
        (false, _) => (period, "period of"),
        (true, ttl) if ttl.is_zero() => (login.default_ttl, ""),
        (true, ttl) => (ttl, "TTL of"),
    };
    if wanted <= max {
        return (wanted, Vec::new());
    }
    let (what, value) = match capped {
        "" => return (max, Vec::new()),
        "period of" => (capped, "period value"),
        _ => (capped, "TTL value"),
    };
    let warning = format!(
        "{what} {:?} exceeded the effective max_ttl of {:?}; {value} is capped accordingly",
        short(wanted),
        short(max)
    );
    (max, vec![warning])
}

fn nanos(count: i64) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(0))
}

/// `1h` where Go would write `1h0m0s`.
fn short(duration: Duration) -> String {
    let long = format_go_duration(duration);
    let shorter = if long.ends_with("m0s") { long.trim_end_matches("0s") } else { &long };
    let shortest = if shorter.ends_with("h0m") { shorter.trim_end_matches("0m") } else { shorter };
    shortest.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const LOGIN: Login<'_> = Login {
        mount: "auth/userpass/",
        path: "auth/userpass/login/bob",
        token_type: "default-service",
        default_ttl: HOUR,
        max_ttl: Duration::from_secs(4 * 3600),
    };

    fn made(auth: pb::Auth) -> Result<TokenEntry, Refused> {
        entry_of(LOGIN, &auth, "accessor".to_owned()).map(|(entry, _)| entry)
    }

    fn with_policies(policies: &[&str]) -> pb::Auth {
        pb::Auth { policies: policies.iter().map(|&name| name.to_owned()).collect(), ..pb::Auth::default() }
    }

    #[test]
    fn a_login_gets_its_policies_sorted_with_default_and_never_root() {
        assert_eq!(made(with_policies(&["Web ", "app", "app"])).unwrap().policies, ["app", "default", "web"]);
        for name in ["root", " ROOT", "Root\t"] {
            assert_eq!(made(with_policies(&[name])), Err(Refused::Root), "{name:?}");
        }
        let without = pb::Auth { no_default_policy: true, ..with_policies(&["app"]) };
        assert_eq!(made(without).unwrap().policies, ["app"]);
    }

    #[test]
    fn its_name_and_path_say_where_it_logged_in() {
        let entry = made(pb::Auth { display_name: "bob".to_owned(), ..pb::Auth::default() }).unwrap();
        assert_eq!(entry.display_name, "userpass-bob");
        assert_eq!(entry.path, "auth/userpass/login/bob");
    }

    #[test]
    fn a_plugin_cannot_give_a_longer_life_than_its_mount() {
        let lease = |ttl: Duration, max: Duration| pb::LeaseOptions {
            ttl: i64::try_from(ttl.as_nanos()).unwrap(),
            max_ttl: i64::try_from(max.as_nanos()).unwrap(),
            ..pb::LeaseOptions::default()
        };
        for (ttl, max, expected) in [
            (Duration::ZERO, Duration::ZERO, HOUR),
            (2 * HOUR, Duration::ZERO, 2 * HOUR),
            (9 * HOUR, Duration::ZERO, 4 * HOUR),
            (3 * HOUR, 2 * HOUR, 2 * HOUR),
        ] {
            let auth = pb::Auth { lease_options: Some(lease(ttl, max)), ..pb::Auth::default() };
            assert_eq!(made(auth).unwrap().ttl, expected.as_secs());
        }
        let auth = pb::Auth { lease_options: Some(lease(9 * HOUR, HOUR / 2)), ..pb::Auth::default() };
        let (_, warnings) = entry_of(LOGIN, &auth, String::new()).unwrap();
        assert_eq!(
            warnings,
            [r#"TTL of "9h" exceeded the effective max_ttl of "30m"; TTL value is capped accordingly"#]
        );
    }

    #[test]
    fn a_batch_token_is_made_where_plugin_or_mount_says_so() {
        let batch = || pb::Auth { token_type: 2, ..pb::Auth::default() };
        let entry = made(batch()).unwrap();
        assert_eq!((entry.kind, entry.renewable, entry.accessor.as_str()), (TokenKind::Batch, false, ""));
        assert_eq!(made(pb::Auth { num_uses: 1, ..batch() }), Err(Refused::BatchUses));
        for (mount, plugin, expected) in [
            ("default-service", 0, TokenKind::Service),
            ("default-service", 4, TokenKind::Batch),
            ("default-batch", 0, TokenKind::Batch),
            ("default-batch", 3, TokenKind::Service),
            ("service", 2, TokenKind::Service),
            ("batch", 1, TokenKind::Batch),
        ] {
            assert_eq!(kind(mount, plugin), expected, "{mount} {plugin}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        let alias = pb::Auth { alias: Some(wire::logical::Alias::default()), ..pb::Auth::default() };
        assert_eq!(made(alias), Err(Refused::NoAliasName));
        let bound = pb::Auth { bound_cidrs: vec!["everywhere".to_owned()], ..pb::Auth::default() };
        assert_eq!(made(bound), Err(Refused::BoundCidr("everywhere".to_owned())));
    }
}
