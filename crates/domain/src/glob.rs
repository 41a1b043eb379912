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
    fn a_star_is_any_text() {
        for (pattern, text, matches) in [
            ("kv-v2/data-write", "kv-v2/data-write", true),
            ("kv-v2/data-write", "kv-v2/data-writes", false),
            ("kv*", "kv-v2/data-write", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("*write", "kv-v2/data-write", true),
            ("kv*/*-write", "kv-v2/data-write", true),
            ("a*a", "a", false),
            ("a*b*c", "a-c-b", false),
            ("**", "x", true),
        ] {
            assert_eq!(matches_glob(pattern, text), matches, "{pattern} {text}");
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
