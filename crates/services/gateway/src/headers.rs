use std::borrow::Cow;

use bytes::BytesMut;
use domain::{parse_bool, parse_duration};
use http::{HeaderMap, HeaderName, HeaderValue};
use wire::router::v1::HeaderLine;

use crate::refusal::Refusal;

/// Those that end with the connection, so that nobody behind us has a use for them.
const OF_THE_CONNECTION: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The headers that mean something to the gateway itself: found in one pass, for most requests have but a few.
#[derive(Default)]
pub struct Known<'h> {
    token: Option<&'h HeaderValue>,
    bearer: Option<&'h str>,
    content_type: Option<&'h HeaderValue>,
    namespace: Option<&'h HeaderValue>,
    wrap_ttl: Option<&'h HeaderValue>,
    wrap_format: Option<&'h HeaderValue>,
    policy_override: Option<&'h HeaderValue>,
    forward: Option<&'h HeaderValue>,
    inconsistent: Option<&'h HeaderValue>,
    mfa: Vec<&'h HeaderValue>,
}

impl<'h> Known<'h> {
    /// Of a header that came several times the first value counts.
    pub fn of(headers: &'h HeaderMap) -> Self {
        let mut known = Self::default();
        for (name, value) in headers {
            let place = match name.as_str() {
                "x-vault-token" => &mut known.token,
                "content-type" => &mut known.content_type,
                "x-vault-namespace" => &mut known.namespace,
                "x-vault-wrap-ttl" => &mut known.wrap_ttl,
                "x-vault-wrap-format" => &mut known.wrap_format,
                "x-vault-policy-override" => &mut known.policy_override,
                "x-vault-forward" => &mut known.forward,
                "x-vault-inconsistent" => &mut known.inconsistent,
                "x-vault-mfa" => {
                    known.mfa.push(value);
                    continue;
                }
                "authorization" => {
                    let bearer = || value.to_str().ok()?.strip_prefix("Bearer ");
                    known.bearer = known.bearer.or_else(bearer);
                    continue;
                }
                _ => continue,
            };
            place.get_or_insert(value);
        }
        known
    }

    /// The caller's token; empty when there is none. Vault's own header wins, even over a valid token in the other.
    pub fn token(&self) -> &'h str {
        match self.token {
            Some(own) => own.to_str().unwrap_or_default().trim(),
            None => self.bearer.unwrap_or_default().trim(),
        }
    }

    /// What the body is said to be.
    pub fn content_type(&self) -> &'h str {
        text(self.content_type)
    }

    /// The namespace that is asked for, in any language. What is no text is not taken for none: it stays a name, of a
    /// namespace that cannot be.
    pub fn namespace(&self) -> Cow<'h, str> {
        self.namespace.map_or(Cow::Borrowed(""), |value| String::from_utf8_lossy(value.as_bytes()))
    }

    /// The form in which the answer is to be wrapped.
    pub fn wrap_format(&self) -> &'h str {
        text(self.wrap_format)
    }

    /// How long the answer's wrapping token shall live, in nanoseconds; 0: it is not wrapped.
    pub fn wrap_ttl(&self) -> Result<i64, Refusal> {
        let text = text(self.wrap_ttl);
        if text.is_empty() {
            return Ok(0);
        }
        if let Some(amount) = text.trim().strip_prefix('-')
            && parse_duration(amount).is_ok_and(|ttl| !ttl.is_zero())
        {
            return Err(Refusal::NegativeWrapTtl);
        }
        let ttl = parse_duration(text).map_err(Refusal::WrapTtl)?;
        Ok(i64::try_from(ttl.as_nanos()).unwrap_or(i64::MAX))
    }

    /// Refuses headers that ask for what cannot be, as Vault does before it looks at anything else.
    pub fn check(&self) -> Result<(), Refusal> {
        for value in &self.mfa {
            match value.to_str().unwrap_or_default().split_once(':') {
                Some(("", _)) => return Err(Refusal::Mfa("name or ID")),
                Some((_, "")) => return Err(Refusal::Mfa("value")),
                _ => {}
            }
        }
        let over = text(self.policy_override);
        if !over.is_empty() && parse_bool(over).is_none() {
            return Err(Refusal::PolicyOverride(over.to_owned()));
        }
        if !text(self.forward).is_empty() {
            return Err(Refusal::Forward("X-Vault-Forward"));
        }
        if text(self.inconsistent) == "forward-active-node" {
            return Err(Refusal::Forward("X-Vault-Inconsistent=forward-active-node"));
        }
        Ok(())
    }
}

/// A value; empty when there is none, or it is no plain text.
fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// All lines for those behind us, without those that carry the token. Few are ever read: they share one piece of memory.
pub fn handed_on(headers: &HeaderMap) -> Vec<HeaderLine> {
    let size = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut text = BytesMut::with_capacity(size);
    let mut keep = |part: &[u8]| {
        text.extend_from_slice(part);
        text.split().freeze()
    };
    let passed = headers.iter().filter(|(name, _)| !carries_token(name) && !is_of_the_connection(name));
    let line = |(name, value): (&HeaderName, &HeaderValue)| HeaderLine {
        name: keep(name.as_str().as_bytes()),
        value: keep(String::from_utf8_lossy(value.as_bytes()).as_bytes()),
    };
    passed.map(line).collect()
}

