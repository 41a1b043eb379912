use std::time::Duration;

use domain::{Grant, LeaseLimits, LeaseTerm, LeaseWish, display_name};

use super::{Caller, TokenEntry, TokenKind, TokenRefusal, role::Role, wish::Wish};
use crate::{core::Active, error::Result};

/// Who makes a token, and where.
pub(super) struct Maker<'m> {
    pub(super) caller: &'m Caller,
    /// The namespace.
    pub(super) active: &'m Active,
    /// May do here what only root and sudo may.
    pub(super) sudo: bool,
    /// The whole path of the request.
    pub(super) path: String,
    /// A path for tokens that have no parent.
    pub(super) orphan: bool,
    pub(super) role: Option<(&'m str, &'m Role)>,
    /// The times of the mount.
    pub(super) limits: LeaseLimits,
}

/// A token that may be made, and what its maker is to be told.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) entry: TokenEntry,
    pub(super) warnings: Vec<String>,
}

impl Maker<'_> {
    /// What the token is to be, if it may be.
    pub(super) fn draft(&self, wish: &Wish) -> Result<Draft> {
        self.refuse_parent()?;
        self.refuse_abroad(wish)?;
        let role = self.role.map(|(_, role)| role);
        let kind = role.map_or_else(|| wish.kind.unwrap_or_default(), |role| role.kind(wish.kind));
        let batch = kind == TokenKind::Batch;
        if batch {
            refuse_batch(wish)?;
        }
        self.refuse_alias(wish)?;
        let parent = &self.caller.entry;
        let policies = self.policies(wish)?;
        let is_root = policies.iter().any(|name| name == "root");
        if is_root && batch {
            return Err(TokenRefusal::BatchRoot.into());
        }
        let mut warnings = Vec::new();
        let life = self.life(wish, batch, &mut warnings)?;
        let term = if is_root && life == LeaseWish::default() {
            if parent.expires().is_some() {
                return Err(TokenRefusal::EndlessRoot.into());
            }
            None
        } else {
            Some(self.limits.term(life, Duration::ZERO).map_err(TokenRefusal::from)?)
        };
        warnings.extend(term.as_ref().and_then(LeaseTerm::warning));
        let orphan = self.is_orphan(wish)?;
        let accessor = if batch { String::new() } else { self.active.tokens.new_accessor()? };
        let entry = TokenEntry {
            kind,
            parent: (!orphan).then_some(self.caller.id),
            policies,
            role: self.role.map(|(name, _)| name.to_owned()).unwrap_or_default(),
            meta: wish.meta.clone(),
            display_name: display_name(&wish.display_name),
            num_uses: uses(wish.num_uses, role.map_or(0, |role| role.token_num_uses)),
            ttl: term.as_ref().map_or(0, |term| term.ttl.as_secs()),
            explicit_max_ttl: life.explicit_max_ttl.as_secs(),
            period: life.period.as_secs(),
            renewable: !batch
                && term.is_some()
                && role.map_or(wish.renewable, |role| role.renewable && wish.renewable),
            entity_id: if orphan || self.is_abroad() { String::new() } else { parent.entity_id.clone() },
            bound_cidrs: self.bounds(),
            ..TokenEntry::at(self.path_shown(), accessor)
        };
        Ok(Draft { entry, warnings })
    }

    fn refuse_parent(&self) -> Result<(), TokenRefusal> {
        match &*self.caller.entry {
            TokenEntry { kind: TokenKind::Batch, .. } => Err(TokenRefusal::BatchParent),
            // The last use is a limit too.
            TokenEntry { num_uses, .. } if *num_uses != 0 => Err(TokenRefusal::LimitedParent),
            _ => Ok(()),
        }
    }

    /// In a namespace below, only those make tokens at once who may do everything there.
    fn refuse_abroad(&self, wish: &Wish) -> Result<(), TokenRefusal> {
        if !self.is_abroad() {
            Ok(())
        } else if !self.sudo {
            Err(TokenRefusal::Sudo("directly generate a token in a child namespace"))
        } else if wish.policies.iter().any(|name| name == "root") {
            Err(TokenRefusal::RootAbroad)
        } else {
            Ok(())
        }
    }

    fn is_abroad(&self) -> bool {
        self.caller.is_abroad(self.active)
    }

    fn refuse_alias(&self, wish: &Wish) -> Result<(), TokenRefusal> {
        match (&wish.entity_alias, self.role) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(TokenRefusal::AliasWithoutRole),
            (Some(alias), Some((_, role))) if role.allows_alias(alias) => Ok(()),
            _ => Err(TokenRefusal::Alias),
        }
    }

    fn policies(&self, wish: &Wish) -> Result<Vec<String>, TokenRefusal> {
        let role = self.role.map(|(_, role)| role);
        let everybodys = ["default".to_owned()];
        let grant = Grant {
            // Those of another namespace are other policies, whatever they are called.
            parent: if self.is_abroad() { &everybodys } else { &self.caller.entry.policies },
            sudo: self.sudo,
            role: role.map(Role::policies),
            asked: &wish.policies,
            no_default: wish.no_default_policy || role.is_some_and(|role| role.token_no_default_policy),
        };
        Ok(grant.policies()?)
    }

    fn is_orphan(&self, wish: &Wish) -> Result<bool, TokenRefusal> {
        match self.role {
            Some((_, role)) => Ok(role.orphan),
            None if self.orphan => Ok(true),
            None if wish.no_parent && !self.sudo => Err(TokenRefusal::Sudo("create orphan token")),
            None => Ok(wish.no_parent),
        }
    }

    /// How long it would like to live. Between its maker and its role, the lesser counts.
    fn life(&self, wish: &Wish, batch: bool, warnings: &mut Vec<String>) -> Result<LeaseWish, TokenRefusal> {
        if !wish.period.is_zero() && !self.sudo {
            return Err(TokenRefusal::Sudo("create periodic token"));
        }
        let role = self.role.map(|(_, role)| role).filter(|_| !batch);
        let of_role = |seconds: fn(&Role) -> u64| Duration::from_secs(role.map_or(0, seconds));
        let mut lesser = |what: &str, own: Duration, role: Duration| {
            if own.is_zero() || role.is_zero() {
                return own.max(role);
            }
            let least = own.min(role);
            warnings.push(format!(
                "{what} specified both during creation call and in role; using the lesser value of {} seconds",
                least.as_secs()
            ));
            least
        };
        let period = lesser("Period", wish.period, of_role(|role| role.token_period));
        let explicit =
            lesser("Explicit max TTL", wish.explicit_max_ttl, of_role(|role| role.token_explicit_max_ttl));
        let explicit_max_ttl = if explicit > self.limits.max && period.is_zero() {
            warnings.push(format!(
                "Explicit max TTL of {} seconds is greater than system/mount allowed value; value is being \
                 capped to {} seconds",
                explicit.as_secs(),
                self.limits.max.as_secs()
            ));
            self.limits.max
        } else {
            explicit
        };
        Ok(LeaseWish { increment: wish.ttl, period, explicit_max_ttl, ..LeaseWish::default() })
    }

    /// Where it may be used from: where its role says; else where its maker may be.
    fn bounds(&self) -> Vec<ipnet::IpNet> {
        let of_role = self.role.map(|(_, role)| &role.token_bound_cidrs).filter(|bounds| !bounds.is_empty());
        of_role.unwrap_or(&self.caller.entry.bound_cidrs).clone()
    }

    fn path_shown(&self) -> String {
        match self.role {
            Some((_, role)) if !role.path_suffix.is_empty() => format!("{}/{}", self.path, role.path_suffix),
            _ => self.path.clone(),
        }
    }
}

fn refuse_batch(wish: &Wish) -> Result<(), TokenRefusal> {
    for (is_set, name) in [
        (!wish.explicit_max_ttl.is_zero(), "explicit_max_ttl"),
        (wish.num_uses != 0, "num_uses"),
        (!wish.period.is_zero(), "period"),
    ] {
        if is_set {
            return Err(TokenRefusal::Batch(name));
        }
    }
    Ok(())
}

/// Between the two limits the lesser counts; zero is none.
fn uses(own: i64, role: i64) -> i64 {
    if own == 0 || role == 0 { own.max(role) } else { own.min(role) }
}
