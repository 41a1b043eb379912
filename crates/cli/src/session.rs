use std::cell::OnceCell;

use clap::Command;
use domain::Token;
use serde_json::{Map, Value};

use crate::{
    Error,
    client::{Answer, Client, Failure, Request, Secret, Settings},
    environment::Environment,
    error::{Doing, Result},
    given::Given,
    helper::Helper,
    leaf::Leaf,
    output::Output,
};

/// What every command is run in.
#[derive(Clone, Copy, Debug)]
pub struct Around<'s> {
    /// The variables.
    pub environment: &'s Environment,
    /// Our name.
    pub program: &'s str,
    /// All commands that there are.
    pub whole: &'s Command,
}

/// One command while it runs: what was given, whom it asks, and where its answer goes.
#[derive(Debug)]
pub struct Session<'s> {
    /// What the user gave.
    pub given: Given<'s>,
    /// Where answers go.
    pub out: Output,
    /// The variables.
    pub environment: &'s Environment,
    /// Our name.
    pub program: &'s str,
    /// All commands that there are.
    pub whole: &'s Command,
    leaf: &'static Leaf,
    client: OnceCell<Client>,
}

impl<'s> Session<'s> {
    /// One that has not begun yet.
    pub fn new(leaf: &'static Leaf, given: Given<'s>, around: &Around<'s>) -> Result<Self> {
        let Around { environment, program, whole } = *around;
        let out = Output::of(&given, environment)?;
        Ok(Self { given, out, environment, program, whole, leaf, client: OnceCell::new() })
    }

    /// The server, asked by whoever is logged in.
    pub fn client(&self) -> Result<&Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let settings = self.settings()?;
        let token = self.token(&settings)?;
        let client = Client::new(settings, token)?;
        Ok(self.client.get_or_init(|| client))
    }

    /// How the server is reached.
    pub fn settings(&self) -> Result<Settings> {
        Settings::of(&self.given, self.environment, self.program)
    }

    /// Who is logged in: as a variable says, or what keeps the token.
    pub fn token(&self, settings: &Settings) -> Result<Option<Token>> {
        match self.environment.get("TOKEN") {
            Some(token) => Ok(Some(Token::new(token.to_owned()))),
            None if self.environment.home.is_none() => Ok(None),
            None => Helper::of(self.environment, &settings.address)?.get(),
        }
    }

    /// Asks the server, and says what was being done if that fails.
    pub fn ask(&self, request: &Request, doing: impl FnOnce() -> String) -> Result<Answer> {
        self.client()?.ask(request).doing(doing)
    }

    /// Asks the server for something that may not be there.
    pub fn find(&self, request: &Request, doing: impl FnOnce() -> String) -> Result<Option<Secret>> {
        match self.client()?.ask(request) {
            Ok(answer) => answer.secret().doing(doing),
            Err(failure) if failure.status() == Some(404) => Ok(remains(&failure)),
            Err(failure) => Err(Error::Asked { doing: doing(), failure }),
        }
    }

    /// What the given ones of this command's flags put into a request.
    pub fn body(&self) -> Result<Map<String, Value>> {
        self.given.body(self.leaf.own_flags())
    }

    /// A path that was given, without slashes around it.
    pub fn path(&self, name: &str) -> String {
        trimmed(self.given.place(name))
    }
}

/// What is left of something that is not there any more: a deleted version still has its metadata.
fn remains(failure: &Failure) -> Option<Secret> {
    let secret = failure.refusal()?.answer.secret().ok()??;
    let says_something =
        secret.data.as_ref().is_some_and(|data| !data.is_empty()) || secret.warnings.is_some();
    says_something.then_some(secret)
}

/// A path without blanks and slashes around it.
pub fn trimmed(path: &str) -> String {
    path.trim().trim_matches('/').to_owned()
}

/// A path of a mount, which ends with a slash.
pub fn mount(path: &str) -> String {
    format!("{}/", trimmed(path))
}
