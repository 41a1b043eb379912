//! Commands as data: what one is called, what it takes, what it prints, and what it runs.

use clap::{Arg, ArgAction, Command, builder::ValueParser};

use crate::{common, error::Result, session::Session};

/// A command that does something; those above it only group.
#[derive(Debug)]
pub struct Leaf {
    /// Its words, `secrets enable`.
    pub words: &'static str,
    /// What it is for, in a sentence.
    pub about: &'static str,
    /// What it takes without a flag, in order: `PATH`; `[PATH]` may be left out, `[DATA...]` may be many.
    pub takes: &'static [&'static str],
    /// Its own flags, in groups that others may have, too.
    pub flags: &'static [&'static [Flag]],
    /// Which of the common flags it has.
    pub prints: Prints,
    /// What it does.
    pub run: fn(&Session<'_>) -> Result<()>,
}

/// Which flags about the server and the output a command has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prints {
    /// It asks no server.
    Local,
    /// It asks one, and prints a sentence.
    Words,
    /// It prints in the form that is asked for.
    Format,
    /// Likewise, or only one field.
    Field,
}

/// A flag, and what its value becomes in a request.
#[derive(Debug)]
pub struct Flag {
    /// Without dashes.
    pub name: &'static str,
    /// Other names of it; one of a letter is a short flag.
    pub aliases: &'static [&'static str],
    /// What its value is.
    pub kind: Kind,
    /// Where its value goes in the body of the request, `config.max_lease_ttl`; nowhere by itself if this is empty.
    pub field: &'static str,
    /// What it is for.
    pub help: &'static str,
}

/// What the value of a flag is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// True or false; true if it has no value.
    Truth,
    /// A whole number.
    Number,
    /// A duration in Vault's forms.
    Duration,
    /// Texts with commas between them; the flag may be repeated.
    List,
    /// Any text, and the flag may be repeated.
    Many,
    /// `KEY=VALUE`; the flag may be repeated.
    Pairs,
}

impl Flag {
    /// A flag whose value goes into the request.
    pub const fn new(kind: Kind, name: &'static str, field: &'static str, help: &'static str) -> Self {
        Self { name, aliases: &[], kind, field, help }
    }

    /// A flag that the command itself looks at.
    pub const fn own(kind: Kind, name: &'static str, help: &'static str) -> Self {
        Self::new(kind, name, "", help)
    }

    /// The same with other names.
    pub const fn or(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }

    pub(crate) fn arg(&self) -> Arg {
        let arg = Arg::new(self.name).long(self.name).help(self.help);
        let arg = match self.kind {
            Kind::Truth => arg
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("true")
                .value_name("true|false")
                .value_parser(ValueParser::new(|text: &str| {
                    domain::parse_bool(text).ok_or("say true or false")
                })),
            Kind::Number => {
                arg.value_name("NUMBER").allow_negative_numbers(true).value_parser(clap::value_parser!(i64))
            }
            Kind::Duration => arg.value_name("DURATION"),
            Kind::Text => arg.value_name("TEXT").allow_hyphen_values(true),
            Kind::List | Kind::Many => {
                arg.value_name("TEXT").action(ArgAction::Append).allow_hyphen_values(true)
            }
            Kind::Pairs => arg.value_name("KEY=VALUE").action(ArgAction::Append),
        };
        self.aliases.iter().fold(arg, |arg, alias| match (alias.len(), alias.chars().next()) {
            (1, Some(letter)) => arg.short(letter),
            _ => arg.alias(*alias),
        })
    }
}

impl Leaf {
    /// Puts it where its words say, below groups that are made if need be.
    pub fn add_to(&'static self, root: Command, groups: &[(&str, &'static str)]) -> Command {
        let words: Vec<&'static str> = self.words.split(' ').collect();
        self.add_below(root, &words, 0, groups)
    }

    fn add_below(
        &'static self,
        above: Command,
        words: &[&'static str],
        depth: usize,
        groups: &[(&str, &'static str)],
    ) -> Command {
        let name = words[depth];
        if depth + 1 == words.len() {
            return above.subcommand(self.command(name));
        }
        if above.find_subcommand(name).is_some() {
            return above.mut_subcommand(name, |group| self.add_below(group, words, depth + 1, groups));
        }
        let whole = words[..=depth].join(" ");
        let about = groups.iter().find(|(name, _)| *name == whole).map_or("", |(_, about)| *about);
        let group = Command::new(name)
            .about(about.trim_end_matches('.'))
            .disable_help_subcommand(true)
            .subcommand_required(true)
            .arg_required_else_help(true);
        above.subcommand(self.add_below(group, words, depth + 1, groups))
    }

    /// Its own flags.
    pub fn own_flags(&self) -> impl Iterator<Item = &'static Flag> + use<> {
        self.flags.iter().copied().flatten()
    }

    fn command(&'static self, name: &'static str) -> Command {
        let command = Command::new(name).about(self.about.trim_end_matches('.'));
        let command = self.takes.iter().fold(command, |command, taken| command.arg(positional(taken)));
        let command = command.args(self.own_flags().map(Flag::arg));
        let own = |flag: &&Flag| !self.own_flags().any(|of_its_own| of_its_own.name == flag.name);
        command
            .args(common::flags(self.prints).filter(own).map(|flag| flag.arg().help_heading("Common flags")))
    }
}

fn positional(taken: &'static str) -> Arg {
    let optional = taken.starts_with('[');
    let bare = taken.trim_matches(['[', ']']);
    let name = bare.trim_end_matches("...");
    let arg = Arg::new(name).required(!optional);
    if bare.ends_with("...") { arg.num_args(1..).action(ArgAction::Append) } else { arg }
}
