//! How answers are printed.

mod go;
mod rows;
mod table;
mod text;
mod yaml;

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use serde::Serialize;
use serde_json::Value;

pub use self::{
    go::{duration, plain},
    rows::members as rows_of,
    table::{columns, table},
    text::{boxed, wrapped},
};
use crate::{Error, client::Secret, environment::Environment, error::Result, given::Given};

/// The forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Table,
    /// For programs.
    Json,
    /// For both.
    #[value(alias = "yml")]
    Yaml,
    /// For people, where an answer has a form of its own.
    Pretty,
    /// As it came.
    Raw,
}

/// Where answers go, and in which form.
#[derive(Debug)]
pub struct Output {
    /// The form.
    pub format: Format,
    /// The only field that is wanted.
    pub field: Option<String>,
}

impl Output {
    /// What the user asked for.
    pub fn of(given: &Given<'_>, environment: &Environment) -> Result<Self> {
        let word = given.text("format").or_else(|| environment.get("FORMAT")).unwrap_or("table");
        let format = Format::from_str(word, true)
            .map_err(|_| Error::local(format!("Invalid output format: {word}")))?;
        Ok(Self { format, field: given.text("field").map(str::to_owned) })
    }

    /// Whether people read it.
    pub fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints lines.
    pub fn say(&self, text: impl AsRef<str>) {
        write(&format!("{}\n", text.as_ref()));
    }

    /// Prints what was done, where people read it.
    pub fn done(&self, text: impl AsRef<str>) {
        if self.is_table() {
            self.say(text);
        }
    }

    /// Prints what to heed, beside the answer.
    pub fn warn(&self, text: impl AsRef<str>) {
        let _ = writeln!(io::stderr(), "{}", text.as_ref());
    }

    /// Prints what the server warns of.
    pub fn warnings(&self, secret: &Secret) {
        let Some(warnings) = secret.warnings.as_deref().filter(|warnings| !warnings.is_empty()) else {
            return;
        };
        self.warn("WARNING! The following warnings were returned from the server:\n");
        for warning in warnings {
            self.warn(format!("{}\n", wrapped(&format!("* {warning}"), 2)));
        }
    }

    /// Prints an answer, or the field that is wanted of it.
    pub fn secret(&self, secret: &Secret) -> Result<()> {
        match &self.field {
            Some(field) => self.field_of(&rows::field(secret, field), field),
            None if self.is_table() => {
                self.warnings(secret);
                let rows = rows::of(secret);
                if !rows.is_empty() {
                    self.say(table(&["Key", "Value"], &rows));
                }
                Ok(())
            }
            None => self.document(secret),
        }
    }

    /// Prints an object: its members are rows.
    pub fn object(&self, value: &Value) -> Result<()> {
        match &self.field {
            Some(field) => self.field_of(&value.get(field).cloned(), field),
            None if self.is_table() => {
                let rows = value.as_object().map(rows::members).unwrap_or_default();
                self.say(table(&["Key", "Value"], &rows));
                Ok(())
            }
            None => self.document(value),
        }
    }

    /// Prints a table for people, and the value that it was made of for programs.
    pub fn either(
        &self,
        value: &impl Serialize,
        head: &[&str],
        rows: impl FnOnce() -> Vec<Vec<String>>,
    ) -> Result<()> {
        if self.is_table() {
            self.say(table(head, &rows()));
            return Ok(());
        }
        self.document(value)
    }

    /// Prints a value in a form for programs.
    pub fn document(&self, value: &impl Serialize) -> Result<()> {
        let text = self.formatted(value)?;
        self.say(text.trim_end());
        Ok(())
    }

    fn formatted(&self, value: &impl Serialize) -> Result<String> {
        let unfit = |error: serde_json::Error| Error::local(format!("the answer cannot be printed: {error}"));
        match self.format {
            Format::Yaml => yaml::yaml(&serde_json::to_value(value).map_err(unfit)?),
            Format::Json | Format::Table => serde_json::to_string_pretty(value).map_err(unfit),
            Format::Raw => {
                Err(Error::local("This command does not support the -format=raw option; only read does."))
            }
            Format::Pretty => Err(Error::local("cannot use the pretty formatter for this type")),
        }
    }

    /// Prints a field alone; a line ends it only where a person looks at it.
    pub fn field_of(&self, value: &Option<Value>, field: &str) -> Result<()> {
        let value =
            value.as_ref().ok_or_else(|| Error::local(format!("Field {field:?} not present in secret")))?;
        let text = if self.is_table() { plain(value) } else { self.formatted(value)? };
        self.bare(&text);
        Ok(())
    }

    /// Prints a text as it is; a line ends it only where a person looks at it.
    pub fn bare(&self, text: &str) {
        write(text);
        if io::stdout().is_terminal() {
            write("\n");
        }
    }
}

/// Nobody can be told that nobody reads.
fn write(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}
