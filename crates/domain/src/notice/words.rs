use super::InvalidFilter;

/// A part of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// `(`
    Open,
    /// `)`
    Close,
    /// `==`
    Is,
    /// `!=`
    IsNot,
    /// A word without quotes: one of the language, the name of a fact, or a value.
    Bare(String),
    /// A value in quotes.
    Quoted(String),
}

/// The parts of an expression, in their order.
pub(super) fn words(text: &str) -> Result<Vec<Word>, InvalidFilter> {
    let mut all = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            '(' => (Word::Open, 1),
            ')' => (Word::Close, 1),
            '=' | '!' if rest[1..].starts_with('=') => (if first == '=' { Word::Is } else { Word::IsNot }, 2),
            '"' | '`' => quoted(rest, first)?,
            '=' | '!' => return Err(InvalidFilter::Unexpected(first.to_string())),
            _ => {
                let ends = |letter: char| letter.is_whitespace() || "()\"`=!".contains(letter);
                let length = rest.find(ends).unwrap_or(rest.len());
                (Word::Bare(rest[..length].to_owned()), length)
            }
        };
        all.push(word);
        rest = rest[length..].trim_start();
    }
    Ok(all)
}

/// A value in quotes, and how long it is with them. Between double quotes a backslash stands before a quote or another one.
fn quoted(text: &str, quote: char) -> Result<(Word, usize), InvalidFilter> {
    let mut value = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => return Ok((Word::Quoted(value), at + 1)),
            '\\' if quote == '"' => match letters.next() {
                Some((_, escaped @ ('"' | '\\'))) => value.push(escaped),
                Some((_, other)) => value.extend(['\\', other]),
                None => break,
            },
            _ => value.push(letter),
        }
    }
    Err(InvalidFilter::Unclosed)
}
