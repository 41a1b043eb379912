//! Random bytes and checksums, for clients that do not trust their own.

use aws_lc_rs::digest::{self, SHA224, SHA256, SHA384, SHA512};
use base64::{DecodeError, Engine, engine::general_purpose::STANDARD};
use domain::{Kind, Operation::Update};
use serde_json::json;
use sha3::{Digest, Sha3_224, Sha3_256, Sha3_384, Sha3_512};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Endpoint, Handler, Operations},
    error::Result,
    fields::Fields,
    random,
};

/// How many random bytes are given at once.
const MOST: usize = 128 * 1024;

/// What is said to those who want the seal's own randomness: it has none.
const NO_SEAL: &str = "no seal/entropy augmentation available, using platform entropy source";

const RANDOM: Handler = |ask| Box::pin(random(ask));
const HASH: Handler = |ask| Box::pin(hash(ask));

const fn endpoint(pattern: &'static str, operations: Operations) -> Endpoint {
    let help = "Gives random bytes, and checksums of what is sent.";
    Endpoint::token(pattern, operations, help)
}

pub(super) const ENDPOINTS: &[Endpoint] = &[
    endpoint("tools/random", &[(Update, RANDOM)]),
    endpoint("tools/random/:first", &[(Update, RANDOM)]),
    endpoint("tools/random/:source/:bytes", &[(Update, RANDOM)]),
    endpoint("tools/hash", &[(Update, HASH)]),
    endpoint("tools/hash/:algorithm", &[(Update, HASH)]),
];

/// Why there are no bytes or no checksum, in Vault's words.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum ToolRefusal {
    #[error("unable to decode input as base64: illegal base64 data at input byte {0}")]
    Input(usize),
    #[error("unsupported algorithm {0}")]
    Algorithm(String),
    #[error("unsupported encoding format {0}; must be \"hex\" or \"base64\"")]
    Format(String),
    #[error("unsupported entropy source {0:?}; must be \"platform\" or \"seal\", or \"all\"")]
    Source(String),
    #[error("error parsing url-set byte count: strconv.Atoi: parsing {0:?}: invalid syntax")]
    Count(String),
    #[error("\"bytes\" cannot be less than 1")]
    TooFew,
    #[error("\"bytes\" should be less than {MOST}")]
    TooMany,
}

impl ToolRefusal {
    pub(crate) const fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// How bytes are written down.
#[derive(Clone, Copy)]
enum Format {
    Hex,
    Base64,
}

impl Format {
    fn of(fields: &Fields, usual: Self) -> Result<Self> {
        match fields.text("format")?.as_deref() {
            None => Ok(usual),
            Some("hex") => Ok(Self::Hex),
            Some("base64") => Ok(Self::Base64),
            Some(other) => Err(ToolRefusal::Format(other.to_owned()).into()),
        }
    }

