//! When credentials of a static role are to be changed.

use std::{fmt, time::Duration};

use cronexpr::{Crontab, FallbackTimezoneOption, MakeTimestamp, ParseOptions};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How often the queue was looked at in Vault: nothing is changed more often.
pub(super) const SHORTEST_PERIOD: u64 = 5;

/// The shortest time in which a rotation by schedule has to happen.
const SHORTEST_WINDOW: u64 = 3600;

/// The longest pause after a failure.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_secs(10);

/// When credentials are to be changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Rotation {
    /// Again and again, so many seconds after the last time.
    Period { rotation_period: u64 },
    /// When the clock says so, by a line as cron has it, in UTC.
    Schedule {
        rotation_schedule: Schedule,
        /// Seconds after that in which it may still happen; zero: at any time.
        rotation_window: u64,
    },
}

/// A line as cron has it, known to be one.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Schedule {
    text: String,
    parsed: Box<Crontab>,
}

/// Why there is no rotation like that, in Vault's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error(
        "mutually exclusive fields rotation_period and rotation_schedule were both specified; only one of them can be provided"
    )]
    Both,
    #[error("one of rotation_schedule or rotation_period must be provided to create a static account")]
    Neither,
    #[error("rotation_period must be {SHORTEST_PERIOD} seconds or more")]
    TooOften,
    #[error("rotation_window is invalid with use of rotation_period")]
    WindowOfPeriod,
    #[error("rotation_window must be {SHORTEST_WINDOW} seconds or more")]
    WindowTooShort,
    #[error("could not parse rotation_schedule: {0}")]
    Schedule(String),
}

impl Rotation {
    /// What a request asks for; where it is silent, what was known stays.
    ///
    /// # Errors
    /// It makes no sense.
    pub(super) fn wished(
        known: Option<Self>,
        period: Option<u64>,
        schedule: Option<String>,
        window: Option<u64>,
    ) -> Result<Self, Unfit> {
        match (period, schedule, known) {
            (Some(_), Some(_), _) => Err(Unfit::Both),
            (Some(period), None, _) if period < SHORTEST_PERIOD => Err(Unfit::TooOften),
            (Some(_), None, _) if window.is_some() => Err(Unfit::WindowOfPeriod),
            (Some(rotation_period), None, _) => Ok(Self::Period { rotation_period }),
            (None, Some(schedule), known) => {
                let before = known.map_or(0, |known| known.window());
                Self::scheduled(Schedule::try_from(schedule)?, window, before)
            }
            (None, None, Some(Self::Schedule { rotation_schedule, rotation_window })) => {
                Self::scheduled(rotation_schedule, window, rotation_window)
            }
            (None, None, Some(_)) if window.is_some() => Err(Unfit::WindowOfPeriod),
            (None, None, Some(known)) => Ok(known),
            (None, None, None) => Err(Unfit::Neither),
        }
    }

    fn scheduled(rotation_schedule: Schedule, window: Option<u64>, before: u64) -> Result<Self, Unfit> {
        let rotation_window = window.unwrap_or(before);
        if window.is_some_and(|window| window < SHORTEST_WINDOW) {
            return Err(Unfit::WindowTooShort);
        }
        Ok(Self::Schedule { rotation_schedule, rotation_window })
    }

    fn window(&self) -> u64 {
        match self {
            Self::Period { .. } => 0,
            Self::Schedule { rotation_window, .. } => *rotation_window,
        }
    }

    /// When they are to be changed after this time.
    pub(super) fn after(&self, last: Timestamp) -> Timestamp {
        match self {
            Self::Period { rotation_period } => later(last, Duration::from_secs(*rotation_period)),
            Self::Schedule { rotation_schedule, .. } => rotation_schedule.after(last),
        }
    }

    /// Whether it is too late for a change that was due then: the next one is to be waited for.
    pub(super) fn is_missed(&self, due: Timestamp, now: Timestamp) -> bool {
        match self.window() {
            0 => false,
            window => now > later(due, Duration::from_secs(window)),
        }
    }
}

impl Schedule {
    /// As it was written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    fn after(&self, last: Timestamp) -> Timestamp {
        // It was seen to have a next time when it was written; those of leap years may be more than four years away.
        let next = self.parsed.find_next(MakeTimestamp(last));
        next.map_or_else(|_| later(last, Duration::from_secs(365 * 24 * 3600)), |next| next.timestamp())
    }
}

impl TryFrom<String> for Schedule {
    type Error = Unfit;

    fn try_from(text: String) -> Result<Self, Unfit> {
        let mut options = ParseOptions::default();
        options.fallback_timezone_option = FallbackTimezoneOption::UTC;
        let unfit = |error: cronexpr::Error| Unfit::Schedule(error.to_string());
        let parsed = Box::new(cronexpr::parse_crontab_with(&text, options).map_err(unfit)?);
        parsed.find_next(MakeTimestamp(Timestamp::now())).map_err(unfit)?;
        Ok(Self { text, parsed })
    }
}

