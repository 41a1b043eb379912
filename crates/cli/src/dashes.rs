//! Vault's flags have one dash, clap's have two: what comes in gets its second one, what is shown loses it.

use std::ffi::OsString;

/// Gives flags of more than one letter their second dash; what follows `--` stays as it is.
pub fn two_dashes(arguments: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut plain = false;
    let rewrite = |argument: OsString| {
        plain |= argument == "--";
        match argument.to_str() {
            Some(text) if !plain && is_single_dashed(text) => OsString::from(format!("-{text}")),
            _ => argument,
        }
    };
    arguments.map(rewrite).collect()
}

fn is_single_dashed(text: &str) -> bool {
    let Some(name) = text.strip_prefix('-') else { return false };
    let name = name.split('=').next().unwrap_or_default();
    name.len() > 1 && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Takes the second dash of flags away again, in a text that clap made.
pub fn one_dash(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("--") {
        let (before, after) = rest.split_at(at);
        let begins =
            before.chars().next_back().or(told.chars().next_back()).is_none_or(|c| " [<(|'\"`\n".contains(c));
        told.push_str(before);
        told.push_str(if begins && after[2..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            "-"
        } else {
            "--"
        });
        rest = &after[2..];
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn short_flags_values_and_what_follows_two_dashes_stay() {
        let words = ["-h", "-", "--", "-config", "-1", "a-b"].map(OsString::from);
        assert_eq!(two_dashes(words.clone().into_iter()), words);
    }

    #[test]
    fn only_flags_lose_a_dash() {
        assert_eq!(
            one_dash("  --field <NAME>, [--a|--b] a--b '--c' --- --"),
            "  -field <NAME>, [-a|-b] a--b '-c' --- --"
        );
    }

    proptest! {
        #[test]
        fn a_flag_is_the_same_with_one_dash_or_two(name in "[a-z][a-z-]{1,12}", value in "(=.{0,8})?") {
            let form = |dashes: &str| two_dashes([OsString::from(format!("{dashes}{name}{value}"))].into_iter());
            prop_assert_eq!(form("-"), form("--"));
        }

        #[test]
        fn what_is_no_flag_is_never_changed(word in "[^-].{0,12}") {
            let words = vec![OsString::from(word)];
            prop_assert_eq!(two_dashes(words.clone().into_iter()), words);
        }
    }
}
