use std::str::FromStr;

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{InvalidUsernameTemplate, NoRandomness, format::printf, source::Source, time_layout};

/// No template, value or name is longer than this.
pub(super) const LONGEST: usize = 4096;

/// How much of a hash `truncate_sha256` puts in place of what it cuts off.
const HASH: usize = 8;

/// A function of a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Random,
    Truncate,
    TruncateSha256,
    Uppercase,
    Lowercase,
    Replace,
    Sha256,
    Base64,
    UnixTime,
    UnixTimeMillis,
    Timestamp,
    Uuid,
    Printf,
}

impl Function {
    const ALL: [Self; 13] = [
        Self::Random,
        Self::Truncate,
        Self::TruncateSha256,
        Self::Uppercase,
        Self::Lowercase,
        Self::Replace,
        Self::Sha256,
        Self::Base64,
        Self::UnixTime,
        Self::UnixTimeMillis,
        Self::Timestamp,
        Self::Uuid,
        Self::Printf,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Truncate => "truncate",
            Self::TruncateSha256 => "truncate_sha256",
            Self::Uppercase => "uppercase",
            Self::Lowercase => "lowercase",
            Self::Replace => "replace",
            Self::Sha256 => "sha256",
            Self::Base64 => "base64",
            Self::UnixTime => "unix_time",
            Self::UnixTimeMillis => "unix_time_millis",
            Self::Timestamp => "timestamp",
            Self::Uuid => "uuid",
            Self::Printf => "printf",
        }
    }

    const fn takes(self) -> &'static str {
        match self {
            Self::Random => "a length",
            Self::Truncate | Self::TruncateSha256 => "a length and a text",
            Self::Uppercase | Self::Lowercase | Self::Sha256 | Self::Base64 => "a text",
            Self::Replace => "what to find, what to put in its place, and a text",
            Self::UnixTime | Self::UnixTimeMillis | Self::Uuid => "nothing",
            Self::Timestamp => "a layout of time",
            Self::Printf => "a format, and what it asks for",
        }
    }
}

impl FromStr for Function {
    type Err = InvalidUsernameTemplate;

    fn from_str(name: &str) -> Result<Self, InvalidUsernameTemplate> {
        // What Go's templates know beside values and functions, and what they know as a function of their own.
        const NOT_KNOWN: [&str; 27] = [
            "if", "else", "end", "range", "with", "define", "template", "block", "break", "continue", "nil",
            "true", "false", "and", "or", "not", "call", "html", "index", "slice", "js", "len", "print",
            "println", "urlquery", "eq", "ne",
        ];
        if NOT_KNOWN.contains(&name) {
            return Err(InvalidUsernameTemplate::NotKnown(name.to_owned()));
        }
        let found = Self::ALL.into_iter().find(|function| function.name() == name);
        found.ok_or_else(|| InvalidUsernameTemplate::NoSuchFunction(name.to_owned()))
    }
}

/// What an operand stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(i64),
}

/// Why a template has no value.
#[derive(Debug)]
pub(super) enum Failure {
    Invalid(InvalidUsernameTemplate),
    NoRandomness,
}

impl From<InvalidUsernameTemplate> for Failure {
    fn from(error: InvalidUsernameTemplate) -> Self {
        Self::Invalid(error)
    }
}

impl From<NoRandomness> for Failure {
    fn from(_: NoRandomness) -> Self {
        Self::NoRandomness
    }
}

/// The value of a function for its arguments. It depends on the kinds of the arguments whether it has one, and on
/// lengths that are written in the template; never on who a name is for.
pub(super) fn call<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>>(
    function: Function,
    arguments: &[Value],
    source: &mut Source<'_, F>,
) -> Result<String, Failure> {
    use Value::{Number, Text};
    let mut value = match (function, arguments) {
        (Function::Random, [Number(length)]) => source.random(checked(function, *length, -1)?)?,
        (Function::Truncate, [Number(length), Text(text)]) => {
            split(text, checked(function, *length, 0)?).0.to_owned()
        }
        (Function::TruncateSha256, [Number(length), Text(text)]) => {
            truncate_sha256(checked(function, *length, HASH as i64)?, text)
        }
        (Function::Uppercase, [Text(text)]) => text.to_uppercase(),
        (Function::Lowercase, [Text(text)]) => text.to_lowercase(),
        (Function::Replace, [Text(find), Text(with), Text(text)]) => text.replace(find.as_str(), with),
        (Function::Sha256, [Text(text)]) => hex::encode(Sha256::digest(text)),
        (Function::Base64, [Text(text)]) => STANDARD.encode(text),
        (Function::UnixTime, []) => (source.millis() / 1000).to_string(),
        (Function::UnixTimeMillis, []) => source.millis().to_string(),
        (Function::Timestamp, [Text(layout)]) => time_layout::format(layout, source.now),
        (Function::Uuid, []) => source.uuid()?,
        (Function::Printf, [Text(format), rest @ ..]) => printf(format, rest)?,
        _ => {
            let (function, takes) = (function.name(), function.takes());
            return Err(InvalidUsernameTemplate::Arguments { function, takes }.into());
        }
    };
    value.truncate(value.floor_char_boundary(LONGEST));
    Ok(value)
}

fn checked(function: Function, length: i64, above: i64) -> Result<usize, InvalidUsernameTemplate> {
    if length <= above {
        return Err(InvalidUsernameTemplate::Length { function: function.name(), above, found: length });
    }
    // A longer one never cuts anything off.
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if function == Function::Random && length > LONGEST {
        return Err(InvalidUsernameTemplate::TooLong(LONGEST));
    }
    Ok(length)
}

/// Splits a text after so many bytes, or before the character that would be torn apart there.
fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at(text.floor_char_boundary(at))
}

fn truncate_sha256(length: usize, text: &str) -> String {
    if text.len() <= length {
        return text.to_owned();
    }
    let (kept, cut) = split(text, length - HASH);
    format!("{kept}{}", &hex::encode(Sha256::digest(cut))[..HASH])
}