impl From<Schedule> for String {
    fn from(schedule: Schedule) -> Self {
        schedule.text
    }
}

impl PartialEq for Schedule {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl fmt::Debug for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// How long to wait after so many failures in a row.
pub(super) fn pause(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    FIRST_PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

pub(super) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.saturating_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn schedule(text: &str, window: Option<u64>) -> Result<Rotation, Unfit> {
        Rotation::wished(None, None, Some(text.to_owned()), window)
    }

    fn period(seconds: u64) -> Result<Rotation, Unfit> {
        Rotation::wished(None, Some(seconds), None, None)
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_vaults_words() {
        assert_eq!(Rotation::wished(None, None, None, None), Err(Unfit::Neither));
        assert_eq!(Rotation::wished(None, Some(60), Some("* * * * *".to_owned()), None), Err(Unfit::Both));
        assert_eq!(period(4).unwrap_err().to_string(), "rotation_period must be 5 seconds or more");
        assert_eq!(Rotation::wished(None, Some(60), None, Some(3600)), Err(Unfit::WindowOfPeriod));
        assert_eq!(schedule("* * * * *", Some(60)), Err(Unfit::WindowTooShort));
        assert!(matches!(schedule("every now and then", None), Err(Unfit::Schedule(_))));
        assert!(matches!(schedule("0 0 30 2 *", None), Err(Unfit::Schedule(_))));
    }

    #[test]
    fn a_change_of_one_thing_keeps_the_other() {
        let known = schedule("0 * * * *", Some(3600)).unwrap();
        let same = Rotation::wished(Some(known.clone()), None, None, None).unwrap();
        assert_eq!(same, known);
        let other = Rotation::wished(Some(known.clone()), None, Some("5 * * * *".to_owned()), None).unwrap();
        assert_eq!(other.window(), 3600);
        let periodic = Rotation::wished(Some(known), Some(60), None, None).unwrap();
        assert_eq!(Rotation::wished(Some(periodic), None, None, Some(3600)), Err(Unfit::WindowOfPeriod));
    }

    #[test]
    fn a_schedule_is_followed_in_utc() {
        let daily = schedule("30 2 * * SUN", None).unwrap();
        assert_eq!(daily.after(time("2026-11-22T02:29:59Z")), time("2026-11-22T02:30:00Z"));
        assert_eq!(daily.after(time("2026-11-22T02:30:00Z")), time("2026-11-29T02:30:00Z"));
    }

    #[test]
    fn with_days_of_the_month_and_of_the_week_either_will_do() {
        let both = schedule("30 2 1 * SUN", None).unwrap();
        assert_eq!(both.after(time("2026-11-22T02:30:00Z")), time("2026-11-29T02:30:00Z"));
        assert_eq!(both.after(time("2026-11-29T02:30:00Z")), time("2026-12-01T02:30:00Z"));
    }

    #[test]
    fn what_was_not_done_in_its_window_waits_for_the_next() {
        let due = time("2026-11-22T02:00:00Z");
        let windowed = schedule("0 2 * * *", Some(3600)).unwrap();
        assert!(!windowed.is_missed(due, time("2026-11-22T03:00:00Z")));
        assert!(windowed.is_missed(due, time("2026-11-22T03:00:01Z")));
        assert!(!schedule("0 2 * * *", None).unwrap().is_missed(due, time("2026-12-22T03:00:01Z")));
        assert!(!period(60).unwrap().is_missed(due, time("2026-12-22T03:00:01Z")));
    }

    #[test]
    fn what_is_stored_reads_back() {
        for rotation in [period(60).unwrap(), schedule("0 2 * * *", Some(3600)).unwrap()] {
            let stored = serde_json::to_vec(&rotation).unwrap();
            assert_eq!(serde_json::from_slice::<Rotation>(&stored).unwrap(), rotation);
        }
    }

    proptest! {
        #[test]
        fn the_next_time_is_always_later(seconds in 5_u64..1_000_000, at in 0_i64..4_000_000_000, minute in 0_u8..60) {
            let at = Timestamp::from_second(at).unwrap();
            prop_assert!(period(seconds).unwrap().after(at) > at);
            let hourly = schedule(&format!("{minute} * * * *"), None).unwrap();
            let next = hourly.after(at);
            prop_assert!(next > at && next.duration_since(at).as_secs() <= 3600);
            prop_assert_eq!(next.as_second() / 60 % 60, i64::from(minute));
        }

        #[test]
        fn pauses_grow_and_end(failures in 1_u32..1000) {
            prop_assert!(pause(failures) <= pause(failures + 1) && pause(failures) <= LONGEST_PAUSE);
        }
    }
}
