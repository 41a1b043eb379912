use domain::Secret;
use tenon::database::Error;

use super::connected::hide;

/// What stands for the placeholders of statements.
#[derive(Clone)]
pub(super) struct Fill<'f> {
    pub(super) username: &'f str,
    pub(super) password: Option<&'f Secret<String>>,
    pub(super) expiration: Option<String>,
}

/// Where in a statement one is.
#[derive(Clone, Copy)]
enum Within {
    Nothing,
    Quotes(char),
    /// A comment up to the end of its line.
    Line,
    /// Comments in each other, as many as that.
    Block(usize),
}

impl Within {
    /// After the next characters, and how many bytes those have.
    fn after(self, rest: &str, next: char) -> (Self, usize) {
        match (self, next) {
            (Self::Nothing, '-') if rest.starts_with("--") => (Self::Line, 2),
            (Self::Nothing, '/') if rest.starts_with("/*") => (Self::Block(1), 2),
            (Self::Nothing, '\'' | '"') => (Self::Quotes(next), 1),
            (Self::Quotes(open), same) if open == same => (Self::Nothing, 1),
            (Self::Line, '\n') => (Self::Nothing, 1),
            (Self::Block(depth), '/') if rest.starts_with("/*") => (Self::Block(depth + 1), 2),
            (Self::Block(1), '*') if rest.starts_with("*/") => (Self::Nothing, 2),
            (Self::Block(depth), '*') if rest.starts_with("*/") => (Self::Block(depth - 1), 2),
            (within, next) => (within, next.len_utf8()),
        }
    }
}

impl Fill<'_> {
    /// A statement with values in the place of `{{name}}`, `{{username}}`, `{{password}}` and `{{expiration}}`. A value
    /// that stands between quotes cannot end them: names are made up from what callers are called. What stands in a
    /// comment stays, as a value could end that.
    pub(super) fn statement(&self, template: &str) -> String {
        let mut statement = String::with_capacity(template.len() + 64);
        let mut within = Within::Nothing;
        let mut rest = template;
        while let Some(next) = rest.chars().next() {
            let filled = match (within, self.placeholder(rest)) {
                (Within::Line | Within::Block(_), _) | (_, None) => None,
                (Within::Quotes('\''), Some((value, after))) => Some((value.replace('\'', "''"), after)),
                (Within::Quotes(_), Some((value, after))) => Some((value.replace('"', "\"\""), after)),
                (Within::Nothing, Some((value, after))) => Some((value.to_owned(), after)),
            };
            if let Some((value, after)) = filled {
                statement.push_str(&value);
                rest = after;
                continue;
            }
            let (then, length) = within.after(rest, next);
            let (taken, after) = rest.split_at(length);
            statement.push_str(taken);
            (within, rest) = (then, after);
        }
        statement
    }

    /// The value of the placeholder that a text begins with, and what follows it.
    fn placeholder<'t>(&self, text: &'t str) -> Option<(&str, &'t str)> {
        let (name, after) = text.strip_prefix("{{")?.split_once("}}")?;
        let value = match name {
            "name" | "username" => self.username,
            "password" => self.password?.expose(),
            "expiration" => self.expiration.as_deref()?,
            _ => return None,
        };
        Some((value, after))
    }

    /// An error that does not repeat the user's new password. Databases repeat what they do not understand.
    pub(super) fn hide_password_in(&self, error: Error) -> Error {
        match (error, self.password) {
            (Error::Failed(sentence), Some(password)) => Error::Failed(hide(&sentence, password.expose())),
            (error, _) => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filled(template: &str, username: &str, password: &str) -> String {
        let password = Secret::new(password.to_owned());
        let fill = Fill { username, password: Some(&password), expiration: Some("tomorrow".to_owned()) };
        fill.statement(template)
    }

    #[test]
    fn placeholders_are_filled_once_and_others_stay() {
        let template = r#"CREATE ROLE "{{name}}" PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'; {{username}} {{x}} {{"#;
        assert_eq!(
            filled(template, "v-{{password}}", "p"),
            r#"CREATE ROLE "v-{{password}}" PASSWORD 'p' VALID UNTIL 'tomorrow'; v-{{password}} {{x}} {{"#
        );
    }

    #[test]
    fn a_quote_in_a_comment_opens_nothing_and_what_stands_in_one_stays() {
        for comment in ["-- don't {{name}}\n", "/* don't /* {{name}} */ \" */"] {
            let template = format!("A {comment} \"{{{{name}}}}\" '--' {{{{name}}}}");
            assert_eq!(filled(&template, "x\"y", "p"), format!("A {comment} \"x\"\"y\" '--' x\"y"));
        }
    }

    #[test]
    fn what_is_not_known_stays_as_it_is() {
        let fill = Fill { username: "u", password: None, expiration: None };
        assert_eq!(fill.statement("{{name}} {{password}}"), "u {{password}}");
    }

    proptest! {
        #[test]
        fn no_value_ends_the_quotes_that_it_stands_in(username in ".*", password in ".*") {
            let statement = filled(r#"A "x{{name}}y" 'x{{password}}y' B"#, &username, &password);
            let expected = format!(
                r#"A "x{}y" 'x{}y' B"#,
                username.replace('"', "\"\""),
                password.replace('\'', "''")
            );
            prop_assert_eq!(statement, expected);
        }
    }
}
