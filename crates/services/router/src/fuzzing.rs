//! Doors for the fuzz targets to what nobody else calls from outside.

use domain::Token;

use crate::{
    error::Result,
    fields::Fields,
    plugin,
    token::{BatchSeal, SaltedId, TokenEntry},
    wrapping::{Claims, Signer, is_jwt},
};

/// How many members a plugin's data have; none: they are refused.
pub fn members(data: &[u8]) -> Option<usize> {
    plugin::Data::of(data).ok().map(|data| data.count)
}

/// Whether one of our own endpoints takes a body.
pub fn is_taken(body: &[u8]) -> bool {
    Fields::parse(body).is_ok()
}

/// Whether a text names the record of a token.
pub fn is_id(text: &str) -> bool {
    SaltedId::parse(text).is_some_and(|id| id.to_string() == text.to_lowercase())
}

/// Makes tokens that are known by what is in them, and knows its own again.
pub struct Mint {
    seal: BatchSeal,
    signer: Signer,
}

impl Mint {
    /// With keys of its own.
    pub fn new() -> Result<Self> {
        Ok(Self { seal: BatchSeal::new(&[7; 32]), signer: Signer::make()? })
    }

    /// A batch token.
    pub fn batch(&self) -> Result<Token> {
        self.seal.seal(&TokenEntry::at("auth/a/login", String::new())).map(Token::new)
    }

    /// Whether that is a batch token made here.
    pub fn opens(&self, token: &str) -> bool {
        self.seal.open(token).is_some()
    }

    /// A wrapping token in the form of a JWT.
    pub fn jwt(&self, token: &str) -> Result<String> {
        self.signer.sign(&Claims::new(token, "", "http://127.0.0.1:8200", 1_000, 60))
    }

    /// The wrapping token that a JWT made here stands for.
    pub fn verified(&self, jwt: &str) -> Option<String> {
        Some(jwt).filter(|jwt| is_jwt(jwt)).and_then(|jwt| self.signer.verified(jwt))
    }
}
