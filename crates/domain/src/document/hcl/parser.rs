use std::collections::HashSet;

use serde_json::Number;

use super::{
    Place, Problem,
    lexer::{Lexer, Token},
    problem,
};
use crate::document::{DEPTH, Entry, Node, Value};

/// Reads a document.
pub(in crate::document) fn parse(text: &str) -> Result<Vec<Entry>, Problem> {
    let mut parser = Parser::new(text)?;
    let entries = parser.entries(DEPTH)?;
    match parser.token {
        Token::End => Ok(entries),
        other => Err(problem(parser.at, format!("unexpected {} at the end", other.name()))),
    }
}

/// Looks one token ahead.
struct Parser<'t> {
    lexer: Lexer<'t>,
    at: Place,
    token: Token,
}

impl<'t> Parser<'t> {
    fn new(text: &'t str) -> Result<Self, Problem> {
        let mut lexer = Lexer::new(text);
        let (at, token) = lexer.next()?;
        Ok(Self { lexer, at, token })
    }

    /// Goes on to the next token and gives away the one before.
    fn advance(&mut self) -> Result<Token, Problem> {
        let (at, token) = self.lexer.next()?;
        self.at = at;
        Ok(std::mem::replace(&mut self.token, token))
    }

    /// Entries up to a closing brace or the end.
    fn entries(&mut self, depth: usize) -> Result<Vec<Entry>, Problem> {
        let (mut entries, mut assigned) = (Vec::new(), HashSet::new());
        while !matches!(self.token, Token::End | Token::CloseBrace) {
            let place = self.at;
            let entry = self.entry(depth)?;
            if entry.assigned > 0 && !assigned.insert(entry.name.clone()) {
                return Err(Problem::Repeated { at: place, name: entry.name });
            }
            entries.push(entry);
            if self.token == Token::Comma && depth < DEPTH {
                self.advance()?;
            }
        }
        Ok(entries)
    }

    fn entry(&mut self, depth: usize) -> Result<Entry, Problem> {
        let start = self.at.line;
        let name = self
            .name()?
            .ok_or_else(|| problem(self.at, format!("expected a name, got: {}", self.token.name())))?;
        if self.token == Token::Assign {
            let assigned = self.at.line;
            self.advance()?;
            return Ok(Entry { name, assigned, node: self.value(depth)? });
        }
        let (mut labels, mut depth) = (Vec::new(), depth);
        while let Some(label) = self.name()? {
            depth = self.deeper(depth)?;
            labels.push(label);
        }
        if self.token != Token::OpenBrace {
            let text = format!("key '{name}' expected start of object ('{{') or assignment ('=')");
            return Err(problem(self.at, text));
        }
        let block = |value| Node { line: start, value };
        let inner = block(self.table(depth)?);
        let wrap = |node, label| block(Value::Table(vec![Entry { name: label, assigned: 0, node }]));
        Ok(Entry { name, assigned: 0, node: labels.into_iter().rev().fold(inner, wrap) })
    }

    fn name(&mut self) -> Result<Option<String>, Problem> {
        match &mut self.token {
            Token::Ident(name) | Token::Text(name) => {
                let name = std::mem::take(name);
                self.advance()?;
                Ok(Some(name))
            }
            _ => Ok(None),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Problem> {
        let at = self.at;
        let value = match &self.token {
            Token::OpenBrace => self.table(depth)?,
            Token::OpenBracket => self.list(depth)?,
            _ => match self.advance()? {
                Token::Text(text) => Value::Text(text),
                Token::Ident(word) if word == "true" || word == "false" => Value::Bool(word == "true"),
                Token::Number(digits) => {
                    let wrong = || problem(at, format!("this is not a number: {digits}"));
                    Value::Number(number(&digits).ok_or_else(wrong)?)
                }
                other => return Err(problem(at, format!("Unknown token: {}", other.name()))),
            },
        };
        Ok(Node { line: at.line, value })
    }

    /// What stands between braces.
    fn table(&mut self, depth: usize) -> Result<Value, Problem> {
        let depth = self.deeper(depth)?;
        self.advance()?;
        let entries = self.entries(depth)?;
        if self.token != Token::CloseBrace {
            let text = format!("object expected closing RBRACE got: {}", self.token.name());
            return Err(problem(self.at, text));
        }
        self.advance()?;
        Ok(Value::Table(entries))
    }

    /// What stands between brackets; a comma may follow the last item.
    fn list(&mut self, depth: usize) -> Result<Value, Problem> {
        let depth = self.deeper(depth)?;
        self.advance()?;
        let mut items = Vec::new();
        while self.token != Token::CloseBracket {
            items.push(self.value(depth)?);
            match self.token {
                Token::Comma => {
                    self.advance()?;
                }
                Token::CloseBracket => {}
                _ => {
                    let text =
                        format!("error parsing list, expected comma or list end, got: {}", self.token.name());
                    return Err(problem(self.at, text));
                }
            }
        }
        self.advance()?;
        Ok(Value::List(items))
    }

    fn deeper(&self, depth: usize) -> Result<usize, Problem> {
        depth.checked_sub(1).ok_or(Problem::Deep { line: self.at.line })
    }
}

fn number(digits: &str) -> Option<Number> {
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    match hexadecimal {
        Some(hexadecimal) => Some(i64::from_str_radix(hexadecimal, 16).ok()?.into()),
        None => serde_json::from_str(digits).ok(),
    }
}
