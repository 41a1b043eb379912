use std::sync::OnceLock;

use domain::namespace_of_token;
use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
use router::fuzzing::{Mint, is_id};

/// What a JWT of ours stands for.
const WRAPPED: &str = "hvs.abc";

/// Where tokens come from, and a good one of each sort.
struct Made {
    mint: Mint,
    batch: String,
    jwt: String,
}

/// A token, after a byte that says whether it stands for itself, or for what is to be changed in a good one.
pub fn tokens(data: &[u8]) {
    let Some((sort, rest)) = data.split_first() else { return };
    let made = made();
    match sort % 3 {
        0 => anything(made, rest),
        1 => assert!(forged(&made.batch, rest).is_none_or(|forged| !made.mint.opens(&forged))),
        _ => assert!(forged(&made.jwt, rest).is_none_or(|forged| made.mint.verified(&forged).is_none())),
    }
}

fn made() -> &'static Made {
    static MADE: OnceLock<Made> = OnceLock::new();
    MADE.get_or_init(|| {
        let mint = Mint::new().unwrap();
        let (batch, jwt) = (mint.batch().unwrap().expose().clone(), mint.jwt(WRAPPED).unwrap());
        assert!(mint.opens(&batch));
        assert_eq!(mint.verified(&jwt).as_deref(), Some(WRAPPED));
        Made { mint, batch, jwt }
    })
}

/// Nobody guesses a token.
fn anything(made: &Made, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(!made.mint.opens(&text) && made.mint.verified(&text).is_none());
    assert!(!is_id(&text) || text.len() == 64);
    if let Some(id) = namespace_of_token(&text) {
        assert!(!id.is_empty() && !id.contains('.') && text.ends_with(id), "{text:?}");
        assert_eq!(namespace_of_token(&format!("hvb.x.{id}")), Some(id));
    }
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let own = HeaderMap::from_iter([("x-vault-token".parse().unwrap(), value.clone())]);
    let token = gateway::fuzzing::token(&own).unwrap();
    assert!(token.trim() == token && token.chars().all(|c| c.is_ascii_graphic() || " \t".contains(c)));
    let bearer = HeaderMap::from_iter([(AUTHORIZATION, value)]);
    let bearer = gateway::fuzzing::token(&bearer).unwrap();
    assert!(bearer.is_empty() || text.strip_prefix("Bearer ").is_some_and(|rest| rest.trim() == bearer));
}

/// A token with changes: pairs of a place and a byte for it, or an end. None: it has stayed what it was.
fn forged(token: &str, changes: &[u8]) -> Option<String> {
    let mut bytes = token.as_bytes().to_vec();
    for change in changes.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([change[0], change[1]]));
        match change[2] {
            0 => bytes.truncate(place),
            byte if place < bytes.len() => bytes[place] = byte,
            byte => bytes.push(byte),
        }
    }
    let forged = String::from_utf8(bytes).ok()?;
    (forged != token).then_some(forged)
}
