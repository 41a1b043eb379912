use super::{InvalidUsernameTemplate, call::LONGEST, call::Value};

type Result<T> = std::result::Result<T, InvalidUsernameTemplate>;

fn refused(what: impl Into<String>) -> InvalidUsernameTemplate {
    InvalidUsernameTemplate::Format(what.into())
}

/// How one argument is written: `%-10.5s`.
#[derive(Default)]
struct Verb {
    left: bool,
    zeros: bool,
    width: usize,
    precision: Option<usize>,
    letter: char,
}

/// Go's `Printf`, for texts and whole numbers: the verbs s, v, d, x, X, each with width, precision, `-` and `0`.
pub(super) fn printf(format: &str, arguments: &[Value]) -> Result<String> {
    let mut written = String::new();
    let mut arguments = arguments.iter();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        written.push_str(&rest[..at]);
        let (verb, after) = Verb::read(&rest[at + 1..])?;
        rest = after;
        if verb.letter == '%' {
            written.push('%');
            continue;
        }
        let argument = arguments.next().ok_or_else(|| refused("the format asks for more than is given"))?;
        written.push_str(&verb.write(argument)?);
    }
    written.push_str(rest);
    match arguments.next() {
        None => Ok(written),
        Some(_) => Err(refused("more is given than the format asks for")),
    }
}

impl Verb {
    /// Reads what follows a percent sign; returns what is left.
    fn read(text: &str) -> Result<(Self, &str)> {
        let mut verb = Self::default();
        let flags = text.len() - text.trim_start_matches(['-', '0']).len();
        verb.left = text[..flags].contains('-');
        verb.zeros = !verb.left && text[..flags].contains('0');
        let (width, mut rest) = number(&text[flags..])?;
        verb.width = width.unwrap_or_default();
        if let Some(after) = rest.strip_prefix('.') {
            let (precision, after) = number(after)?;
            verb.precision = Some(precision.unwrap_or_default());
            rest = after;
        }
        let mut letters = rest.chars();
        verb.letter = letters.next().ok_or_else(|| refused("the format ends in a %"))?;
        Ok((verb, letters.as_str()))
    }

    fn write(&self, argument: &Value) -> Result<String> {
        let text = match (self.letter, argument) {
            ('s' | 'v', Value::Text(text)) => self.cut(text),
            ('x', Value::Text(text)) if self.precision.is_none() => hex::encode(text),
            ('X', Value::Text(text)) if self.precision.is_none() => hex::encode_upper(text),
            ('d' | 'v', Value::Number(number)) if self.precision.is_none() => number.to_string(),
            ('x', Value::Number(number @ 0..)) if self.precision.is_none() => format!("{number:x}"),
            ('X', Value::Number(number @ 0..)) if self.precision.is_none() => format!("{number:X}"),
            (letter, Value::Text(_)) => return Err(refused(format!("%{letter} is not for a text"))),
            (letter, Value::Number(_)) => return Err(refused(format!("%{letter} is not for a number"))),
        };
        Ok(self.pad(text))
    }

    fn cut(&self, text: &str) -> String {
        text.chars().take(self.precision.unwrap_or(usize::MAX)).collect()
    }

    fn pad(&self, text: String) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        let padding = if self.zeros { "0" } else { " " }.repeat(missing);
        match (self.left, text.strip_prefix('-')) {
            (true, _) => text + &padding,
            (false, Some(digits)) if self.zeros => format!("-{padding}{digits}"),
            (false, _) => padding + &text,
        }
    }
}

/// The number that a text begins with, and what is left.
fn number(text: &str) -> Result<(Option<usize>, &str)> {
    let digits = text.len() - text.trim_start_matches(|each: char| each.is_ascii_digit()).len();
    if digits == 0 {
        return Ok((None, text));
    }
    let number = text[..digits].parse().ok().filter(|number| *number <= LONGEST);
    let number = number.ok_or_else(|| refused(format!("a width is larger than {LONGEST}")))?;
    Ok((Some(number), &text[digits..]))
}
