use super::{Place, Problem, problem, strings};

/// One word or sign.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Ident(String),
    Text(String),
    Number(String),
    Assign,
    Comma,
    OpenBrace,
    CloseBrace,
    OpenBracket,
    CloseBracket,
    End,
}

/// Cuts a document into tokens.
pub(super) struct Lexer<'t> {
    rest: &'t str,
    at: Place,
}

impl Token {
    /// What the sentences about it call it.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Ident(_) => "IDENT",
            Self::Text(_) => "STRING",
            Self::Number(_) => "NUMBER",
            Self::Assign => "ASSIGN",
            Self::Comma => "COMMA",
            Self::OpenBrace => "LBRACE",
            Self::CloseBrace => "RBRACE",
            Self::OpenBracket => "LBRACK",
            Self::CloseBracket => "RBRACK",
            Self::End => "EOF",
        }
    }
}

impl<'t> Lexer<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { rest: text, at: Place { line: 1, column: 1 } }
    }

    /// The next token and where it begins.
    pub(super) fn next(&mut self) -> Result<(Place, Token), Problem> {
        self.skip()?;
        let at = self.at;
        let Some(first) = self.rest.chars().next() else {
            // The reference counts the end itself as a character.
            return Ok((Place { column: at.column + 1, ..at }, Token::End));
        };
        let token = match first {
            '=' => self.sign(Token::Assign),
            ',' => self.sign(Token::Comma),
            '{' => self.sign(Token::OpenBrace),
            '}' => self.sign(Token::CloseBrace),
            '[' => self.sign(Token::OpenBracket),
            ']' => self.sign(Token::CloseBracket),
            '"' => {
                let length = strings::quoted(self.rest).ok_or_else(|| self.open(at))?;
                let inner = &self.take(length)[1..length - 1];
                Token::Text(strings::unescape(inner).ok_or_else(|| problem(at, "illegal char escape"))?)
            }
            '<' => {
                let (length, text) = strings::heredoc(self.rest).ok_or_else(|| self.open(at))?;
                self.take(length);
                Token::Text(text)
            }
            '0'..='9' | '-' => Token::Number(self.word(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))),
            _ if first.is_alphabetic() || first == '_' => {
                Token::Ident(self.word(|c| c.is_alphanumeric() || "_-.".contains(c)))
            }
            _ => return Err(problem(at, "illegal character")),
        };
        Ok((at, token))
    }

    fn sign(&mut self, token: Token) -> Token {
        self.take(1);
        token
    }

    fn word(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let length = self.rest.find(|c| !belongs(c)).unwrap_or(self.rest.len());
        self.take(length).to_owned()
    }

    fn open(&self, at: Place) -> Problem {
        problem(at, "literal not terminated")
    }

    /// Goes over blanks and comments.
    fn skip(&mut self) -> Result<(), Problem> {
        loop {
            let blank = self.rest.find(|c| !" \t\r\n\u{feff}".contains(c)).unwrap_or(self.rest.len());
            self.take(blank);
            if self.rest.starts_with('#') || self.rest.starts_with("//") {
                let line = self.rest.find('\n').unwrap_or(self.rest.len());
                self.take(line);
            } else if self.rest.starts_with("/*") {
                let end = self.rest.find("*/").ok_or_else(|| problem(self.at, "comment not terminated"))?;
                self.take(end + 2);
            } else {
                return Ok(());
            }
        }
    }

    /// Goes on by so many bytes.
    fn take(&mut self, length: usize) -> &'t str {
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        match taken.rfind('\n') {
            Some(last) => {
                self.at.line += taken.matches('\n').count();
                self.at.column = 1 + taken[last + 1..].chars().count();
            }
            None => self.at.column += taken.chars().count(),
        }
        taken
    }
}
