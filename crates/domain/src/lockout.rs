use std::time::Duration;

use serde::{Deserialize, Serialize};

/// So many failed logins in a row lock a user out, where nobody says how many.
pub const LOCKOUT_THRESHOLD: u64 = 5;

/// For so long, and so long a failure counts, where nobody says how long.
pub const LOCKOUT_DURATION: Duration = Duration::from_secs(15 * 60);

/// How a mount locks out those who guess, as its operator has tuned it. Zero stands for what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LockoutConfig {
    /// So many failed logins in a row lock a user out.
    pub threshold: u64,
    /// For so long.
    pub duration: Duration,
    /// A failure counts for so long.
    pub counter_reset: Duration,
    /// Nobody is locked out.
    pub disable: bool,
}

/// The same, worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockout {
    threshold: u64,
    duration: Duration,
    counter_reset: Duration,
}

/// Failed logins in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many.
    pub count: u64,
    /// When the last of them was, in seconds since 1970.
    pub last: u64,
}

impl Lockout {
    /// The rule for an auth method, as its mount is tuned, and where that says nothing, as all of its type are
    /// configured; none: it has no users that could be locked out, or shall not.
    pub fn of(
        plugin: &str,
        tuned: Option<&LockoutConfig>,
        configured: Option<&LockoutConfig>,
    ) -> Option<Self> {
        let disable = tuned.or(configured).is_some_and(|set| set.disable);
        let (tuned, configured) =
            (tuned.cloned().unwrap_or_default(), configured.cloned().unwrap_or_default());
        let or = |set: Duration, usual: Duration| if set.is_zero() { usual } else { set };
        let threshold = [tuned.threshold, configured.threshold].into_iter().find(|set| *set > 0);
        (Self::applies_to(plugin) && !disable).then(|| Self {
            threshold: threshold.unwrap_or(LOCKOUT_THRESHOLD),
            duration: or(tuned.duration, or(configured.duration, LOCKOUT_DURATION)),
            counter_reset: or(tuned.counter_reset, or(configured.counter_reset, LOCKOUT_DURATION)),
        })
    }

    /// Only these know users by names that somebody can guess passwords for.
    pub fn applies_to(plugin: &str) -> bool {
        matches!(plugin, "userpass" | "ldap" | "approle")
    }

    /// The name under which logins are counted: all ways to write a user's name are one.
    pub fn counted_name(plugin: &str, name: &str) -> String {
        match plugin {
            "approle" => name.to_owned(),
            _ => name.trim().to_lowercase(),
        }
    }

    /// Counts one more failure. Those of somebody who is locked out already do not count: they prolong nothing.
    pub fn after_failure(&self, before: Option<Failures>, now: u64) -> Failures {
        match before {
            Some(before) if self.locks(before, now) => before,
            Some(Failures { count, last })
                if count < self.threshold && passed(last, now) < self.counter_reset =>
            {
                Failures { count: count + 1, last: now }
            }
            _ => Failures { count: 1, last: now },
        }
    }

    /// Whether these failures lock a user out.
    pub fn locks(&self, failures: Failures, now: u64) -> bool {
        failures.count >= self.threshold && passed(failures.last, now) < self.duration
    }
}

/// A clock that was set back frees nobody.
const fn passed(since: u64, now: u64) -> Duration {
    Duration::from_secs(now.saturating_sub(since))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rule(threshold: u64, duration: u64, counter_reset: u64) -> Lockout {
        let seconds = Duration::from_secs;
        let config = LockoutConfig {
            threshold,
            duration: seconds(duration),
            counter_reset: seconds(counter_reset),
            disable: false,
        };
        Lockout::of("userpass", Some(&config), None).unwrap()
    }

    #[test]
    fn five_failures_within_a_quarter_of_an_hour_lock_out_for_another() {
        let usual = Lockout::of("userpass", None, None).unwrap();
        let mut failures = None;
        for now in 0..4 {
            failures = Some(usual.after_failure(failures, now));
            assert!(!usual.locks(failures.unwrap(), now));
        }
        let fifth = usual.after_failure(failures, 4);
        assert!(usual.locks(fifth, 4 + 899) && !usual.locks(fifth, 4 + 900));
        assert_eq!(usual.after_failure(Some(fifth), 100), fifth, "nothing is prolonged");
        assert_eq!(usual.after_failure(Some(fifth), 904), Failures { count: 1, last: 904 });
        assert_eq!(usual.after_failure(failures, 3 + 900), Failures { count: 1, last: 903 });
    }

    #[test]
    fn only_methods_with_users_have_a_rule_and_only_if_wanted() {
        assert_eq!(Lockout::of("jwt", None, None), None);
        let off = LockoutConfig { disable: true, ..LockoutConfig::default() };
        assert_eq!(Lockout::of("ldap", Some(&off), None), None);
        assert_eq!(
            Lockout::of("approle", Some(&LockoutConfig::default()), None),
            Lockout::of("approle", None, None)
        );
    }

    #[test]
    fn t9_all_ways_to_write_a_name_are_counted_as_one() {
        for written in ["Bob", " bob", "BOB\t"] {
            assert_eq!(Lockout::counted_name("userpass", written), "bob");
            assert_eq!(Lockout::counted_name("ldap", written), "bob");
        }
        assert_eq!(Lockout::counted_name("approle", "A"), "A");
    }

    proptest! {
        /// The model keeps every failure, and forgets none.
        #[test]
        fn somebody_is_locked_out_after_so_many_failures_in_time_and_not_before(
            threshold in 1..6_u64, duration in 1..50_u64, reset in 1..50_u64,
            pauses in prop::collection::vec(0..40_u64, 1..60),
        ) {
            let rule = rule(threshold, duration, reset);
            let (mut now, mut counted, mut row, mut until) = (0, None, Vec::new(), 0);
            for pause in pauses {
                now += pause;
                if now >= until {
                    if row.len() as u64 == threshold || row.last().is_some_and(|last| now - last >= reset) {
                        row.clear();
                    }
                    row.push(now);
                    if row.len() as u64 == threshold {
                        until = now + duration;
                    }
                }
                let failures = rule.after_failure(counted, now);
                prop_assert_eq!(rule.locks(failures, now), now < until);
                counted = Some(failures);
            }
        }
    }

    #[test]
    fn what_a_mount_does_not_say_is_as_its_type_is_configured() {
        let configured = LockoutConfig { threshold: 2, disable: true, ..LockoutConfig::default() };
        assert_eq!(Lockout::of("ldap", None, Some(&configured)), None);
        let tuned = LockoutConfig { duration: Duration::from_secs(9), ..LockoutConfig::default() };
        let rule = Lockout::of("ldap", Some(&tuned), Some(&configured)).unwrap();
        assert_eq!((rule.threshold, rule.duration), (2, Duration::from_secs(9)));
        assert_eq!(rule.counter_reset, LOCKOUT_DURATION);
    }
}
