use aws_lc_rs::{
    rand::SystemRandom,
    signature::{
        ECDSA_P521_SHA512_FIXED, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, KeyPair, UnparsedPublicKey,
    },
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde::{Deserialize, Serialize};

use crate::{Error, error::Result, store::Store};

/// Where the key is that signs the tokens; made when it is first needed.
const KEY: &str = "core/wrapping/jwtkey";

/// The only form there is: ECDSA over P-521.
const HEADER: &str = r#"{"alg":"ES512","typ":"JWT"}"#;

/// What the claim `type` says.
const WRAPPING: &str = "wrapping";

/// What a token in the form of a JWT says.
#[derive(Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The accessor of what is wrapped, where that is a token; else empty.
    pub(super) accessor: String,
    /// Where it can be unwrapped.
    pub(super) addr: String,
    pub(super) exp: i64,
    pub(super) iat: i64,
    /// The wrapping token itself.
    pub(super) jti: String,
    pub(super) nbf: i64,
    r#type: String,
}

impl Claims {
    /// Good from now, and for clocks that are a little behind.
    pub(crate) fn new(token: &str, accessor: &str, addr: &str, now: i64, ttl: u64) -> Self {
        Self {
            accessor: accessor.to_owned(),
            addr: addr.to_owned(),
            exp: now.saturating_add_unsigned(ttl),
            iat: now,
            jti: token.to_owned(),
            nbf: now - 5,
            r#type: WRAPPING.to_owned(),
        }
    }
}

/// Signs wrapping tokens, and knows its own again.
pub(crate) struct Signer(EcdsaKeyPair);

#[derive(Serialize, Deserialize)]
struct Record {
    /// In base64.
    pkcs8: String,
}

impl Signer {
    /// With the key that is stored.
    pub(super) async fn open(store: &Store) -> Result<Self> {
        let record = match store.read::<Record>(KEY).await? {
            Some(record) => record,
            None => {
                let record = Record::make()?;
                store.write(KEY.to_owned(), &record).await?;
                record
            }
        };
        record.signer().ok_or(Error::Missing(KEY))
    }

    /// With a key of its own.
    pub(crate) fn make() -> Result<Self> {
        Record::make()?.signer().ok_or(Error::Random)
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String> {
        let claims = serde_json::to_vec(claims).expect("claims have a form in JSON");
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(HEADER), URL_SAFE_NO_PAD.encode(claims));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).map_err(|_| Error::Random)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The wrapping token that a JWT of ours stands for. How long that lives, its record says.
    pub(crate) fn verified(&self, jwt: &str) -> Option<String> {
        let (signed, signature) = jwt.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, self.0.public_key());
        key.verify(signed.as_bytes(), &signature).ok()?;
        let (_, claims) = signed.split_once('.')?;
        let claims: Claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        (claims.r#type == WRAPPING).then_some(claims.jti)
    }
}

impl Record {
    fn make() -> Result<Self> {
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, &SystemRandom::new());
        Ok(Self { pkcs8: STANDARD.encode(made.map_err(|_| Error::Random)?) })
    }

    fn signer(&self) -> Option<Signer> {
        let pkcs8 = STANDARD.decode(&self.pkcs8).ok()?;
        EcdsaKeyPair::from_pkcs8(&ECDSA_P521_SHA512_FIXED_SIGNING, &pkcs8).ok().map(Signer)
    }
}

/// Whether a token has the form of a JWT: two dots, none of them where our own tokens have one.
pub(crate) fn is_jwt(token: &str) -> bool {
    let bytes = token.as_bytes();
    bytes.iter().filter(|byte| **byte == b'.').count() == 2
        && [1, 3].iter().all(|place| bytes.get(*place) != Some(&b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer::make().unwrap()
    }

    fn claims() -> Claims {
        Claims::new("hvs.abc", "", "https://127.0.0.1:8200", 1_000, 60)
    }

    #[test]
    fn a_token_is_signed_and_known_again_and_nobody_elses_is() {
        let (signer, other) = (signer(), signer());
        let jwt = signer.sign(&claims()).unwrap();
        assert!(is_jwt(&jwt));
        assert_eq!(signer.verified(&jwt), Some("hvs.abc".to_owned()));
        let signature = URL_SAFE_NO_PAD.decode(jwt.rsplit_once('.').unwrap().1).unwrap();
        assert_eq!(signature.len(), 132);

        assert_eq!(other.verified(&jwt), None);
        for place in 0..jwt.len() {
            let mut forged = jwt.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = String::from_utf8(forged).unwrap();
            assert_eq!(signer.verified(&forged), None, "{place}");
        }
    }

    #[test]
    fn one_for_another_purpose_is_refused() {
        let signer = signer();
        let other = Claims { r#type: "login".to_owned(), ..claims() };
        assert_eq!(signer.verified(&signer.sign(&other).unwrap()), None);
    }

    #[test]
    fn the_claims_are_vaults() {
        let written = serde_json::to_value(claims()).unwrap();
        assert_eq!(
            written,
            serde_json::json!({
                "accessor": "", "addr": "https://127.0.0.1:8200", "exp": 1060, "iat": 1000, "jti": "hvs.abc",
                "nbf": 995, "type": "wrapping",
            })
        );
    }

    #[test]
    fn our_own_tokens_are_no_jwts() {
        for plain in ["hvs.abc", "hvs.abc.def", "s.abc.def", "a.b", "", "ab.c.d.e"] {
            assert!(!is_jwt(plain), "{plain}");
        }
        assert!(is_jwt("eyJh.eyJh.c2ln"));
    }
}
