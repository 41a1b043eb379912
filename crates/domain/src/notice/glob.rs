/// Whether a text is one that a pattern stands for, in which every `*` is any text, or none.
pub fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|head| text.strip_prefix(head)) else { return false };
    let Some(tail) = parts.next_back() else { return rest.is_empty() };
    let Some(mut rest) = rest.strip_suffix(tail) else { return false };
    // Each as early as can be: what comes after it then has the most room.
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    true
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
            assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
        }
    }

    /// Slowly, by its meaning.
    fn meant(pattern: &[u8], text: &[u8]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some((b'*', rest)) => (0..=text.len()).any(|at| meant(rest, &text[at..])),
            Some((letter, rest)) => {
                text.split_first().is_some_and(|(one, more)| one == letter && meant(rest, more))
            }
        }
    }

    proptest! {
        #[test]
        fn it_means_what_it_says(pattern in "[ab*]{0,7}", text in "[ab]{0,9}") {
            prop_assert_eq!(glob(&pattern, &text), meant(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
