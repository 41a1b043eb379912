use std::convert::Infallible;

use proptest::prelude::*;

use super::{PasswordPolicy, draw::fair};

const COMMON: &str = r#"
length = 20
rule "charset" {
  charset   = "abcdefghijklmnopqrstuvwxyz"
  min-chars = 1
}
rule "charset" {
  charset   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  min-chars = 1
}
rule "charset" {
  charset   = "0123456789"
  min-chars = 1
}
rule "charset" {
  charset   = "!@#$%^&*"
  min-chars = 1
}
"#;

/// Bytes that look random, and are the same each time.
fn bytes(mut state: u64) -> impl FnMut(&mut [u8]) -> Result<(), Infallible> {
    move |block| {
        for byte in block {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            *byte = state.to_be_bytes()[0];
        }
        Ok(())
    }
}

fn made(policy: &PasswordPolicy, tries: usize, seed: u64) -> Option<String> {
    let Ok(made) = policy.generate(tries, bytes(seed));
    made.map(|password| password.expose().clone())
}

fn refusal(text: &str) -> String {
    text.parse::<PasswordPolicy>().unwrap_err().to_string()
}

#[test]
fn every_index_stands_for_as_many_bytes_as_any_other() {
    for bound in 1..=256 {
        let mut counts = vec![0; bound];
        for index in (0..=u8::MAX).filter_map(|byte| fair(byte, bound)) {
            counts[index] += 1;
        }
        assert!(counts.iter().all(|count| *count == 256 / bound), "{bound}: {counts:?}");
    }
}

#[test]
fn every_allowed_password_is_as_likely_as_any_other() {
    // Of the four texts of two letters out of a and b, three have an a in them.
    let text = r#"length = 2
        rule "charset" { charset = "a" min-chars = 1 }
        rule "charset" { charset = "b" }"#;
    let policy: PasswordPolicy = text.parse().unwrap();
    let mut counts = std::collections::BTreeMap::new();
    for (first, second) in (0..=u8::MAX).flat_map(|first| (0..=u8::MAX).map(move |second| (first, second))) {
        let Ok(made) = policy.generate(1, |block| {
            block[..2].copy_from_slice(&[first, second]);
            Ok::<_, Infallible>(())
        });
        *counts.entry(made.map(|password| password.expose().clone())).or_insert(0) += 1;
    }
    let fair = [None, Some("aa"), Some("ab"), Some("ba")].map(|text| (text.map(str::to_owned), 1 << 14));
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), fair);
}

#[test]
fn the_same_policy_may_be_written_in_json() {
    let json = r#"{"length": 20, "rule": [{"charset": [{"charset": "ab", "min-chars": 1}]}, {"charset": {"charset": "c"}}]}"#;
    let hcl = "length = 20\nrule \"charset\" {\ncharset = \"ba\"\nmin-chars = 1\n}\nrule \"charset\" {\ncharset = \"c\"\n}";
    assert_eq!(json.parse::<PasswordPolicy>().unwrap(), hcl.parse().unwrap());
}

#[test]
fn what_is_wrong_is_told_in_vaults_words() {
    let list = |problem: &str| format!("1 error occurred:\n\t* {problem}\n\n");
    let charset = "rule \"charset\" {\n charset = \"abcdef\"\n min-chars = 5\n}\n";
    assert_eq!(refusal(charset), list("length must be > 0"));
    assert_eq!(refusal(&format!("length = -1\n{charset}")), list("length must be > 0"));
    assert_eq!(
        refusal(&format!("length = 4\n{charset}")),
        list("specified rules require at least 5 characters but 4 is specified")
    );
    assert_eq!(refusal("length = 20"), list("no charset specified"));
    assert_eq!(refusal(""), "2 errors occurred:\n\t* length must be > 0\n\t* no charset specified\n\n");
    assert_eq!(
        refusal("length = 20\nrule \"charset\" { charset = \"a\\n\" }"),
        list("non-printable character in charset")
    );
    assert_eq!(refusal("rule \"zap\" {}"), "unable to parse rules: unrecognized rule type zap");
    assert!(refusal("length = \"20\"").starts_with("failed to decode configuration: length"));
    assert!(refusal("length = 1.5").starts_with("failed to decode configuration: length"));
    assert!(refusal("length = ").starts_with("unable to decode: At 1:"));
    assert!(refusal("{\"length\": 4, \"rule\": 3}").starts_with("failed to decode configuration: rule"));
    let many: String = ('\u{4e00}'..'\u{5000}').collect();
    let many = format!("length = 4\nrule \"charset\" {{ charset = \"{many}\" }}");
    assert_eq!(refusal(&many), list("charset is too long: limited to 256 characters"));
}

#[test]
fn a_policy_that_nothing_fits_gives_up() {
    // Four of four have to be the one letter among 200.
    let others: String = ('\u{100}'..'\u{1c7}').collect();
    let text = format!(
        "length = 4\nrule \"charset\" {{ charset = \"a\" min-chars = 4 }}\nrule \"charset\" {{ charset = \"{others}\" }}"
    );
    assert_eq!(made(&text.parse().unwrap(), 1000, 1), None);
}

#[test]
fn a_source_without_bytes_is_an_error() {
    let policy: PasswordPolicy = COMMON.parse().unwrap();
    assert_eq!(policy.generate(10, |_| Err("dry")).unwrap_err(), "dry");
}

proptest! {
    #[test]
    fn what_is_made_is_allowed(seed: u64, length in 4_usize..100, sets in prop::collection::vec(("[a-zA-Z0-9äöü]{1,30}", 0_usize..2), 1..5)) {
        let rules: String = sets
            .iter()
            .map(|(set, least)| format!("rule \"charset\" {{ charset = \"{set}\" min-chars = {least} }}\n"))
            .collect();
        let policy: PasswordPolicy = format!("length = {length}\n{rules}").parse().unwrap();
        prop_assert_eq!(policy.length(), length);
        if let Some(password) = made(&policy, 10_000, seed) {
            prop_assert!(policy.allows(&password));
            prop_assert_eq!(password.chars().count(), length);
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,80}") {
        let _ = text.parse::<PasswordPolicy>();
    }

    #[test]
    fn what_lacks_a_character_or_has_a_strange_one_is_not_allowed(seed: u64, place in 0_usize..20) {
        let policy: PasswordPolicy = COMMON.parse().unwrap();
        let password: Vec<char> = made(&policy, 10_000, seed).unwrap().chars().collect();
        let mut strange = password.clone();
        strange[place] = 'ß';
        prop_assert!(!policy.allows(&strange.into_iter().collect::<String>()));
        let plain: String = password.iter().map(|each| if each.is_ascii_digit() { 'a' } else { *each }).collect();
        prop_assert!(!policy.allows(&plain));
        prop_assert!(!policy.allows(&password[1..].iter().collect::<String>()));
    }
}
