/// What everything is allowed to.
pub(super) const ROOT: &str = "root";
/// What everybody has who does not renounce it.
pub(super) const DEFAULT: &str = "default";

/// Names of policies as they are kept and compared: in lower case, without blanks around them, sorted, each once.
/// With `root` nothing else counts.
pub fn normalise<N: AsRef<str>>(names: impl IntoIterator<Item = N>) -> Vec<String> {
    let names = names.into_iter().map(|name| name.as_ref().trim().to_lowercase());
    let mut names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    names.sort_unstable();
    names.dedup();
    if names.iter().any(|name| name == ROOT) {
        names.retain(|name| name == ROOT);
    }
    names
}

/// The name that a token is shown with: `token`, and what its maker calls it, in letters, digits and hyphens.
pub fn display_name(given: &str) -> String {
    if given.is_empty() {
        return "token".to_owned();
    }
    let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
    let name: String = given.chars().map(plain).collect();
    let whole = format!("token-{name}");
    whole.strip_suffix('-').map_or_else(|| whole.clone(), str::to_owned)
}

/// Whether a text is a pattern with something, or nothing, in the place of each `*`.
pub fn matches_glob(pattern: &str, text: &str) -> bool {
    let Some((first, others)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let (middle, last) = others.rsplit_once('*').unwrap_or(("", others));
    for piece in middle.split('*') {
        // The earliest place leaves the most for what follows.
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_the_same_however_it_is_written() {
        assert_eq!(normalise([" Web", "app", "", "APP", "\t"]), ["app", "web"]);
    }

    #[test]
    fn t1_root_is_root_in_every_case_and_spacing_and_alone() {
        for name in ["root", "ROOT", " Root\t", "\u{a0}rOOt\n"] {
            assert_eq!(normalise(["app", name, "zebra"]), ["root"], "{name:?}");
        }
    }

    #[test]
    fn a_display_name_has_letters_digits_and_hyphens() {
        for (given, shown) in [
            ("", "token"),
            ("My Tok!en", "token-My-Tok-en"),
            ("a!", "token-a"),
            ("a--", "token-a-"),
            ("ä", "token-"),
        ] {
            assert_eq!(display_name(given), shown);
        }
    }

    /// Tries everything that a `*` can stand for.
    fn slowly(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|taken| slowly(rest, &text[taken..])),
            Some((letter, rest)) => text.first() == Some(letter) && slowly(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn a_glob_matches_what_trying_everything_finds(pattern in "[ab*]{0,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(matches_glob(&pattern, &text), slowly(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
