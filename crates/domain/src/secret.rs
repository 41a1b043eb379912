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

    /// Likewise, for changing it in place.
    pub fn expose_mut(&mut self) -> &mut T {
        &mut self.0
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
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    };

    use super::*;

    /// Notes that it was wiped.
    #[derive(Clone, Default)]
    struct Wiped(Arc<AtomicBool>);

    impl Zeroize for Wiped {
        fn zeroize(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn t10_a_secret_is_wiped_when_it_is_dropped_and_so_is_each_copy() {
        let (first, second) = (Wiped::default(), Wiped::default());
        let secret = Secret::new(first.clone());
        let copy = Secret::new(second.clone()).clone();
        assert!(!first.0.load(Ordering::Relaxed));
        drop(secret);
        drop(copy);
        assert!(first.0.load(Ordering::Relaxed) && second.0.load(Ordering::Relaxed));
    }

    #[test]
    fn t10_a_secret_does_not_show_itself() {
        assert_eq!(format!("{:?}", Token::new("hvs.x".to_owned())), "[secret]");
    }
}
