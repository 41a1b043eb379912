use std::{fmt, time::Duration};

use crate::format_go_duration;

/// No lease lasts less.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long leases of a mount last: those that ask for nothing, and the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseLimits {
    /// For those that ask for nothing.
    pub default: Duration,
    /// From the beginning of a lease to its end, however often it is renewed.
    pub max: Duration,
}

/// How long a lease would like to last, from now on. Zero stands for nothing said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeaseWish {
    /// What the caller asks for.
    pub increment: Duration,
    /// What the plugin says.
    pub ttl: Duration,
    /// The longest that the plugin allows, from the beginning to the end.
    pub max_ttl: Duration,
    /// A life that begins anew with each renewal.
    pub period: Duration,
    /// The longest that was allowed when it began; it ends even a periodic life.
    pub explicit_max_ttl: Duration,
}

/// How long a lease lasts from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseTerm {
    /// In whole seconds.
    pub ttl: Duration,
    /// It had wished for more.
    pub capped: Option<Capped>,
}

/// What was wished for and not granted. Shown, it is the warning that callers get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capped {
    what: Asked,
    wanted: Duration,
    granted: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Ttl,
    Period,
}

/// The longest life that was allowed is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("past the max TTL, cannot renew")]
pub struct PastMaxTtl;

impl LeaseLimits {
    /// How long a lease of this age lasts from now on.
    ///
    /// # Errors
    /// It has lasted as long as it may.
    pub fn term(self, wish: LeaseWish, age: Duration) -> Result<LeaseTerm, PastMaxTtl> {
        let age = whole(age);
        let max = [wish.max_ttl, wish.explicit_max_ttl].into_iter().filter(|limit| !limit.is_zero());
        let max = whole(max.fold(self.max, Duration::min)).max(SHORTEST);
        let (what, wanted) = if wish.period.is_zero() {
            let wanted = [wish.increment, wish.ttl].into_iter().find(|ttl| !ttl.is_zero());
            (Asked::Ttl, wanted.unwrap_or_else(|| self.default.min(max)))
        } else {
            (Asked::Period, wish.period)
        };
        let left = match what {
            Asked::Ttl => Some(max),
            Asked::Period if wish.explicit_max_ttl.is_zero() => None,
            Asked::Period => Some(whole(wish.explicit_max_ttl).max(SHORTEST)),
        };
        let left = left.map(|end| end.checked_sub(age).filter(|left| !left.is_zero()).ok_or(PastMaxTtl));
        let most = left.transpose()?.map_or(max, |left| left.min(max));
        Ok(LeaseTerm::of(what, whole(wanted).max(SHORTEST), most))
    }
}

impl LeaseTerm {
    fn of(what: Asked, wanted: Duration, most: Duration) -> Self {
        if wanted > most {
            Self { ttl: most, capped: Some(Capped { what, wanted, granted: most }) }
        } else {
            Self { ttl: wanted, capped: None }
        }
    }

    /// The warning that goes with it, if there is one.
    pub fn warning(&self) -> Option<String> {
        self.capped.map(|capped| capped.to_string())
    }
}

impl fmt::Display for Capped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, value) = match self.what {
            Asked::Ttl => ("TTL of", "TTL value"),
            Asked::Period => ("period of", "period value"),
        };
        let (wanted, granted) = (short(self.wanted), short(self.granted));
        write!(
            f,
            "{what} {wanted:?} exceeded the effective max_ttl of {granted:?}; {value} is capped accordingly"
        )
    }
}

