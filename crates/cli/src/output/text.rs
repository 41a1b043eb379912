const WIDTH: usize = 78;

/// Lines of no more than a terminal's width; those after the first begin with blanks.
pub fn wrapped(text: &str, indent: usize) -> String {
    let paragraph = |text: &str| {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            let line = lines.last().map_or(0, |line| line.chars().count());
            if line > indent && line + 1 + word.chars().count() > WIDTH {
                lines.push(" ".repeat(indent));
            }
            let Some(line) = lines.last_mut() else { continue };
            if !line.is_empty() && !line.ends_with(' ') {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.join("\n")
    };
    text.split('\n').map(paragraph).collect::<Vec<_>>().join("\n")
}

/// A heading between equals signs, as wide as what is below it.
pub fn boxed(heading: &str, width: usize) -> String {
    let signs = match width.saturating_sub(heading.chars().count() + 2) {
        0 => 4,
        odd if odd % 2 == 1 => odd + 1,
        even => even,
    };
    let side = "=".repeat(signs / 2);
    format!("{side} {heading} {side}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headings_are_as_wide_as_what_is_below_them() {
        assert_eq!(boxed("Data", 10), "== Data ==");
        assert_eq!(boxed("Data", 9), "== Data ==");
        assert_eq!(boxed("Secret Path", 3), "== Secret Path ==");
    }

    proptest! {
        #[test]
        fn no_word_is_lost_and_no_line_too_long(words in proptest::collection::vec("[a-z]{1,12}", 1..60)) {
            let told = wrapped(&words.join(" "), 2);
            prop_assert!(told.lines().all(|line| line.chars().count() <= WIDTH));
            prop_assert_eq!(told.split_whitespace().collect::<Vec<_>>(), words);
        }
    }
}