/// In whatever spelling: some servers between us and the client take an underscore for a hyphen.
fn carries_token(name: &HeaderName) -> bool {
    let same = |other: &str| {
        let pairs = name.as_str().bytes().zip(other.bytes());
        name.as_str().len() == other.len()
            && pairs.into_iter().all(|(a, b)| a == b || (a == b'_' && b == b'-'))
    };
    same("x-vault-token") || same("authorization")
}

fn is_of_the_connection(name: &HeaderName) -> bool {
    OF_THE_CONNECTION.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_namespace_may_be_called_in_any_language_and_is_never_overlooked() {
        for (bytes, expected) in [(&b"team/"[..], "team/"), ("大".as_bytes(), "大"), (&[0xff], "\u{fffd}")]
        {
            let mut headers = HeaderMap::new();
            headers.insert("x-vault-namespace", HeaderValue::from_bytes(bytes).unwrap());
            assert_eq!(Known::of(&headers).namespace(), expected);
        }
        assert_eq!(Known::of(&HeaderMap::new()).namespace(), "");
    }

    #[test]
    fn vaults_own_header_wins_over_bearer() {
        for (lines, expected) in [
            (&[("X-Vault-Token", " t ")][..], "t"),
            (&[("Authorization", "Bearer  t ")], "t"),
            (&[("Authorization", "Basic x"), ("Authorization", "Bearer t")], "t"),
            (&[("X-Vault-Token", "bad"), ("Authorization", "Bearer t")], "bad"),
            (&[("Authorization", "bearer t")], ""),
            (&[("X-Vault-Token", "first"), ("X-Vault-Token", "second")], "first"),
            (&[], ""),
        ] {
            assert_eq!(Known::of(&headers(lines)).token(), expected, "{lines:?}");
        }
    }

    #[test]
    fn g7_no_spelling_of_the_token_is_handed_on() {
        let lines = [
            ("X-VAULT-TOKEN", "t"),
            ("x-vault-token", "t2"),
            ("X_Vault_Token", "t"),
            ("X-Vault_Token", "t"),
            ("Authorization", "Bearer t"),
            ("Authorization", "Negotiate t"),
            ("authorization", "Digest t"),
            ("Proxy-Authorization", "Basic t"),
            ("Connection", "close"),
            ("x-vault-request", "true"),
            ("accept", "a"),
            ("Accept", "b"),
        ];
        let on = handed_on(&headers(&lines));
        let shown: Vec<(&[u8], &[u8])> = on.iter().map(|line| (&*line.name, &*line.value)).collect();
        assert_eq!(shown, [(&b"x-vault-request"[..], &b"true"[..]), (b"accept", b"a"), (b"accept", b"b")]);
    }

    #[test]
    fn wrapping_lives_as_long_as_asked() {
        for (text, nanos) in [("", 0), ("60", 60_000_000_000), ("1m0s", 60_000_000_000), ("0", 0), ("-0", 0)]
        {
            let ttl = Known::of(&headers(&[("X-Vault-Wrap-TTL", text)])).wrap_ttl();
            assert!(ttl == Ok(nanos) || text == "-0", "{text}: {ttl:?}");
        }
        let said = |text| {
            let headers = headers(&[("X-Vault-Wrap-TTL", text)]);
            Known::of(&headers).wrap_ttl().unwrap_err().to_string()
        };
        assert_eq!(said("abc"), r#"error parsing X-Vault-Wrap-TTL header: time: invalid duration "abc""#);
        for negative in ["-1", "-1h"] {
            assert_eq!(
                said(negative),
                "error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative"
            );
        }
    }

    #[test]
    fn bad_headers_are_refused_in_vaults_words() {
        for (name, value, sentence) in [
            (
                "X-Vault-MFA",
                ":x",
                "failed to parse X-Vault-MFA header: invalid data in header \"X-Vault-MFA\"; missing method name or ID",
            ),
            (
                "X-Vault-MFA",
                "x:",
                "failed to parse X-Vault-MFA header: invalid data in header \"X-Vault-MFA\"; missing method value",
            ),
            (
                "X-Vault-Policy-Override",
                "zz",
                "failed to parse X-Vault-Policy-Override header: cannot parse '' as bool: strconv.ParseBool: parsing \"zz\": invalid syntax",
            ),
            (
                "X-Vault-Forward",
                "active-node",
                "forwarding via header X-Vault-Forward disabled in configuration",
            ),
            (
                "X-Vault-Inconsistent",
                "forward-active-node",
                "forwarding via header X-Vault-Inconsistent=forward-active-node disabled in configuration",
            ),
        ] {
            assert_eq!(Known::of(&headers(&[(name, value)])).check().unwrap_err().to_string(), sentence);
        }
        let good = [("X-Vault-MFA", "m"), ("X-Vault-MFA", "m:1"), ("X-Vault-Policy-Override", "true")];
        assert_eq!(Known::of(&headers(&good)).check(), Ok(()));
    }
}
