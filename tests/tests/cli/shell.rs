use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;
use testkit::{Api, mortise};

/// Somebody at a shell, with a home of their own.
pub(super) struct Shell {
    home: TempDir,
    address: String,
    token: Option<String>,
}

/// What a command came to.
#[derive(Debug)]
pub(super) struct Said {
    words: String,
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Shell {
    /// One who asks the same server, as nobody yet.
    pub(super) fn at(api: &Api) -> Self {
        let home = TempDir::with_prefix("shell-").unwrap();
        Self { home, address: api.address().to_owned(), token: None }
    }

    /// One who asks the same server with the same token.
    pub(super) fn of(api: &Api) -> Self {
        Self { token: Some(api.token().to_owned()), ..Self::at(api) }
    }

    /// A file in that home.
    pub(super) fn file(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A command before it is run.
    pub(super) fn command(&self, words: &[&str]) -> Command {
        let mut command = mortise();
        command.args(words).env("HOME", self.home.path()).env("VAULT_ADDR", &self.address);
        command.current_dir(self.home.path());
        if let Some(token) = &self.token {
            command.env("VAULT_TOKEN", token);
        }
        command
    }

    /// Runs a command, in words with blanks between them.
    #[track_caller]
    pub(super) fn run(&self, words: &str) -> Said {
        let words: Vec<&str> = words.split(' ').collect();
        self.words(&words)
    }

    /// Runs a command whose words may have blanks in them.
    #[track_caller]
    pub(super) fn words(&self, words: &[&str]) -> Said {
        Said::of(&words.join(" "), self.command(words).stdin(Stdio::null()).output().unwrap())
    }

    /// Runs a command that reads this.
    #[track_caller]
    pub(super) fn fed(&self, words: &str, input: &str) -> Said {
        let words: Vec<&str> = words.split(' ').collect();
        let mut command = self.command(&words);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        Said::of(&words.join(" "), child.wait_with_output().unwrap())
    }
}

impl Said {
    /// What this program said when it was run with these words.
    pub(super) fn of(words: &str, output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let code = output.status.code().unwrap_or(-1);
        Self { words: words.to_owned(), code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// What a command printed that has to succeed.
    #[track_caller]
    pub(super) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:?}");
        self.out
    }

    /// Likewise, without the end of the line.
    #[track_caller]
    pub(super) fn line(self) -> String {
        self.ok().trim_end().to_owned()
    }

    /// Likewise, for programs.
    #[track_caller]
    pub(super) fn json(self) -> Value {
        let words = self.words.clone();
        let out = self.ok();
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{words}: {error} in {out}"))
    }

    /// What a command complained of that has to end with this code.
    #[track_caller]
    pub(super) fn fails(self, code: i32) -> String {
        assert_eq!(self.code, code, "{self:?}");
        self.err
    }

    /// Has it printed these, in this order.
    #[track_caller]
    pub(super) fn tells(self, parts: &[&str]) -> String {
        let (words, out) = (self.words.clone(), self.ok());
        let mut rest = &*out;
        for part in parts {
            let at = rest
                .find(part)
                .unwrap_or_else(|| panic!("{words}: {part:?} is not, or not there, in\n{out}"));
            rest = &rest[at + part.len()..];
        }
        out
    }
}
