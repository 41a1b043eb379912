use std::{collections::BTreeMap, time::Duration};

use domain::Token;

use super::{TokenKind, TokenRefusal};
use crate::{error::Result, fields::Fields};

/// The parameters of a creation.
const KNOWN: [&str; 16] = [
    "display_name",
    "entity_alias",
    "explicit_max_ttl",
    "id",
    "lease",
    "meta",
    "metadata",
    "no_default_policy",
    "no_parent",
    "num_uses",
    "period",
    "policies",
    "renewable",
    "role_name",
    "ttl",
    "type",
];

/// What a token is asked to be.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) id: Option<Token>,
    pub(super) policies: Vec<String>,
    /// Zero, here and below: nothing said.
    pub(super) ttl: Duration,
    pub(super) explicit_max_ttl: Duration,
    pub(super) period: Duration,
    pub(super) num_uses: i64,
    pub(super) renewable: bool,
    pub(super) kind: Option<TokenKind>,
    pub(super) meta: Option<BTreeMap<String, String>>,
    pub(super) display_name: String,
    pub(super) entity_alias: Option<String>,
    pub(super) no_parent: bool,
    pub(super) no_default_policy: bool,
    /// What is said of parameters that mean nothing.
    pub(super) warning: Option<String>,
}

impl Wish {
    pub(super) fn read(fields: &Fields) -> Result<Self> {
        let text =
            |name| -> Result<Option<String>> { Ok(fields.text(name)?.filter(|text| !text.is_empty())) };
        let num_uses = fields.number("num_uses")?.unwrap_or(0);
        if num_uses < 0 {
            return Err(TokenRefusal::NegativeUses.into());
        }
        let meta = match fields.map("meta")? {
            Some(meta) => Some(meta),
            None => fields.map("metadata")?,
        };
        let ttl = duration(fields, "ttl", "ttl")?;
        Ok(Self {
            id: text("id")?.map(Token::new),
            policies: fields.items("policies")?.unwrap_or_default(),
            ttl: if ttl.is_zero() { duration(fields, "lease", "ttl")? } else { ttl },
            explicit_max_ttl: duration(fields, "explicit_max_ttl", "explicit_max_ttl")?,
            period: duration(fields, "period", "period")?,
            num_uses,
            renewable: fields.flag("renewable")?.unwrap_or(true),
            kind: text("type")?.map(|word| kind(&word).ok_or(TokenRefusal::Kind)).transpose()?,
            meta: meta
                .map(|meta| meta.into_iter().collect::<BTreeMap<_, _>>())
                .filter(|meta| !meta.is_empty()),
            display_name: text("display_name")?.unwrap_or_default(),
            entity_alias: text("entity_alias")?.map(|alias| alias.to_lowercase()),
            no_parent: fields.flag("no_parent")?.unwrap_or(false),
            no_default_policy: fields.flag("no_default_policy")?.unwrap_or(false),
            warning: fields.unknown_warning(&KNOWN),
        })
    }
}

pub(super) fn kind(word: &str) -> Option<TokenKind> {
    match word {
        "service" => Some(TokenKind::Service),
        "batch" => Some(TokenKind::Batch),
        _ => None,
    }
}

/// Whole seconds; less than one counts as one.
pub(super) fn duration(fields: &Fields, name: &str, shown: &'static str) -> Result<Duration> {
    let Some(written) = fields.duration(name)? else { return Ok(Duration::ZERO) };
    let positive = written.text.trim().strip_prefix('-');
    if positive.is_some_and(|rest| domain::parse_duration(rest).is_ok()) {
        return Err(TokenRefusal::Negative(shown).into());
    }
    let value = written.value.map_err(TokenRefusal::from)?;
    Ok(if value.is_zero() { value } else { Duration::from_secs(value.as_secs().max(1)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Wish> {
        Wish::read(&Fields::parse(body.as_bytes()).unwrap())
    }

    #[test]
    fn a_single_text_is_one_policy_and_lease_is_another_word_for_ttl() {
        let wish = read(r#"{"policies":"default,p-missing","lease":"90s","bogus":1}"#).unwrap();
        assert_eq!(wish.policies, ["default,p-missing"]);
        assert_eq!(wish.ttl, Duration::from_secs(90));
        assert!(wish.renewable);
        assert_eq!(wish.warning.unwrap(), "Endpoint ignored these unrecognized parameters: [bogus]");
    }

    #[test]
    fn nonsense_is_refused_in_vaults_words() {
        for (body, words) in [
            (r#"{"type":"zzz"}"#, "invalid 'token_type' value"),
            (r#"{"num_uses":-1}"#, "number of uses cannot be negative"),
            (r#"{"ttl":"abc"}"#, r#"time: invalid duration "abc""#),
            (r#"{"ttl":"-1h"}"#, "ttl must be positive"),
            (r#"{"ttl":-5}"#, "ttl must be positive"),
            (r#"{"period":"-1h"}"#, "period must be positive"),
        ] {
            assert_eq!(read(body).unwrap_err().to_string(), words);
        }
    }

    #[test]
    fn t5_a_ttl_below_a_second_is_not_no_ttl() {
        assert_eq!(read(r#"{"ttl":"5ms"}"#).unwrap().ttl, Duration::from_secs(1));
    }
}
