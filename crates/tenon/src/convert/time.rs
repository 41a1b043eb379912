use std::time::{Duration, SystemTime};

use prost_types::Timestamp;

/// Go's zero time, 1 January of the year 1, in seconds from 1970.
const GO_ZERO: i64 = -62_135_596_800;

/// Nanoseconds as the wire counts them; what does not fit is the longest that does.
pub fn to_nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// A duration of the wire; a negative one means none.
pub fn from_nanos(nanos: i64) -> Duration {
    u64::try_from(nanos).map_or(Duration::ZERO, Duration::from_nanos)
}

/// A point in time; none is Go's zero time, because Go peers fail on an absent one.
pub fn to_timestamp(time: Option<SystemTime>) -> Timestamp {
    time.map_or(Timestamp { seconds: GO_ZERO, nanos: 0 }, Timestamp::from)
}

/// A point in time of the wire; Go's zero time, and what no clock can show, is none.
pub fn from_timestamp(timestamp: Option<Timestamp>) -> Option<SystemTime> {
    timestamp.filter(|t| *t != Timestamp { seconds: GO_ZERO, nanos: 0 }).and_then(|t| t.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_time_is_gos_zero_time() {
        assert_eq!(to_timestamp(None).seconds, GO_ZERO);
        assert_eq!(from_timestamp(Some(to_timestamp(None))), None);
        assert_eq!(from_timestamp(None), None);
    }

    #[test]
    fn times_before_1970_are_understood() {
        let time = SystemTime::UNIX_EPOCH - Duration::from_millis(1_500);
        assert_eq!(from_timestamp(Some(to_timestamp(Some(time)))), Some(time));
    }

    #[test]
    fn durations_stay_within_the_wires_range() {
        assert_eq!(to_nanos(Duration::MAX), i64::MAX);
        assert_eq!(from_nanos(-1), Duration::ZERO);
        assert_eq!(from_nanos(to_nanos(Duration::from_secs(3600))), Duration::from_secs(3600));
    }
}
