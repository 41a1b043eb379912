use std::{collections::BTreeMap, time::Duration};

use domain::{LOCKOUT_DURATION, LOCKOUT_THRESHOLD, Lockout, LockoutConfig};

use super::{
    key::{Block, Key, Usual},
    stanza::Stanza,
    tree::Entry,
};
use crate::Service;

const BLOCK: Block = Block::new(
    "user_lockout",
    "`user_lockout \"TYPE\"`",
    "How those are locked out who guess passwords; `TYPE` is `all`, `userpass`, `ldap` or `approle`, and what a type does \
     not say, `all` says. A mount may be tuned otherwise.",
)
.read_by(&[Service::Router]);

const THRESHOLD: Usual<u64> = Key::new("lockout_threshold", "as many failed logins in a row lock a user out")
    .usually(|| LOCKOUT_THRESHOLD);

const DURATION: Usual<Duration> =
    Key::new("lockout_duration", "for how long a user is locked out").usually(|| LOCKOUT_DURATION);

const COUNTER_RESET: Usual<Duration> =
    Key::new("lockout_counter_reset", "how long a failure counts").usually(|| LOCKOUT_DURATION);

const DISABLE: Usual<bool> = Key::new("disable_lockout", "nobody is locked out").usually(|| false);

/// What a stanza for all types is called.
const ALL: &str = "all";

/// The types that know users by names.
const TYPES: [&str; 3] = ["approle", "ldap", "userpass"];

/// What one stanza says.
#[derive(Clone, Debug, Default)]
struct Said {
    threshold: Option<u64>,
    duration: Option<Duration>,
    counter_reset: Option<Duration>,
    disable: Option<bool>,
}

/// How each type locks users out: as its own stanza says, and where that says nothing, as that for all does.
pub(super) fn read(top: &mut Stanza<'_>) -> BTreeMap<String, LockoutConfig> {
    let mut said: BTreeMap<String, Said> = BTreeMap::new();
    for entry in top.labelled("user_lockout") {
        if let Some((name, one)) = one(entry, top) {
            said.insert(name, one);
        }
    }
    if said.is_empty() {
        return BTreeMap::new();
    }
    let all = said.remove(ALL).unwrap_or_default();
    let config = |name: &str| {
        let own = said.get(name).cloned().unwrap_or_default();
        LockoutConfig {
            threshold: own.threshold.or(all.threshold).unwrap_or_default(),
            duration: own.duration.or(all.duration).unwrap_or_default(),
            counter_reset: own.counter_reset.or(all.counter_reset).unwrap_or_default(),
            disable: own.disable.or(all.disable).unwrap_or_default(),
        }
    };
    TYPES.into_iter().map(|name| (name.to_owned(), config(name))).collect()
}

fn one(entry: Entry, top: &mut Stanza<'_>) -> Option<(String, Said)> {
    let name = entry.key.to_lowercase();
    if name != ALL && !Lockout::applies_to(&name) {
        let text = format!(
            "users of {name:?} are not locked out; allowed: \"all\", \"userpass\", \"ldap\", \"approle\""
        );
        top.problems.error(&entry.node.place, text);
        return None;
    }
    let mut stanza = Stanza::of(&BLOCK, entry.node, top.problems)?;
    let said = Said {
        threshold: stanza.set(&THRESHOLD),
        duration: stanza.set(&DURATION),
        counter_reset: stanza.set(&COUNTER_RESET),
        disable: stanza.set(&DISABLE),
    };
    stanza.finish();
    Some((name, said))
}
