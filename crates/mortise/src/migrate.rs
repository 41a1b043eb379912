//! `mortise operator migrate`: everything stored, from one storage to another.

use std::path::PathBuf;

use catalog::Migration;
use clap::Args;
use kit::{config, logs};

use crate::{parts, start};

/// What is copied, and how.
#[derive(Args, Clone, Debug)]
pub struct MigrateFlags {
    /// A configuration with storage_source and storage_destination.
    #[arg(long, value_name = "PATH", required = true)]
    pub config: Vec<PathBuf>,
    /// What sorts before this key and is there already is taken for copied. A migration that was broken off goes on
    /// without it, too.
    #[arg(long, value_name = "KEY", default_value = "")]
    pub start: String,
    /// Nothing is copied: a migration that was broken off is given up, and what it had copied is deleted.
    #[arg(long)]
    pub reset: bool,
    /// Entries that are copied at the same time.
    #[arg(long, value_name = "NUMBER", default_value_t = 10)]
    pub max_parallel: usize,
    /// The least severe messages that are logged: trace, debug, info, warn, error, off.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: logs::Level,
}

/// Copies, or gives up.
#[expect(clippy::print_stdout, reason = "this is the answer of a command")]
pub fn run(flags: MigrateFlags) -> anyhow::Result<()> {
    logs::start(flags.log_level, logs::Format::default());
    let given = start::given_database().into_iter().collect();
    let (ends, warnings) = config::Migration::load(&flags.config, given)?;
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    let migration = Migration {
        source: parts::storage(&ends.source),
        destination: parts::storage(&ends.destination),
        start: flags.start,
        parallel: flags.max_parallel,
    };
    start::runtime()?.block_on(async {
        if flags.reset {
            let text = match migration.reset().await? {
                true => "Success! The migration was given up, and the destination is empty.",
                false => "Success! There was no migration to give up.",
            };
            println!("{text}");
            return Ok(());
        }
        let done = migration.run().await?;
        println!(
            "Success! All of the keys have been migrated: {} of them, {} now.",
            done.entries, done.copied
        );
        Ok(())
    })
}
