//! Shares in Vault's form: one byte for each byte of the secret, then the byte `x` that the share was taken at.
//!
//! The arithmetic is that of `vsss-rs`: the same field as Vault's, without tables, and without indices or branches
//! that depend on a secret. It writes `x` first, so a share is turned by one byte on its way.

use domain::Secret;
use rand::{SeedableRng, rngs::StdRng};
use vsss_rs::Gf256;

use super::entry::random;
use crate::{Error, Result};

/// Splits a secret into shares, of which any `threshold` make it again. A single share is the secret itself.
pub fn split(secret: &[u8], shares: u8, threshold: u8) -> Result<Vec<Secret<Vec<u8>>>> {
    if shares == 1 {
        return Ok(vec![Secret::new(secret.to_vec())]);
    }
    // Seeded once from the system's random source, which may fail; what it seeds cannot.
    let generator = StdRng::from_seed(*random()?.expose());
    let split = Gf256::split_bytes(threshold.into(), shares.into(), secret, generator)
        .map_err(|error| Error::backend(error.to_string()))?;
    let turned = split.into_iter().map(|mut share| {
        share.rotate_left(1);
        Secret::new(share)
    });
    Ok(turned.collect())
}

/// Makes the secret again; `None` when these cannot be shares of one secret. Wrong shares make a wrong secret.
pub fn combine(shares: &[Secret<Vec<u8>>]) -> Option<Secret<Vec<u8>>> {
    if let [only] = shares {
        return Some(only.clone());
    }
    let turned = shares.iter().map(|share| {
        let mut share = share.expose().clone();
        let by = share.len().min(1);
        share.rotate_right(by);
        share
    });
    let turned = Secret::new(turned.collect::<Vec<_>>());
    Gf256::combine_bytes(turned.expose()).ok().map(Secret::new)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*, sample::subsequence};

    use super::*;

    fn share(bytes: &[u8]) -> Secret<Vec<u8>> {
        Secret::new(bytes.to_vec())
    }

    proptest! {
        #[test]
        fn any_threshold_of_shares_makes_the_secret(
            secret in vec(any::<u8>(), 1..40),
            (chosen, threshold, shares) in (2u8..8)
                .prop_flat_map(|threshold| (Just(threshold), threshold..12))
                .prop_flat_map(|(threshold, shares)| {
                    let all: Vec<usize> = (0..shares.into()).collect();
                    (subsequence(all, usize::from(threshold)), Just(threshold), Just(shares))
                }),
        ) {
            let split = split(&secret, shares, threshold).unwrap();
            let mut chosen: Vec<_> = chosen.into_iter().map(|i| split[i].clone()).collect();
            chosen.reverse();
            let combined = combine(&chosen).unwrap();
            prop_assert_eq!(combined.expose(), &secret);
        }

        #[test]
        fn no_input_makes_it_panic(shares in vec(vec(any::<u8>(), 0..5), 0..5)) {
            let shares: Vec<_> = shares.into_iter().map(Secret::new).collect();
            let _ = combine(&shares);
        }
    }

    #[test]
    fn shares_have_the_form_of_the_field() {
        // The line through 0x53 with slope 0x01 in the field of AES: f(x) = 0x53 + x.
        let shares = [share(&[0x52, 0x01]), share(&[0x51, 0x02])];
        assert_eq!(combine(&shares).unwrap().expose(), &[0x53]);
        // 0x53 times 0xca is one: f(x) = 0x53 * x meets 0x01 at 0xca, and zero at zero.
        let shares = [share(&[0x01, 0xca]), share(&[0x53, 0x01])];
        assert_eq!(combine(&shares).unwrap().expose(), &[0x00]);
    }

    #[test]
    fn shares_made_by_vault_make_their_secret_here() {
        let made = [
            "642f3ff67029e6bf5e271c0d06494b3970f5",
            "25358b197497ba1a5be18acf2d269f871916",
            "99567fc54295fe901d7ff28fa4fbd5025c69",
            "83dddab7b48909213d51493ef1905f6e1e1c",
            "3c64528b9fafea614f5ed4242b3df164b7ba",
        ];
        let shares = made.map(|share| Secret::new(hex::decode(share).unwrap()));
        for three in shares.windows(3) {
            assert_eq!(combine(three).unwrap().expose(), b"mortise and tenon");
        }
    }

    #[test]
    fn fewer_shares_or_others_do_not_make_the_secret() {
        let secret = [42; 32];
        let shares = split(&secret, 5, 3).unwrap();
        assert_ne!(combine(&shares[..2]).unwrap().expose(), &secret);
        let mut mixed = shares[..2].to_vec();
        mixed.push(split(&secret, 5, 3).unwrap()[4].clone());
        assert_ne!(combine(&mixed).unwrap().expose(), &secret);
    }

    #[test]
    fn shares_that_cannot_belong_together_are_refused() {
        let twice = [share(&[1, 1]), share(&[2, 1])];
        let unequal = [share(&[1, 1]), share(&[2, 2, 2])];
        let at_zero = [share(&[1, 0]), share(&[2, 1])];
        for shares in [&twice[..], &unequal, &at_zero, &[]] {
            assert!(combine(shares).is_none());
        }
    }

    #[test]
    fn a_single_share_is_the_secret() {
        let shares = split(&[9; 32], 1, 1).unwrap();
        assert_eq!(shares[0].expose(), &[9; 32]);
        assert_eq!(combine(&shares).unwrap().expose(), &[9; 32]);
    }
}
