use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value, json};

use super::ceremony::Ceremony;
use crate::{Error, client::Request, error::Result, session::Session};

const STATE: &[(&str, &str)] = &[
    ("Nonce", "nonce"),
    ("Started", "started"),
    ("Progress", "progress"),
    ("Complete", "complete"),
    ("Encoded Token", "encoded_token"),
    ("OTP", "otp"),
    ("OTP Length", "otp_length"),
];

/// What a password that encodes a token is made of.
const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

pub(super) fn generate(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let ceremony = Ceremony {
        session,
        state: "sys/generate-root/attempt",
        update: "sys/generate-root/update",
        called: "root generation",
    };
    if let Some(encoded) = given.text("decode") {
        let otp = given.text("otp").ok_or_else(|| Error::local("Missing otp: decoding takes -otp"))?;
        return decoded(session, &decode(encoded, otp)?);
    }
    if given.on("generate-otp") {
        let length = ceremony.state()?["otp_length"].as_u64().unwrap_or(28);
        return decoded_or_said(session, &password(length as usize)?, "otp");
    }
    if given.on("init") {
        let body = given.text("otp").map_or_else(|| json!({}), |otp| json!({ "otp": otp }));
        let doing = || "Error initializing root generation".to_owned();
        let state: Value = session.ask(&Request::put("sys/generate-root/attempt", body), doing)?.json()?;
        return ceremony.show(&state, STATE);
    }
    if given.on("cancel") {
        return ceremony.cancel("Success! Root token generation canceled (if it was started)");
    }
    if given.on("status") {
        return ceremony.show(&ceremony.state()?, STATE);
    }
    let state = ceremony.hand_in("operator generate-root -init")?;
    ceremony.show(&state, STATE)
}

fn decoded(session: &Session<'_>, token: &str) -> Result<()> {
    decoded_or_said(session, token, "token")
}

fn decoded_or_said(session: &Session<'_>, text: &str, name: &str) -> Result<()> {
    if session.out.is_table() {
        session.out.say(text);
        return Ok(());
    }
    session.out.document(&json!({ name: text }))
}

/// A token out of what a one-time password made of it.
fn decode(encoded: &str, otp: &str) -> Result<String> {
    let unfit =
        || Error::local("Error decoding root token: the encoded token and -otp do not belong together");
    let bytes = STANDARD_NO_PAD.decode(encoded.trim_end_matches('=')).map_err(|_| unfit())?;
    if bytes.len() != otp.len() {
        return Err(unfit());
    }
    String::from_utf8(bytes.iter().zip(otp.bytes()).map(|(a, b)| a ^ b).collect()).map_err(|_| unfit())
}

/// So many letters and digits, each as likely as any other.
fn password(length: usize) -> Result<String> {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        let mut bytes = [0; 64];
        SystemRandom::new()
            .fill(&mut bytes)
            .map_err(|_| Error::local("the system gives no random numbers"))?;
        // What is left of a byte beyond four times all letters would make the first ones likelier.
        let fair = bytes.iter().filter(|byte| usize::from(**byte) < LETTERS.len() * 4);
        text.extend(
            fair.map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
                .take(length - text.len()),
        );
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn passwords_have_the_length_that_is_asked_for_and_differ() {
        let (first, second) = (password(100).unwrap(), password(100).unwrap());
        assert!(first.len() == 100 && first != second);
        assert!(first.bytes().all(|letter| LETTERS.contains(&letter)));
    }

    #[test]
    fn what_does_not_belong_together_is_refused_without_being_shown() {
        let error = decode("aHZzLmhpZGRlbg", "short").unwrap_err().to_string();
        assert!(!error.contains("aHZz") && !error.contains("short"), "{error}");
    }

    proptest! {
        #[test]
        fn a_token_comes_out_as_it_went_in(token in "hvs\\.[A-Za-z0-9]{24}") {
            let otp = password(token.len()).unwrap();
            let encoded: Vec<u8> = token.bytes().zip(otp.bytes()).map(|(a, b)| a ^ b).collect();
            prop_assert_eq!(decode(&STANDARD_NO_PAD.encode(encoded), &otp).unwrap(), token);
        }
    }
}
