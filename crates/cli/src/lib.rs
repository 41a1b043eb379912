//! The command line: everything that asks a server, in the grammar of Vault's own.
//!
//! A command is a [`Leaf`]: data, and one function. Each family has a file in `commands`; the flags that many have are
//! in `common`, what goes to the server and comes back in `client`, and how it is printed in `output`.

mod client;
mod commands;
mod common;
mod dashes;
mod environment;
mod error;
mod exit;
mod given;
mod helper;
mod leaf;
mod output;
mod prompt;
mod session;
mod values;

use std::{ffi::OsString, path::Path, process::ExitCode};

use clap::{ArgMatches, Command, error::ErrorKind};

use self::{
    environment::Environment,
    given::Given,
    session::{Around, Session},
};
pub use self::{error::Error, exit::Exit, leaf::Leaf};

/// All commands: those of the program itself, and those that ask a server.
pub fn with_commands(own: Command) -> Command {
    commands::all().fold(own, |command, leaf| leaf.add_to(command, commands::GROUPS))
}

/// What a sandbox can be told, by its names in the API, each with what it is for.
pub fn sandbox_settings() -> impl Iterator<Item = (&'static str, &'static str)> {
    commands::sandbox_settings().iter().map(|flag| (flag.field, flag.help))
}

/// Runs what the arguments say; what the program does itself is left to `perform`.
pub fn run(
    own: Command,
    arguments: Vec<OsString>,
    perform: impl FnOnce(&ArgMatches) -> ExitCode,
) -> ExitCode {
    let whole = with_commands(own);
    let program = name(arguments.first());
    let matches = match whole.clone().try_get_matches_from(dashes::two_dashes(arguments.iter().cloned())) {
        Ok(matches) => matches,
        Err(error) => return refuse(&error, &whole, arguments.get(1)).into(),
    };
    let (words, given) = chosen(&matches);
    let Some(leaf) = commands::all().find(|leaf| leaf.words == words) else { return perform(&matches) };
    let environment = Environment::of_process();
    let around = Around { environment: &environment, program: &program, whole: &whole };
    match Session::new(leaf, Given::new(given), &around).and_then(|session| (leaf.run)(&session)) {
        Ok(()) => Exit::Success.into(),
        Err(error) => tell(&error).into(),
    }
}

/// The words of the command that was chosen, and what was given to it.
fn chosen(matches: &ArgMatches) -> (String, &ArgMatches) {
    let mut words = Vec::new();
    let mut given = matches;
    while let Some((word, below)) = given.subcommand() {
        words.push(word);
        given = below;
    }
    (words.join(" "), given)
}

#[expect(clippy::print_stdout, reason = "this is what the user asked for in the place of an answer")]
fn tell(error: &Error) -> Exit {
    match (error, error.instead()) {
        (_, Some(instead)) => {
            println!("{instead}");
            Exit::Success
        }
        (Error::Ends(exit), _) => *exit,
        _ => {
            eprintln!("{error}");
            error.exit()
        }
    }
}

/// Says what is wrong with the arguments, or shows the help that they ask for.
#[expect(clippy::print_stdout, reason = "this is what the user asked for")]
fn refuse(error: &clap::Error, whole: &Command, first: Option<&OsString>) -> Exit {
    let text = dashes::one_dash(&error.render().to_string());
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        print!("{text}");
        return Exit::Success;
    }
    eprint!("{text}");
    let is_known = first
        .and_then(|word| word.to_str())
        .is_some_and(|word| word.starts_with('-') || whole.find_subcommand(word).is_some());
    if is_known { Exit::Local } else { Exit::Unknown }
}

/// Whether this program was started under that name.
pub fn is_called(program: &str) -> bool {
    name(std::env::args_os().next().as_ref()) == program
}

/// What this program was called as; it changes nothing but this name where it is shown.
fn name(argument: Option<&OsString>) -> String {
    let name = argument.and_then(|path| Path::new(path).file_name()).and_then(|name| name.to_str());
    let is_plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    name.filter(is_plain).unwrap_or("mortise").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> Command {
        with_commands(Command::new("mortise"))
    }

    #[test]
    fn every_command_is_sound_and_there_once() {
        root().debug_assert();
        let mut words: Vec<&str> = commands::all().map(|leaf| leaf.words).collect();
        words.sort_unstable();
        let count = words.len();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn every_command_and_flag_says_what_it_is_for() {
        for leaf in commands::all() {
            assert!(leaf.about.ends_with('.'), "{}", leaf.words);
            leaf.own_flags()
                .for_each(|flag| assert!(flag.help.ends_with('.'), "{} -{}", leaf.words, flag.name));
            let groups = leaf.words.match_indices(' ').map(|(at, _)| &leaf.words[..at]);
            for group in groups {
                assert!(commands::GROUPS.iter().any(|(name, _)| *name == group), "{group}");
            }
        }
    }

    #[test]
    fn the_documents_have_every_command() {
        let page = include_str!("../../../docs/cli.md");
        for leaf in commands::all() {
            let words =
                [leaf.words].into_iter().chain(leaf.takes.iter().copied()).collect::<Vec<_>>().join(" ");
            let row = format!("| `{words}` | {} |", leaf.about.trim_end_matches('.'));
            assert!(page.contains(&row), "docs/cli.md lacks {row}");
        }
    }

    #[test]
    fn a_name_is_only_a_name() {
        assert_eq!(name(Some(&"/usr/bin/vault".into())), "vault");
        assert_eq!(name(Some(&"/tmp/$(reboot)".into())), "mortise");
        assert_eq!(name(None), "mortise");
    }

    #[test]
    fn no_token_is_in_what_a_session_shows() {
        let environment =
            Environment::with(&[("VAULT_TOKEN", "hvs.xyzzy"), ("VAULT_ADDR", "http://u:xyzzy@h")]);
        let matches = root().get_matches_from(["mortise", "token", "lookup", "xyzzy"]);
        let (words, given) = chosen(&matches);
        let leaf = commands::all().find(|leaf| leaf.words == words).unwrap();
        let whole = root();
        let around = Around { environment: &environment, program: "x", whole: &whole };
        let session = Session::new(leaf, Given::new(given), &around).unwrap();
        session.client().unwrap();
        let answer = client::Answer { status: 200, body: "{\"auth\":{\"client_token\":\"xyzzy\"}}".into() };
        let shown = format!("{session:?} {environment:?} {answer:?} {:?}", answer.secret().unwrap());
        assert!(!shown.contains("xyzzy"), "{shown}");
    }
}
