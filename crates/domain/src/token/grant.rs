use super::names::{DEFAULT, ROOT, normalise};
use crate::matches_glob;

/// Policies that are for tokens of the server's own making.
const NOT_TO_BE_HAD: [&str; 2] = ["response-wrapping", "control-group"];

/// Why a token is not given the policies that were asked for; in Vault's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantRefused {
    /// More than the parent has.
    #[error("child policies must be subset of parent")]
    NotOfParent,
    /// More than the role allows.
    #[error(
        "token policies ({}) must be subset of the role's allowed policies ({}) or glob policies ({})",
        quoted(.asked), quoted(.allowed), quoted(.globs)
    )]
    #[allow(missing_docs, reason = "the sentence says it")]
    NotOfRole { asked: Vec<String>, allowed: Vec<String>, globs: Vec<String> },
    /// What the role forbids.
    #[error("token policy {0:?} is disallowed by this role")]
    Disallowed(String),
    /// The server's own.
    #[error("cannot assign policy {0:?}")]
    NotToBeHad(String),
    /// Root comes from root only.
    #[error("root tokens may not be created without parent token being root")]
    NotRoot,
}

/// Which policies a role lets tokens have. All names are normalised.
#[derive(Clone, Copy, Debug, Default)]
pub struct RolePolicies<'r> {
    /// Those that may be had, and that are had when nothing is asked for.
    pub allowed: &'r [String],
    /// Patterns of further ones.
    pub allowed_globs: &'r [String],
    /// Those that may not be had.
    pub disallowed: &'r [String],
    /// Patterns of further ones.
    pub disallowed_globs: &'r [String],
}

/// Who asks for a token, and for which policies.
#[derive(Clone, Copy, Debug)]
pub struct Grant<'g> {
    /// The policies of the parent's own, normalised.
    pub parent: &'g [String],
    /// Whether the parent may do here what only root and sudo may.
    pub sudo: bool,
    /// The role that the token is made by.
    pub role: Option<RolePolicies<'g>>,
    /// What is asked for; nothing: what the role or the parent has.
    pub asked: &'g [String],
    /// Neither asker nor role want `default` to be added.
    pub no_default: bool,
}

impl RolePolicies<'_> {
    fn rules(&self) -> bool {
        [self.allowed, self.allowed_globs, self.disallowed, self.disallowed_globs]
            .iter()
            .any(|names| !names.is_empty())
    }

    fn forbids(&self, name: &str) -> bool {
        is_among(name, self.disallowed, self.disallowed_globs)
    }
}

impl Grant<'_> {
    /// The policies that the token gets.
    ///
    /// # Errors
    /// It may not have what was asked for.
    pub fn policies(&self) -> Result<Vec<String>, GrantRefused> {
        let policies = match self.role.filter(RolePolicies::rules) {
            Some(role) => self.by_role(role)?,
            None => self.by_parent()?,
        };
        if let Some(name) = policies.iter().find(|name| NOT_TO_BE_HAD.contains(&name.as_str())) {
            return Err(GrantRefused::NotToBeHad(name.clone()));
        }
        if has(&policies, ROOT) && !has(self.parent, ROOT) {
            return Err(GrantRefused::NotRoot);
        }
        Ok(policies)
    }

    /// A role may allow what the parent does not have: that is what roles are for.
    fn by_role(&self, role: RolePolicies<'_>) -> Result<Vec<String>, GrantRefused> {
        let add_default = !self.no_default && !role.forbids(DEFAULT);
        let asked = normalise(self.asked);
        let allows_some = !role.allowed.is_empty() || !role.allowed_globs.is_empty();
        let policies = if !asked.is_empty() {
            with_default(asked, add_default)
        } else if allows_some {
            with_default(role.allowed.to_vec(), add_default)
        } else {
            with_default(self.parent.to_vec(), add_default)
        };
        if allows_some {
            let allowed = with_default(role.allowed.to_vec(), add_default);
            if !policies.iter().all(|name| is_among(name, &allowed, role.allowed_globs)) {
                let globs = role.allowed_globs.to_vec();
                return Err(GrantRefused::NotOfRole { asked: policies, allowed, globs });
            }
        }
        match policies.iter().find(|name| role.forbids(name)) {
            Some(name) => Err(GrantRefused::Disallowed(name.clone())),
            None => Ok(policies),
        }
    }

    fn by_parent(&self) -> Result<Vec<String>, GrantRefused> {
        let asked = normalise(self.asked);
        if asked.is_empty() {
            let mut policies = self.parent.to_vec();
            policies.retain(|name| !self.no_default || name != DEFAULT);
            return Ok(policies);
        }
        if !self.sudo && !asked.iter().all(|name| has(self.parent, name)) {
            return Err(GrantRefused::NotOfParent);
        }
        let add_default = !self.no_default && (self.sudo || has(self.parent, DEFAULT));
        Ok(with_default(asked, add_default))
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|each| each == name)
}

fn is_among(name: &str, names: &[String], globs: &[String]) -> bool {
    has(names, name) || globs.iter().any(|glob| matches_glob(glob, name))
}

