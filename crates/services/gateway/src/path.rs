use std::borrow::Cow;

use domain::{InvalidPath, RequestPath};
use percent_encoding::percent_decode_str;

use crate::refusal::Refusal;

/// The canonical form of a path as it stands in the request line, without `/v1/`.
///
/// It is decoded once, `%2F` included. What a second decoding would turn into a dot segment, a backslash or a control
/// character is refused too: nothing behind us decodes again, and no client means it.
pub fn canonical(raw: &str) -> Result<RequestPath, Refusal> {
    let once = decode(raw)?;
    if once.contains('%') {
        forbid_hidden(&percent_decode_str(&once).decode_utf8_lossy())?;
    }
    Ok(RequestPath::try_from(once.into_owned())?)
}

fn decode(raw: &str) -> Result<Cow<'_, str>, Refusal> {
    percent_decode_str(raw).decode_utf8().map_err(|_| Refusal::PathEncoding)
}

fn forbid_hidden(twice: &str) -> Result<(), InvalidPath> {
    if twice.chars().any(|c| c.is_control() || c == '\\') {
        return Err(InvalidPath::Control);
    }
    if twice.split('/').any(|segment| matches!(segment, "." | "..")) {
        return Err(InvalidPath::Relative);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn once(c: char) -> [String; 3] {
        let code = c as u32;
        [c.to_string(), format!("%{code:02x}"), format!("%{code:02X}")]
    }

    /// The character as it is, and every way to encode it once and twice.
    fn spellings(c: char) -> Vec<String> {
        let mut all = Vec::new();
        for single in once(c) {
            all.push(single.clone());
            all.push(single.replace('%', "%25"));
            // Parts of the encoding encoded: `%2e` as `%%32e`, `%2%65`.
            if let [b'%', high, low] = single.as_bytes() {
                all.push(format!("%%{high:02x}{}", *low as char));
                all.push(format!("%{}%{low:02x}", *high as char));
            }
        }
        all
    }

    #[test]
    fn r1_no_spelling_of_a_dot_segment_passes() {
        for one in spellings('.') {
            for path in [format!("a/{one}/b"), format!("{one}/b"), format!("a/{one}"), one.clone()] {
                assert_eq!(canonical(&path), Err(InvalidPath::Relative.into()), "{path}");
            }
            for two in spellings('.') {
                let path = format!("a/{one}{two}/b");
                assert_eq!(canonical(&path), Err(InvalidPath::Relative.into()), "{path}");
            }
        }
    }

    #[test]
    fn r1_no_dot_segment_hides_between_encoded_slashes() {
        for slash in spellings('/') {
            let path = format!("a{slash}..{slash}b");
            assert_eq!(canonical(&path), Err(InvalidPath::Relative.into()), "{path}");
        }
    }

    #[test]
    fn r1_no_spelling_of_a_backslash_or_control_character_passes() {
        for c in ['\\', '\0', '\n', '\r', '\u{7f}'] {
            for spelling in spellings(c) {
                let path = format!("a{spelling}b");
                assert_eq!(canonical(&path), Err(InvalidPath::Control.into()), "{path:?}");
            }
        }
    }

    #[test]
    fn an_encoded_slash_is_a_slash_and_a_twice_encoded_one_is_a_text() {
        for raw in ["a/b", "a%2fb", "a%2Fb"] {
            assert_eq!(canonical(raw).unwrap().as_str(), "a/b");
        }
        assert_eq!(canonical("kv/https%253A%252F%252Fx").unwrap().as_str(), "kv/https%3A%2F%2Fx");
        for raw in ["a//b", "a%2f/b", "/a", "%2Fa", "a//"] {
            assert_eq!(canonical(raw), Err(InvalidPath::EmptySegment.into()), "{raw}");
        }
    }

    #[test]
    fn text_is_decoded_and_bytes_that_are_no_text_are_refused() {
        assert_eq!(canonical("a%20b/%C3%BC/100%25").unwrap().as_str(), "a b/ü/100%");
        assert_eq!(canonical("").unwrap().as_str(), "");
        for overlong in ["%c0%ae%c0%ae/a", "%e0%80%ae/a", "%ff"] {
            assert_eq!(canonical(overlong), Err(Refusal::PathEncoding), "{overlong}");
        }
    }

    proptest! {
        #[test]
        fn r1_what_passes_is_canonical_and_reads_the_same_when_encoded_again(raw in "[a.%/25eEfF\\\\0]{0,24}") {
            if let Ok(path) = canonical(&raw) {
                let text = path.as_str();
                prop_assert!(!text.contains('\\') && !text.contains("//") && !text.chars().any(char::is_control));
                prop_assert!(!text.split('/').any(|s| s == "." || s == ".."));
                let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
                prop_assert_eq!(canonical(&encoded.to_string()).unwrap(), path);
            }
        }
    }
}
