use std::fmt;

/// As many bytes of foreign output as an error quotes.
const LIMIT: usize = 256;

/// The beginning of what a foreign program wrote, fit to be shown: short, and without control characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: String,
    cut: bool,
}

impl Excerpt {
    /// An excerpt of `output`.
    pub fn new(output: &[u8]) -> Self {
        let shown = &output[..output.len().min(LIMIT)];
        let text = String::from_utf8_lossy(shown).chars().flat_map(visible).collect();
        Self { text, cut: shown.len() < output.len() }
    }

    /// Whether there was no output at all.
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty()
    }
}

/// A character as it may be shown.
fn visible(c: char) -> impl Iterator<Item = char> {
    let plain = (!c.is_control() && !is_reordering(c)).then_some(c);
    let escaped = plain.is_none().then(|| c.escape_default()).into_iter().flatten();
    plain.into_iter().chain(escaped)
}

/// Characters that change the order in which a terminal shows others.
const fn is_reordering(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ellipsis = if self.cut { "…" } else { "" };
        write!(f, "\"{}{ellipsis}\"", self.text)
    }
}

impl fmt::Debug for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn control_characters_are_shown_not_obeyed() {
        assert_eq!(Excerpt::new(b"\x1b[31mred\r\n").to_string(), r#""\u{1b}[31mred\r\n""#);
    }

    #[test]
    fn long_output_is_cut() {
        assert_eq!(Excerpt::new(&[b'x'; 1000]).to_string().chars().count(), LIMIT + 3);
    }

    proptest! {
        #[test]
        fn an_excerpt_is_short_and_printable(output in prop::collection::vec(any::<u8>(), 0..2000)) {
            let shown = Excerpt::new(&output).to_string();
            prop_assert!(shown.len() <= LIMIT * 10);
            prop_assert!(!shown.chars().any(char::is_control));
        }
    }
}
