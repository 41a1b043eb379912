//! What other programs know of the command line: completions for shells, and manual pages.

use std::{fs, path::Path};

use clap::{Command, ValueEnum};
use clap_complete::Shell;
use clap_mangen::Man;
use jiff::Timestamp;

use crate::{
    Error, dashes,
    error::Result,
    leaf::{Leaf, Prints},
    session::Session,
};

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "completions",
        about: "Print what a shell needs to complete commands: bash, zsh or fish.",
        takes: &["SHELL"],
        flags: &[],
        prints: Prints::Local,
        run: completions,
    },
    Leaf {
        words: "man",
        about: "Write manual pages, one a command, into a folder.",
        takes: &["FOLDER"],
        flags: &[],
        prints: Prints::Local,
        run: man,
    },
];

fn completions(session: &Session<'_>) -> Result<()> {
    let word = session.given.place("SHELL");
    let shell = Shell::from_str(word, true)
        .ok()
        .filter(|shell| matches!(shell, Shell::Bash | Shell::Zsh | Shell::Fish));
    let shell = shell.ok_or_else(|| {
        Error::local(format!("there are completions for bash, zsh and fish, not for {word}"))
    })?;
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut session.whole.clone(), session.program, &mut text);
    session.out.say(String::from_utf8_lossy(&text).trim_end());
    Ok(())
}

fn man(session: &Session<'_>) -> Result<()> {
    let folder = Path::new(session.given.place("FOLDER"));
    let unwritable = |error| Error::local(format!("cannot write to {}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(unwritable)?;
    let mut whole = session.whole.clone().name(session.program.to_owned()).disable_help_subcommand(true);
    whole.build();
    let count = pages(&whole, session.program, folder).map_err(unwritable)?;
    session.out.say(format!("Success! Wrote {count} manual pages to {}", folder.display()));
    Ok(())
}

/// Writes the page of a command, and those of the commands below it.
fn pages(command: &Command, name: &str, folder: &Path) -> std::io::Result<usize> {
    let mut page = Vec::new();
    let today = Timestamp::now().strftime("%Y-%m-%d").to_string();
    Man::new(command.clone().name(name.to_owned())).date(today).render(&mut page)?;
    // Pages write a dash with a backslash before it.
    let text = String::from_utf8_lossy(&page).replace("\\-\\-", "--");
    fs::write(folder.join(format!("{name}.1")), dashes::one_dash(&text).replace("fB--", "fB-"))?;
    let mut count = 1;
    for below in command.get_subcommands() {
        count += pages(below, &format!("{name}-{}", below.get_name()), folder)?;
    }
    Ok(count)
}
