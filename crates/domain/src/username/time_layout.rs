use std::time::SystemTime;

use jiff::{Timestamp, Zoned, tz::TimeZone};

/// What stands for a part of a time in Go's layouts, longer ones before what they begin with; and how it is written.
const PARTS: [(&str, &str); 31] = [
    ("January", "%B"),
    ("Jan", "%b"),
    ("Monday", "%A"),
    ("Mon", "%a"),
    ("MST", "UTC"),
    ("2006", "%Y"),
    ("-07:00:00", "+00:00:00"),
    ("-070000", "+000000"),
    ("-07:00", "+00:00"),
    ("-0700", "+0000"),
    ("-07", "+00"),
    ("Z07:00:00", "Z"),
    ("Z070000", "Z"),
    ("Z07:00", "Z"),
    ("Z0700", "Z"),
    ("Z07", "Z"),
    ("002", "%j"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// A time in UTC, after one of Go's layouts. Everything that stands for no part of a time stays as it is.
pub(super) fn format(layout: &str, time: SystemTime) -> String {
    // A time that no calendar shows is written as the beginning of the calendar's own.
    let time = Timestamp::try_from(time).unwrap_or_default().to_zoned(TimeZone::UTC);
    let mut written = String::new();
    let mut rest = layout;
    while let Some(next) = rest.chars().next() {
        if let Some((fraction, after)) = fraction(rest, &time) {
            written.push_str(&fraction);
            rest = after;
        } else if let Some((part, after)) = part(rest, &time) {
            written.push_str(&part);
            rest = after;
        } else {
            written.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    written
}

fn part<'l>(layout: &'l str, time: &Zoned) -> Option<(String, &'l str)> {
    let (mark, directive) = PARTS.iter().find(|(mark, _)| is_mark(layout, mark))?;
    Some((time.strftime(directive).to_string(), &layout[mark.len()..]))
}

/// `Jan` in `January` is the longer one, and in `Jangle` neither.
fn is_mark(layout: &str, mark: &str) -> bool {
    let follows = |after: &str| after.starts_with(|next: char| next.is_ascii_lowercase());
    let short = matches!(mark, "Jan" | "Mon");
    layout.strip_prefix(mark).is_some_and(|after| !(short && follows(after)))
}

/// `.000` is a fraction of a second in so many digits, `.999` the same without the zeros at its end.
fn fraction<'l>(layout: &'l str, time: &Zoned) -> Option<(String, &'l str)> {
    let digits = layout.strip_prefix(['.', ','])?;
    let digit = digits.chars().next().filter(|digit| matches!(digit, '0' | '9'))?;
    let after = digits.trim_start_matches(digit);
    let count = digits.len() - after.len();
    if count > 9 || after.starts_with(|next: char| next.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{:09}", time.subsec_nanosecond());
    let shown = &nanoseconds[..count];
    let shown = if digit == '9' { shown.trim_end_matches('0') } else { shown };
    let written = if shown.is_empty() { String::new() } else { format!("{}{shown}", &layout[..1]) };
    Some((written, after))
}
