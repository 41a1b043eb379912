use std::{fmt::Write, time::Duration};

/// A text that is no duration; says it as Go does, because clients show these sentences.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidDuration {
    /// Not in the grammar.
    #[error("time: invalid duration {0:?}")]
    Syntax(String),
    /// A number without a unit where one is needed, or an unknown unit.
    #[error("time: unknown unit in duration {0:?}")]
    Unit(String),
    /// More than fits.
    #[error("time: invalid duration {0:?}: too long")]
    TooLong(String),
}

const UNITS: [(&str, f64); 8] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3600e9),
    ("d", 86_400e9),
];

/// Reads a duration as Vault's fields take it: whole seconds (`3600`), Go's form (`1h30m`, `1.5h`), or days (`2d`).
///
/// # Errors
/// The sentence that Go would say.
pub fn parse_duration(text: &str) -> Result<Duration, InvalidDuration> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Duration::ZERO);
    }
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let syntax = || InvalidDuration::Syntax(text.to_owned());
    let mut rest = text;
    let mut nanos = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(digits);
        let number: f64 = number.parse().map_err(|_| syntax())?;
        let letters = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        let (_, scale) = UNITS
            .iter()
            .find(|(name, _)| *name == unit)
            .ok_or_else(|| InvalidDuration::Unit(text.to_owned()))?;
        nanos += number * scale;
        rest = after;
    }
    if nanos > i64::MAX as f64 {
        return Err(InvalidDuration::TooLong(text.to_owned()));
    }
    Ok(Duration::from_nanos(nanos as u64))
}

/// Writes a duration of whole seconds as Go does: `1h0m0s`, `5m0s`, `0s`; fractions of a second are dropped.
pub fn format_go_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = String::new();
    if hours > 0 {
        let _ = write!(text, "{hours}h");
    }
    if hours > 0 || minutes > 0 {
        let _ = write!(text, "{minutes}m");
    }
    let _ = write!(text, "{}s", seconds % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_vaults_fields_is_read() {
        for (text, seconds) in [
            ("", 0),
            ("0", 0),
            ("3600", 3600),
            ("1h", 3600),
            ("1h30m", 5400),
            ("1.5h", 5400),
            ("2d", 172_800),
        ] {
            assert_eq!(parse_duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(parse_duration("15ms"), Ok(Duration::from_millis(15)));
    }

    #[test]
    fn nonsense_is_refused_in_gos_words() {
        assert_eq!(parse_duration("abc").unwrap_err().to_string(), r#"time: invalid duration "abc""#);
        assert!(parse_duration("-1h").is_err());
        assert!(parse_duration("1x").is_err());
        assert!(parse_duration("99999999999h").is_err());
    }

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (300, "5m0s"), (3600, "1h0m0s"), (90_061, "25h1m1s")]
        {
            assert_eq!(format_go_duration(Duration::from_secs(seconds)), text);
        }
    }
}
