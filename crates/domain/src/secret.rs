use std::fmt;

use zeroize::{Zeroize, Zeroizing};

/// Something that no log, error, trace or event may show. Wiped when dropped.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(Zeroizing<T>);

impl<T: Zeroize> Secret<T> {
    /// Takes charge of a secret.
    pub fn new(secret: T) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself; the name makes each use easy to find.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// A client's token.
pub type Token = Secret<String>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t10_a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token::new("hvs.x".to_owned())), "[secret]");
    }
}
