//! What can be configured, told by reading: every block of a configuration that has each of them once.

use std::{collections::BTreeSet, fmt::Write, path::Path, sync::Arc};

use domain::document;

use super::{
    key::{Row, Table},
    migration,
    problem::Problems,
    server::Config,
    tree::Entry,
};
use crate::{Service, variable};

/// Each block once; of several storages only the last is read. What is wrong with them is of no interest.
const EACH_ONCE: [&str; 5] = [
    "storage \"sqlite\" {}",
    "storage \"postgresql\" {}",
    "storage \"file\" {}",
    "storage \"inmem\" {}",
    r#"
listener "tcp" {
  telemetry {}
  inflight_requests_logging {}
}
telemetry {}
user_lockout "all" {}
plugin "secret" "kv" {}
plugin_restart {}
internal {}
"#,
];

/// The reference of everything that can be configured, in Markdown.
pub fn reference() -> String {
    let mut text = String::new();
    for table in read().tables {
        write_table(&mut text, &table);
    }
    write_variables(&mut text);
    text
}

/// What is asked for while these are read, each block once.
fn read() -> Problems {
    let mut problems = Problems::default();
    for configuration in EACH_ONCE {
        Config::read(entries(configuration), &mut problems);
    }
    let blocks = std::mem::take(&mut problems.blocks);
    migration::ends(Vec::new(), &mut problems);
    let mut told = BTreeSet::new();
    problems.tables.retain(|table| told.insert(table.block.title));
    Problems { blocks, ..problems }
}

fn entries(configuration: &str) -> Vec<Entry> {
    let file: Arc<Path> = Arc::from(Path::new("reference"));
    let entries = document::parse(configuration).unwrap_or_default();
    entries.into_iter().map(|entry| Entry::of(&file, entry)).collect()
}

fn write_table(text: &mut String, table: &Table) {
    let block = table.block;
    let with_readers = table.rows.iter().any(|row| !row.readers.is_empty());
    text.push_str(&format!("\n### {}\n\n{}", block.title, block.says));
    if !with_readers {
        text.push_str(&format!(" Read by: {}.", names(block.readers)));
    }
    text.push('\n');
    if !table.rows.is_empty() {
        text.push_str("\n| key | what it says | allowed | by itself |");
        text.push_str(if with_readers {
            " read by |\n|---|---|---|---|---|\n"
        } else {
            "\n|---|---|---|---|\n"
        });
    }
    for row in &table.rows {
        let readers = if row.readers.is_empty() { block.readers } else { row.readers };
        write_row(text, row, with_readers.then_some(readers));
    }
    if !block.without_effect.is_empty() {
        let keys: Vec<String> = block.without_effect.iter().map(|key| format!("`{key}`")).collect();
        text.push_str(&format!("\nKnown from Vault, and of no effect here: {}.\n", keys.join(", ")));
    }
}

fn write_row(text: &mut String, row: &Row, readers: Option<&[Service]>) {
    let variable = row.variable.map(|variable| format!("; `{}` says it, too", variable.names.join("` or `")));
    let says = format!("{}{}", row.says, variable.unwrap_or_default());
    text.push_str(&format!("| `{}` | {says} | {} | {} |", row.key, row.allowed, row.usual));
    if let Some(readers) = readers {
        text.push_str(&format!(" {} |", names(readers)));
    }
    text.push('\n');
}

fn write_variables(text: &mut String) {
    text.push_str("\n### Variables\n\nOf two names, the first that is set wins.\n\n| variable | what it says |\n|---|---|\n");
    for variable in variable::ALL {
        let _infallible = writeln!(text, "| `{}` | {} |", variable.names.join("`, `"), variable.says);
    }
}

fn names(services: &[Service]) -> String {
    if services == Service::ALL {
        return "all".to_owned();
    }
    services.iter().map(|service| service.name()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_that_is_read_is_told_of() {
        let read = read();
        let told: Vec<&str> = read.tables.iter().map(|table| table.block.name).collect();
        // `backend` is an older spelling of `storage`.
        for name in read.blocks.iter().filter(|name| **name != "backend") {
            assert!(told.contains(name), "{name} is read, and not in EACH_ONCE");
        }
    }

    #[test]
    fn every_key_says_something_and_somebody_reads_it() {
        for Table { block, rows } in read().tables {
            assert!(block.says.ends_with('.'), "{}", block.title);
            for row in rows {
                let place = format!("{}: {}", block.title, row.key);
                assert!(!row.says.is_empty() && !row.says.ends_with('.'), "{place}");
                assert!(!block.readers.is_empty() || !row.readers.is_empty(), "{place}");
                assert!(row.variable.is_none_or(|variable| variable::ALL.contains(&variable)), "{place}");
                assert!(!row.says.contains('|') && !row.usual.contains('|'), "{place}");
            }
        }
    }

    #[test]
    fn no_key_is_told_of_twice() {
        for Table { block, rows } in read().tables {
            let mut keys: Vec<&str> = rows.iter().map(|row| row.key).collect();
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{}: {keys:?}", block.title);
        }
    }
}
