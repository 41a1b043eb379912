//! The seeds of each fuzz target, and what has crashed one before, without the fuzzer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path};

use targets::Target;

#[test]
fn s1_every_seed_does_no_harm_however_it_is_cut() {
    for (name, target) in targets::ALL {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../seeds").join(name);
        let seeds: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(!seeds.is_empty(), "{name} has seeds");
        for seed in seeds {
            eprintln!("{}", seed.display());
            cut(target, &fs::read(seed).unwrap());
        }
    }
}

/// The whole, every beginning of it, and it without each single byte.
fn cut(target: Target, seed: &[u8]) {
    target(seed);
    for at in 0..seed.len() {
        target(&seed[..at]);
        target(&[&seed[..at], &seed[at + 1..]].concat());
    }
}