/// Leases count whole seconds.
fn whole(duration: Duration) -> Duration {
    Duration::from_secs(duration.as_secs() + u64::from(duration.subsec_nanos() >= 500_000_000))
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
    use proptest::prelude::*;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const LIMITS: LeaseLimits = LeaseLimits { default: HOUR, max: Duration::from_secs(4 * 3600) };

    fn granted(wish: LeaseWish, age: Duration) -> (Duration, Option<String>) {
        let term = LIMITS.term(wish, age).unwrap();
        (term.ttl, term.warning())
    }

    #[test]
    fn the_caller_is_asked_first_then_the_plugin_then_the_mount() {
        let plugin = LeaseWish { ttl: 2 * HOUR, ..LeaseWish::default() };
        let caller = LeaseWish { increment: 3 * HOUR, ..plugin };
        assert_eq!(granted(LeaseWish::default(), Duration::ZERO), (HOUR, None));
        assert_eq!(granted(plugin, Duration::ZERO), (2 * HOUR, None));
        assert_eq!(granted(caller, Duration::ZERO), (3 * HOUR, None));
    }

    #[test]
    fn what_is_more_than_may_be_is_capped_and_said() {
        let wish = LeaseWish { ttl: HOUR, max_ttl: HOUR / 2, ..LeaseWish::default() };
        let warning = |text: &str| Some(text.to_owned());
        assert_eq!(
            granted(wish, Duration::from_secs(1)),
            (
                Duration::from_secs(1799),
                warning(
                    r#"TTL of "1h" exceeded the effective max_ttl of "29m59s"; TTL value is capped accordingly"#
                )
            )
        );
        let wish = LeaseWish { period: 5 * HOUR, ..LeaseWish::default() };
        assert_eq!(
            granted(wish, 100 * HOUR),
            (
                4 * HOUR,
                warning(
                    r#"period of "5h" exceeded the effective max_ttl of "4h"; period value is capped accordingly"#
                )
            )
        );
    }

    #[test]
    fn a_periodic_life_has_no_end_but_the_explicit_one() {
        let periodic = LeaseWish { period: HOUR, ..LeaseWish::default() };
        assert_eq!(granted(periodic, 1000 * HOUR), (HOUR, None));
        let ending = LeaseWish { explicit_max_ttl: 2 * HOUR, ..periodic };
        assert_eq!(granted(ending, HOUR), (HOUR, None));
        assert_eq!(LIMITS.term(ending, 2 * HOUR), Err(PastMaxTtl));
    }

    fn seconds() -> impl Strategy<Value = Duration> {
        prop_oneof![Just(0), 1..20_u64, 1..100_000_u64].prop_map(Duration::from_secs)
    }

    prop_compose! {
        fn wishes()(increment in seconds(), ttl in seconds(), max_ttl in seconds(), period in seconds(),
                    explicit_max_ttl in seconds()) -> LeaseWish {
            LeaseWish { increment, ttl, max_ttl, period, explicit_max_ttl }
        }
    }

    prop_compose! {
        fn limits()(default in 1..100_000_u64, max in 1..100_000_u64) -> LeaseLimits {
            LeaseLimits { default: Duration::from_secs(default), max: Duration::from_secs(max) }
        }
    }

    proptest! {
        #[test]
        fn nothing_lasts_longer_than_every_limit_allows(limits in limits(), wish in wishes(), age in seconds()) {
            let Ok(LeaseTerm { ttl, capped }) = limits.term(wish, age) else { return Ok(()) };
            prop_assert!(ttl >= SHORTEST && ttl <= limits.max);
            for limit in [wish.max_ttl, wish.explicit_max_ttl].into_iter().filter(|limit| !limit.is_zero()) {
                prop_assert!(ttl <= limit);
                prop_assert!(!wish.period.is_zero() || age + ttl <= limit);
            }
            if !wish.explicit_max_ttl.is_zero() {
                prop_assert!(age + ttl <= wish.explicit_max_ttl);
            }
            prop_assert!(!wish.period.is_zero() || age + ttl <= limits.max);
            prop_assert!(capped.is_none_or(|capped| capped.wanted > ttl && capped.granted == ttl));
        }

        #[test]
        fn t5_renewals_never_move_the_end_past_the_longest_life(
            limits in limits(), wish in wishes(), steps in prop::collection::vec(1..5_000_u64, 1..50)
        ) {
            let wish = LeaseWish { period: Duration::ZERO, ..wish };
            let stated = [limits.max, wish.max_ttl, wish.explicit_max_ttl];
            let longest = stated.into_iter().filter(|limit| !limit.is_zero()).min().unwrap();
            let mut age = Duration::ZERO;
            for step in steps {
                match limits.term(wish, age) {
                    Ok(term) => prop_assert!(age + term.ttl <= longest),
                    Err(PastMaxTtl) => prop_assert!(age >= longest),
                }
                age += Duration::from_secs(step);
            }
        }
    }
}
