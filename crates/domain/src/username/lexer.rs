use std::str::Chars;

use super::InvalidUsernameTemplate;

/// A piece of a template.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Stands for itself.
    Text(String),
    /// What is between braces.
    Action(Vec<Token>),
}

/// A word of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// The name of a function.
    Word(String),
    /// `.Field`, without the dot.
    Field(String),
    /// A literal text.
    Text(String),
    /// A literal number.
    Number(i64),
    /// `|`
    Pipe,
    /// `(`
    Open,
    /// `)`
    Close,
}

type Result<T> = std::result::Result<T, InvalidUsernameTemplate>;

fn malformed(what: impl Into<String>) -> InvalidUsernameTemplate {
    InvalidUsernameTemplate::Malformed(what.into())
}

/// Text and actions, in turn.
pub(super) fn pieces(template: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    let mut trim = false;
    while let Some(at) = rest.find("{{") {
        let (text, action) = (&rest[..at], &rest[at + 2..]);
        let trims_before = action.starts_with('-') && action[1..].starts_with(char::is_whitespace);
        let text = if trim { text.trim_start() } else { text };
        pieces.push(Piece::Text(if trims_before { text.trim_end() } else { text }.to_owned()));
        let action = if trims_before { &action[1..] } else { action };
        let (tokens, after) = if let Some(comment) = action.trim_start().strip_prefix("/*") {
            skip_comment(comment)?
        } else {
            let (tokens, after) = tokens(action)?;
            (Some(tokens), after)
        };
        pieces.extend(tokens.map(Piece::Action));
        (trim, rest) = after;
    }
    pieces.push(Piece::Text(if trim { rest.trim_start() } else { rest }.to_owned()));
    Ok(pieces)
}

/// Whether the text after an action is trimmed, and that text.
type After<'t> = (bool, &'t str);

fn skip_comment(comment: &str) -> Result<(Option<Vec<Token>>, After<'_>)> {
    let (_, rest) = comment.split_once("*/").ok_or_else(|| malformed("a comment has no end"))?;
    let trims = rest.trim_start().starts_with('-');
    let rest = rest.trim_start().trim_start_matches('-');
    let rest = rest.strip_prefix("}}").ok_or_else(|| malformed("a comment ends before its action does"))?;
    Ok((None, (trims, rest)))
}

/// The words of an action up to its end.
fn tokens(action: &str) -> Result<(Vec<Token>, After<'_>)> {
    let mut tokens = Vec::new();
    let mut chars = action.chars();
    loop {
        let rest = chars.as_str();
        if let Some(after) = rest.strip_prefix("}}") {
            return Ok((tokens, (false, after)));
        }
        if let Some(after) = rest.strip_prefix("-}}").filter(|_| before(action, rest)) {
            return Ok((tokens, (true, after)));
        }
        let Some(next) = chars.next() else { return Err(malformed("an action is not closed by }}")) };
        tokens.push(match next {
            space if space.is_whitespace() => continue,
            '|' => Token::Pipe,
            '(' => Token::Open,
            ')' => Token::Close,
            '"' => Token::Text(quoted(&mut chars)?),
            '`' => Token::Text(raw(&mut chars)?),
            '.' => Token::Field(word(&mut chars)),
            first if first.is_ascii_digit() || matches!(first, '-' | '+') => number(first, &mut chars)?,
            first if first.is_alphabetic() || first == '_' => {
                Token::Word(format!("{first}{}", word(&mut chars)))
            }
            other => return Err(InvalidUsernameTemplate::NotKnown(other.to_string())),
        });
    }
}

/// Whether there is space before what is left: only then does a dash trim.
fn before(action: &str, rest: &str) -> bool {
    action[..action.len() - rest.len()].ends_with(char::is_whitespace)
}

fn word(chars: &mut Chars<'_>) -> String {
    let rest = chars.as_str();
    let end = rest.find(|next: char| !next.is_alphanumeric() && next != '_').unwrap_or(rest.len());
    let (word, rest) = rest.split_at(end);
    *chars = rest.chars();
    word.to_owned()
}

fn number(first: char, chars: &mut Chars<'_>) -> Result<Token> {
    let text = format!("{first}{}", word(chars)).replace('_', "");
    text.parse().map(Token::Number).map_err(|_| malformed(format!("{text:?} is no whole number")))
}

fn raw(chars: &mut Chars<'_>) -> Result<String> {
    let mut text = String::new();
    for next in chars {
        if next == '`' {
            return Ok(text);
        }
        text.push(next);
    }
    Err(malformed("a text has no end"))
}

fn quoted(chars: &mut Chars<'_>) -> Result<String> {
    let mut text = String::new();
    while let Some(next) = chars.next() {
        match next {
            '"' => return Ok(text),
            '\n' => break,
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('r') => '\r',
                Some(same @ ('"' | '\\' | '\'')) => same,
                other => return Err(malformed(format!("a text holds \\{}", other.unwrap_or(' ')))),
            }),
            other => text.push(other),
        }
    }
    Err(malformed("a text has no end"))
}
