use std::{str::FromStr, time::SystemTime};

use super::{
    InvalidUsernameTemplate, NoRandomness,
    call::{Failure, LONGEST, Value, call},
    parse::{Command, Operand, Part, Pipeline, parse},
    source::Source,
};
use crate::password::Draw;

/// How the name of a user is made up. Whoever holds one can make names: whether a template has a value does not depend
/// on who the name is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsernameTemplate(Vec<Part>);

/// Who a name is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UsernameSubject<'s> {
    /// `.DisplayName`: that of the token that asks.
    pub display_name: &'s str,
    /// `.RoleName`: the role that is asked for.
    pub role_name: &'s str,
}

impl FromStr for UsernameTemplate {
    type Err = InvalidUsernameTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidUsernameTemplate> {
        let template = Self(parse(text)?);
        let tried = template.try_generate(&UsernameSubject::default(), SystemTime::UNIX_EPOCH, |bytes| {
            bytes.fill(0);
            Ok(())
        });
        match tried {
            Err(Failure::Invalid(error)) => Err(error),
            Ok(_) | Err(Failure::NoRandomness) => Ok(template),
        }
    }
}

impl UsernameTemplate {
    /// Makes up a name. One that is much too long for any database is cut off.
    ///
    /// # Errors
    /// The source of random bytes has none.
    pub fn generate(
        &self,
        subject: &UsernameSubject<'_>,
        now: SystemTime,
        fill: impl FnMut(&mut [u8]) -> Result<(), NoRandomness>,
    ) -> Result<String, NoRandomness> {
        match self.try_generate(subject, now, fill) {
            Ok(mut name) => {
                name.truncate(name.floor_char_boundary(LONGEST));
                Ok(name)
            }
            // All but this was tried when the template was read.
            Err(_) => Err(NoRandomness),
        }
    }

    fn try_generate<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>>(
        &self,
        subject: &UsernameSubject<'_>,
        now: SystemTime,
        fill: F,
    ) -> Result<String, Failure> {
        let mut source = Source { subject, now, draw: Draw::new(fill) };
        let mut name = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Value(pipeline) => match value(pipeline, &mut source)? {
                    Value::Text(text) => name.push_str(&text),
                    Value::Number(number) => name.push_str(&number.to_string()),
                },
            }
        }
        Ok(name)
    }
}

fn value<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>>(
    pipeline: &Pipeline,
    source: &mut Source<'_, F>,
) -> Result<Value, Failure> {
    let mut piped = None;
    for command in &pipeline.0 {
        let value = match command {
            Command::Plain(operand) => evaluate(operand, source)?,
            Command::Call(function, operands) => {
                let mut arguments = Vec::with_capacity(operands.len() + 1);
                for operand in operands {
                    arguments.push(evaluate(operand, source)?);
                }
                arguments.extend(piped.take());
                Value::Text(call(*function, &arguments, source)?)
            }
        };
        piped = Some(value);
    }
    Ok(piped.unwrap_or(Value::Text(String::new())))
}

fn evaluate<F: FnMut(&mut [u8]) -> Result<(), NoRandomness>>(
    operand: &Operand,
    source: &mut Source<'_, F>,
) -> Result<Value, Failure> {
    Ok(match operand {
        Operand::Text(text) => Value::Text(text.clone()),
        Operand::Number(number) => Value::Number(*number),
        Operand::DisplayName => Value::Text(source.subject.display_name.to_owned()),
        Operand::RoleName => Value::Text(source.subject.role_name.to_owned()),
        Operand::Call(function) => Value::Text(call(*function, &[], source)?),
        Operand::Pipeline(pipeline) => value(pipeline, source)?,
    })
}
