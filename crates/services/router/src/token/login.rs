use std::time::Duration;

use bytes::Bytes;
use domain::{Kind, LeaseLimits, LeaseTerm, LeaseWish, MountEntry, PastMaxTtl, normalise};
use ipnet::IpNet;
use wire::pb;

use super::{TokenEntry, TokenKind, create_vouched, network, view};
use crate::{core::Active, error::Result, identity::Shown};

/// Why a login does not yield a token, though its plugin says yes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// The plugin names an identity and does not say which.
    #[error("missing name in alias")]
    NoAliasName,
    /// Logins are counted by who tries, and the plugin does not say who would.
    #[error("failed to determine alias name from login request")]
    Unnamed,
    /// Root is never given away.
    #[error("auth methods cannot create root tokens")]
    Root,
    /// Nobody would count its uses.
    #[error("batch tokens cannot have \"num_uses\" set")]
    BatchUses,
    /// Fewer uses than none would count as endless ones.
    #[error("number of uses cannot be negative")]
    NegativeUses,
    /// The plugin binds the token to something that is no network.
    #[error("the auth method bound the token to {0:?}, which is neither an address nor a network")]
    BoundCidr(String),
    /// It would end before it began.
    #[error(transparent)]
    PastMaxTtl(#[from] PastMaxTtl),
    /// A login anywhere but at a login path.
    #[error("unexpected authentication in the answer of a path that is not for logins")]
    Unexpected,
}

impl Refused {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::NoAliasName | Self::Unnamed | Self::Root | Self::BatchUses | Self::NegativeUses => {
                Kind::Invalid
            }
            Self::BoundCidr(_) | Self::PastMaxTtl(_) | Self::Unexpected => Kind::Internal,
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
    pub(crate) limits: LeaseLimits,
}

/// The token that was made, as the answer shows it.
#[derive(Debug)]
pub(crate) struct LoggedIn {
    /// The `auth` member, in JSON.
    pub(crate) auth: Bytes,
    pub(crate) warnings: Vec<String>,
}

/// Makes a token for somebody whom a plugin vouches for.
pub(crate) async fn log_in(
    active: &Active,
    mount: &MountEntry,
    login: Login<'_>,
    auth: pb::Auth,
) -> Result<LoggedIn> {
    let shown = auth.alias.clone().map(|alias| Shown::new(mount, alias, auth.group_aliases.clone()));
    let (mut entry, warnings) = entry_of(login, &auth, active.tokens.new_accessor()?)?;
    // Nobody becomes somebody by a login that is refused.
    if let Some(shown) = shown {
        entry.entity_id = active.identity.log_in(shown).await?.entity_id().to_owned();
    }
    // When the plugin is asked again, it is told what came of its word: it may compare.
    let vouched = pb::Auth {
        policies: entry.policies.clone(),
        token_policies: entry.policies.clone(),
        entity_id: entry.entity_id.clone(),
        ..auth
    };
    let token = create_vouched(active, &entry, &vouched).await?;
    Ok(LoggedIn { auth: view::auth(active, token.expose(), &entry)?, warnings })
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
    if auth.num_uses < 0 {
        return Err(Refused::NegativeUses);
    }
    let policies = policies(auth)?;
    let bound_cidrs = auth.bound_cidrs.iter().map(|range| bound(range)).collect::<Result<_, _>>()?;
    let term = term(login, auth)?;
    let prefix = login.mount.trim_start_matches("auth/").trim_end_matches('/').replace('/', "-");
    let name = if auth.display_name.is_empty() { prefix } else { format!("{prefix}-{}", auth.display_name) };
    let entry = TokenEntry {
        kind,
        policies,
        meta: (!auth.metadata.is_empty()).then(|| auth.metadata.clone().into_iter().collect()),
        display_name: name,
        num_uses: auth.num_uses,
        ttl: term.ttl.as_secs(),
        explicit_max_ttl: nanos(auth.explicit_max_ttl).as_secs(),
        period: if batch { 0 } else { nanos(auth.period).as_secs() },
        renewable: !batch && auth.lease_options.is_some_and(|lease| lease.renewable),
        bound_cidrs,
        ..TokenEntry::at(login.path, if batch { String::new() } else { accessor })
    };
    Ok((entry, term.warning().into_iter().collect()))
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
    let given = auth.policies.iter().chain(&auth.token_policies).map(String::as_str);
    let default = (!auth.no_default_policy).then_some("default");
    let policies = normalise(given.chain(default));
    if policies.iter().any(|name| name == "root") { Err(Refused::Root) } else { Ok(policies) }
}

fn bound(text: &str) -> Result<IpNet, Refused> {
    network(text).ok_or_else(|| Refused::BoundCidr(text.to_owned()))
}

fn term(login: Login<'_>, auth: &pb::Auth) -> Result<LeaseTerm, PastMaxTtl> {
    let lease = auth.lease_options.unwrap_or_default();
    let wish = LeaseWish {
        ttl: nanos(lease.ttl),
        max_ttl: nanos(lease.max_ttl),
        period: nanos(auth.period),
        explicit_max_ttl: nanos(auth.explicit_max_ttl),
        ..LeaseWish::default()
    };
    login.limits.term(wish, Duration::ZERO)
}

fn nanos(count: i64) -> Duration {
    Duration::from_nanos(u64::try_from(count).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const LOGIN: Login<'_> = Login {
        mount: "auth/userpass/",
        path: "auth/userpass/login/bob",
        token_type: "default-service",
        limits: LeaseLimits { default: HOUR, max: Duration::from_secs(4 * 3600) },
    };

    fn made(auth: pb::Auth) -> Result<TokenEntry, Refused> {
        entry_of(LOGIN, &auth, "accessor".to_owned()).map(|(entry, _)| entry)
    }

    fn with_policies(policies: &[&str]) -> pb::Auth {
        pb::Auth { policies: policies.iter().map(|&name| name.to_owned()).collect(), ..pb::Auth::default() }
    }

    #[test]
    fn l11_a_login_gets_its_policies_sorted_with_default_and_never_root() {
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
    fn l11_a_plugin_cannot_give_a_longer_life_than_its_mount() {
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
