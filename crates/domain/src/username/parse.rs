use std::{iter::Peekable, vec};

use super::{
    InvalidUsernameTemplate,
    call::{Function, LONGEST},
    lexer::{Piece, Token, pieces},
};

/// How deep parentheses go.
const DEPTH: usize = 32;

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// Stands for itself.
    Text(String),
    /// Stands for its value.
    Value(Pipeline),
}

/// Commands, each of which gets the value of the one before as its last argument. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pipeline(pub(super) Vec<Command>);

/// One command of a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// A value as it is.
    Plain(Operand),
    /// A function, and its arguments.
    Call(Function, Vec<Operand>),
}

/// Something that has a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// A literal text.
    Text(String),
    /// A literal number.
    Number(i64),
    /// `.DisplayName`
    DisplayName,
    /// `.RoleName`
    RoleName,
    /// A function without arguments.
    Call(Function),
    /// Something in parentheses.
    Pipeline(Pipeline),
}

type Result<T> = std::result::Result<T, InvalidUsernameTemplate>;
type Tokens = Peekable<vec::IntoIter<Token>>;

/// Reads a template.
pub(super) fn parse(template: &str) -> Result<Vec<Part>> {
    if template.len() > LONGEST {
        return Err(InvalidUsernameTemplate::TooLong(LONGEST));
    }
    let mut parts = Vec::new();
    for piece in pieces(template)? {
        match piece {
            Piece::Text(text) if text.is_empty() => {}
            Piece::Text(text) => parts.push(Part::Text(text)),
            Piece::Action(tokens) => parts.push(Part::Value(action(tokens)?)),
        }
    }
    Ok(parts)
}

fn action(tokens: Vec<Token>) -> Result<Pipeline> {
    let mut tokens = tokens.into_iter().peekable();
    let pipeline = pipeline(&mut tokens, 0)?;
    match tokens.next() {
        None => Ok(pipeline),
        Some(_) => Err(malformed("a parenthesis is closed that was not opened")),
    }
}

fn malformed(what: &str) -> InvalidUsernameTemplate {
    InvalidUsernameTemplate::Malformed(what.to_owned())
}

fn pipeline(tokens: &mut Tokens, depth: usize) -> Result<Pipeline> {
    if depth > DEPTH {
        return Err(malformed("parentheses are nested too deeply"));
    }
    let mut commands = vec![command(tokens, depth)?];
    while tokens.next_if_eq(&Token::Pipe).is_some() {
        let next = command(tokens, depth)?;
        if matches!(next, Command::Plain(_)) {
            return Err(malformed("a value is piped into something that is no function"));
        }
        commands.push(next);
    }
    Ok(Pipeline(commands))
}

fn command(tokens: &mut Tokens, depth: usize) -> Result<Command> {
    if let Some(Token::Word(name)) = tokens.next_if(|token| matches!(token, Token::Word(_))) {
        let function = name.parse()?;
        let mut arguments = Vec::new();
        while let Some(argument) = operand(tokens, depth)? {
            arguments.push(argument);
        }
        return Ok(Command::Call(function, arguments));
    }
    let value = operand(tokens, depth)?.ok_or_else(|| malformed("a value is missing"))?;
    match operand(tokens, depth)? {
        None => Ok(Command::Plain(value)),
        Some(_) => Err(malformed("an argument is given to something that is no function")),
    }
}

/// None: the command ends here.
fn operand(tokens: &mut Tokens, depth: usize) -> Result<Option<Operand>> {
    let ends = |token: &Token| matches!(token, Token::Pipe | Token::Close);
    let Some(token) = tokens.next_if(|token| !ends(token)) else { return Ok(None) };
    Ok(Some(match token {
        Token::Text(text) => Operand::Text(text),
        Token::Number(number) => Operand::Number(number),
        Token::Field(field) => match field.as_str() {
            "DisplayName" => Operand::DisplayName,
            "RoleName" => Operand::RoleName,
            _ => return Err(InvalidUsernameTemplate::NoSuchField(format!(".{field}"))),
        },
        Token::Word(name) => Operand::Call(name.parse()?),
        Token::Open | Token::Pipe | Token::Close => {
            let inner = pipeline(tokens, depth + 1)?;
            tokens.next_if_eq(&Token::Close).ok_or_else(|| malformed("a parenthesis is not closed"))?;
            Operand::Pipeline(inner)
        }
    }))
}
