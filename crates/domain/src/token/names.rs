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

#[cfg(test)]
mod tests {
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
}