    fn write(self, bytes: &[u8]) -> String {
        match self {
            Self::Hex => hex::encode(bytes),
            Self::Base64 => STANDARD.encode(bytes),
        }
    }
}

async fn random(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let (source, length) = wanted(&ask, &fields)?;
    let length = match usize::try_from(length) {
        Err(_) | Ok(0) => return Err(ToolRefusal::TooFew.into()),
        Ok(length) if length > MOST => return Err(ToolRefusal::TooMany.into()),
        Ok(length) => length,
    };
    let format = Format::of(&fields, Format::Base64)?;
    let warning = match source.as_str() {
        "" | "platform" => None,
        "seal" | "all" => Some(NO_SEAL),
        _ => return Err(ToolRefusal::Source(source).into()),
    };
    let data = json!({ "random_bytes": format.write(&random::many(length)?) });
    Ok(match warning {
        None => Answer::data(&data),
        Some(warning) => Answer::warned(&data, warning),
    })
}

/// From where, and how many. In the path the source may stand before the number, or either alone.
fn wanted(ask: &Ask, fields: &Fields) -> Result<(String, i64)> {
    let (first, last) = (ask.capture("first"), ask.capture("bytes"));
    if !last.is_empty() {
        return Ok((ask.capture("source").to_owned(), count(last)?));
    }
    let given = || Ok::<_, Error>(fields.number("bytes")?.unwrap_or(32));
    match first {
        "" => Ok((fields.text("source")?.unwrap_or_default(), given()?)),
        "platform" | "seal" | "all" => Ok((first.to_owned(), given()?)),
        number => Ok((fields.text("source")?.unwrap_or_default(), count(number)?)),
    }
}

fn count(text: &str) -> Result<i64, ToolRefusal> {
    text.parse().map_err(|_| ToolRefusal::Count(text.to_owned()))
}

async fn hash(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let input = fields.text("input")?.unwrap_or_default();
    let format = Format::of(&fields, Format::Hex);
    let named = match ask.capture("algorithm") {
        "" => fields.text("algorithm")?.unwrap_or_else(|| "sha2-256".to_owned()),
        named => named.to_owned(),
    };
    // A body may be large, and others wait for this thread.
    let summed = tokio::task::spawn_blocking(move || {
        let input = decode(&input)?;
        let format = format?;
        let sum = sum(&named, &input).ok_or(ToolRefusal::Algorithm(named))?;
        Ok::<_, Error>(format.write(&sum))
    });
    Ok(Answer::data(&json!({ "sum": summed.await.map_err(|_| Error::CutOff)?? })))
}

/// The place that is told is the first that cannot be read on from, as in Go.
fn decode(input: &str) -> Result<Vec<u8>, ToolRefusal> {
    STANDARD.decode(input).map_err(|error| {
        ToolRefusal::Input(match error {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol { offset: at, .. } => at,
            DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => input.len() / 4 * 4,
        })
    })
}

fn sum(algorithm: &str, input: &[u8]) -> Option<Vec<u8>> {
    let sha2 = |algorithm| digest::digest(algorithm, input).as_ref().to_vec();
    Some(match algorithm {
        "sha2-224" => sha2(&SHA224),
        "sha2-256" => sha2(&SHA256),
        "sha2-384" => sha2(&SHA384),
        "sha2-512" => sha2(&SHA512),
        "sha3-224" => Sha3_224::digest(input).to_vec(),
        "sha3-256" => Sha3_256::digest(input).to_vec(),
        "sha3-384" => Sha3_384::digest(input).to_vec(),
        "sha3-512" => Sha3_512::digest(input).to_vec(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_algorithm_gives_the_sum_that_its_standard_names() {
        // Of "abc", as the standards have it: the first and the last four bytes, and the length.
        for (name, first, last, length) in [
            ("sha2-224", "23097d22", "e36c9da7", 28),
            ("sha2-256", "ba7816bf", "f20015ad", 32),
            ("sha2-384", "cb00753f", "34c825a7", 48),
            ("sha2-512", "ddaf35a1", "a54ca49f", 64),
            ("sha3-224", "e642824c", "73b46fdf", 28),
            ("sha3-256", "3a985da7", "11431532", 32),
            ("sha3-384", "ec014982", "28376d25", 48),
            ("sha3-512", "b751850b", "4eec53f0", 64),
        ] {
            let sum = sum(name, b"abc").unwrap();
            assert_eq!(sum.len(), length, "{name}");
            let sum = hex::encode(sum);
            assert!(sum.starts_with(first) && sum.ends_with(last), "{name}: {sum}");
        }
        assert_eq!(sum("md5", b"abc"), None);
    }

    #[test]
    fn what_is_no_base64_is_told_where_it_ends() {
        for (input, at) in [("!", 0), ("YWRh!A==", 4), ("YWRhb", 4)] {
            assert_eq!(decode(input), Err(ToolRefusal::Input(at)), "{input}");
        }
        assert_eq!(decode("YWRhbQ==").unwrap(), b"adam");
    }
}
