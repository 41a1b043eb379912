use std::str::FromStr;

use super::{InvalidPasswordPolicy, draw::Draw, parse};
use crate::Secret;

/// What a password has to look like: how long it is, and how many characters of which sorts are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    pub(super) length: usize,
    /// Everything that may be in it, each character once. Never empty, and at most 256.
    pub(super) alphabet: Vec<char>,
    pub(super) rules: Vec<Charset>,
}

/// A rule: of these characters there have to be so many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Charset {
    pub(super) characters: Vec<char>,
    pub(super) at_least: usize,
}

impl Charset {
    pub(super) fn holds_for(&self, password: &[char]) -> bool {
        self.at_least == 0
            || password.iter().filter(|each| self.characters.contains(each)).count() >= self.at_least
    }
}

impl FromStr for PasswordPolicy {
    type Err = InvalidPasswordPolicy;

    fn from_str(text: &str) -> Result<Self, InvalidPasswordPolicy> {
        parse::parse(text)
    }
}

impl PasswordPolicy {
    /// How many characters a password has.
    pub const fn length(&self) -> usize {
        self.length
    }

    /// Whether all rules hold for a password.
    pub fn allows(&self, password: &str) -> bool {
        let password: Vec<char> = password.chars().collect();
        password.len() == self.length
            && password.iter().all(|each| self.alphabet.contains(each))
            && self.rules.iter().all(|rule| rule.holds_for(&password))
    }

    /// Makes up a password. Candidates are drawn from all characters until the rules hold for one, so that every
    /// password that the policy allows is as likely as any other. None: so many candidates were not enough.
    ///
    /// # Errors
    /// The source of random bytes has none.
    pub fn generate<E>(
        &self,
        tries: usize,
        fill: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Option<Secret<String>>, E> {
        let mut draw = Draw::new(fill);
        let mut candidate = Secret::new(vec!['\0'; self.length]);
        for _ in 0..tries {
            for place in candidate.expose_mut() {
                *place = self.alphabet[draw.below(self.alphabet.len())?];
            }
            if self.rules.iter().all(|rule| rule.holds_for(candidate.expose())) {
                return Ok(Some(Secret::new(candidate.expose().iter().collect())));
            }
        }
        Ok(None)
    }
}