/// Root needs nothing beside it.
fn with_default(mut names: Vec<String>, add: bool) -> Vec<String> {
    if add && !has(&names, ROOT) {
        names.push(DEFAULT.to_owned());
    }
    normalise(names)
}

/// As Go writes a list of texts.
fn quoted(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", names.join(" "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// What a parent with these policies gives to one who asks for those.
    fn given(parent: &str, sudo: bool, asked: &str) -> Result<String, GrantRefused> {
        let (parent, asked) = (names(parent), names(asked));
        let grant = Grant { parent: &parent, sudo, role: None, asked: &asked, no_default: false };
        grant.policies().map(|policies| policies.join(" "))
    }

    #[test]
    fn t4_a_child_has_no_more_policies_than_its_parent() {
        assert_eq!(given("app default web", false, "").unwrap(), "app default web");
        assert_eq!(given("app default web", false, "web").unwrap(), "default web");
        assert_eq!(given("app web", false, "web").unwrap(), "web");
        assert_eq!(given("app", false, "app web"), Err(GrantRefused::NotOfParent));
        assert_eq!(given("app", false, "default"), Err(GrantRefused::NotOfParent));
        assert_eq!(given("app", true, "web").unwrap(), "default web");
        assert_eq!(given("root", true, "").unwrap(), "root");
    }

    #[test]
    fn t1_only_root_makes_root() {
        assert_eq!(given("app", true, "ROOT"), Err(GrantRefused::NotRoot));
        assert_eq!(given("app", false, "root"), Err(GrantRefused::NotOfParent));
        assert_eq!(given("root", true, "Root app").unwrap(), "root");
        let (parent, allowed) = (names("app"), names("root"));
        let role = RolePolicies { allowed: &allowed, ..RolePolicies::default() };
        let grant = Grant { parent: &parent, sudo: true, role: Some(role), asked: &[], no_default: false };
        assert_eq!(grant.policies(), Err(GrantRefused::NotRoot));
    }

    #[test]
    fn what_is_the_servers_own_is_given_to_nobody() {
        let refused = GrantRefused::NotToBeHad("response-wrapping".to_owned());
        assert_eq!(given("root", true, "Response-Wrapping"), Err(refused));
    }

    #[test]
    fn a_role_says_what_may_be_asked_for() {
        let [allowed, globs, disallowed] = ["default nosudo", "team-*", "team-x"].map(names);
        let role = RolePolicies {
            allowed: &allowed,
            allowed_globs: &globs,
            disallowed: &disallowed,
            disallowed_globs: &[],
        };
        let parent = names("app");
        let given = |asked: &str| {
            let asked = names(asked);
            let grant =
                Grant { parent: &parent, sudo: false, role: Some(role), asked: &asked, no_default: false };
            grant.policies().map_err(|refused| refused.to_string())
        };
        assert_eq!(given("").unwrap(), ["default", "nosudo"]);
        assert_eq!(given("team-a").unwrap(), ["default", "team-a"]);
        assert_eq!(given("team-x").unwrap_err(), r#"token policy "team-x" is disallowed by this role"#);
        assert_eq!(
            given("other").unwrap_err(),
            r#"token policies (["default" "other"]) must be subset of the role's allowed policies (["default" "nosudo"]) or glob policies (["team-*"])"#
        );
    }

    #[test]
    fn default_is_left_out_where_nobody_wants_it() {
        let (parent, asked) = (names("app default"), names("app"));
        let grant = Grant { parent: &parent, sudo: false, role: None, asked: &asked, no_default: true };
        assert_eq!(grant.policies().unwrap(), ["app"]);
        assert_eq!(Grant { asked: &[], ..grant }.policies().unwrap(), ["app"]);
        let disallowed = names("default");
        let role = RolePolicies { disallowed: &disallowed, ..RolePolicies::default() };
        let by_role = Grant { role: Some(role), no_default: false, ..grant };
        assert_eq!(by_role.policies().unwrap(), ["app"]);
    }

    fn some() -> impl Strategy<Value = Vec<String>> {
        prop::collection::vec("root|ROOT|default|a|b|c| A ", 0..4)
    }

    proptest! {
        #[test]
        fn t4_without_sudo_and_role_nothing_is_had_that_the_parent_has_not(
            parent in some(), asked in some(), no_default: bool
        ) {
            let parent = normalise(parent);
            let grant = Grant { parent: &parent, sudo: false, role: None, asked: &asked, no_default };
            if let Ok(policies) = grant.policies() {
                prop_assert!(policies.iter().all(|name| has(&parent, name)));
            }
        }

        #[test]
        fn t1_no_role_and_no_sudo_turns_a_parent_into_root(
            parent in some(), asked in some(), allowed in some(), disallowed in some(), sudo: bool
        ) {
            let (parent, allowed) = (normalise(parent), normalise(allowed));
            let role = RolePolicies { allowed: &allowed, disallowed: &disallowed, ..RolePolicies::default() };
            let grant = Grant { parent: &parent, sudo, role: Some(role), asked: &asked, no_default: false };
            if let Ok(policies) = grant.policies() {
                prop_assert!(!has(&policies, ROOT) || has(&parent, ROOT));
                prop_assert!(policies.iter().all(|name| !has(&disallowed, name)));
            }
        }
    }
}
