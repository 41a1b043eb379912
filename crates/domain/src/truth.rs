/// A truth value as Go's `strconv.ParseBool` reads it, which is what Vault's clients were written against.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_spelled_as_in_go() {
        for (text, truth) in
            [("True", Some(true)), ("1", Some(true)), ("f", Some(false)), ("yes", None), ("", None)]
        {
            assert_eq!(parse_bool(text), truth, "{text}");
        }
    }
}
