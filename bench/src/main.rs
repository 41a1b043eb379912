//! Requests a second, latency and cost of Mortise, beside the bare path: HTTP straight into the same plugin process,
//! with its storage in a map, and nothing else. What is left between the two is ours.

mod bare;
mod hops;
mod load;
mod policies;
mod report;
mod target;
mod usage;
mod work;

use std::{path::PathBuf, time::Duration};

use clap::{Parser, Subcommand};

use crate::{
    report::{Cell, Report},
    target::{Targets, Wanted},
    work::Work,
};

/// Measures a release build on this machine; everything runs on loopback and ends with it.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    part: Option<Part>,
    /// How long each cell of the table is measured in a round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// How often the whole table is gone through; what is compared runs next to each other in every round.
    #[arg(long, default_value_t = 2)]
    rounds: u32,
    /// Connections at a time, each with one request at a time.
    #[arg(long, value_delimiter = ',', default_value = "1,8,64")]
    connections: Vec<usize>,
    /// Only work whose name contains this.
    #[arg(long, default_value = "")]
    only: String,
    /// Which forms are measured beside the bare path.
    #[arg(long, value_delimiter = ',', default_value = "memory,one,apart")]
    forms: Vec<Wanted>,
}

#[derive(Debug, Subcommand)]
enum Part {
    /// Serve the bare path until the standard input ends.
    #[command(hide = true)]
    Bare {
        /// The plugin's program.
        plugin: PathBuf,
        /// A private folder for its sockets.
        folder: PathBuf,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match &arguments.part {
        Some(Part::Bare { plugin, folder }) => bare::serve(plugin, folder).await,
        None => measure(&arguments).await,
    }
}

async fn measure(arguments: &Arguments) -> anyhow::Result<()> {
    let work: Vec<Work> =
        work::all().into_iter().filter(|work| work.name.contains(&arguments.only)).collect();
    let most = arguments.connections.iter().copied().max().unwrap_or(1);
    let targets = Targets::start(&arguments.forms).await?;
    for target in targets.all() {
        for work in &work {
            load::prepare(target, work, most).await?;
        }
    }
    let time = Duration::from_secs_f64(arguments.seconds);
    let mut report = Report::default();
    for round in 1..=arguments.rounds {
        for work in &work {
            for connections in &arguments.connections {
                for target in targets.all() {
                    eprintln!("round {round}: {}, {connections} connections, {}", work.name, target.name);
                    let outcome = load::run(target, work, *connections, time).await?;
                    report.add(
                        Cell { work: work.name, connections: *connections, target: target.name },
                        outcome,
                    );
                }
            }
        }
    }
    print(&report.to_string());
    targets.stop().await;
    print(&hops::measure(time).await?);
    print(&policies::measure(time)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "this is what the program is for")]
fn print(text: &str) {
    println!("{text}");
}
