use std::{collections::BTreeMap, fmt};

use crate::{load::Outcome, target::BARE};

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub work: &'static str,
    pub connections: usize,
    pub target: &'static str,
}

/// All that was measured, rounds added up.
#[derive(Debug, Default)]
pub struct Report {
    // In the order of measuring.
    order: Vec<Cell>,
    cells: BTreeMap<Cell, Outcome>,
}

impl Report {
    /// Adds a round of a row.
    pub fn add(&mut self, cell: Cell, outcome: Outcome) {
        let Some(sum) = self.cells.get_mut(&cell) else {
            self.order.push(cell);
            self.cells.insert(cell, outcome);
            return;
        };
        // Both have the same bounds, so one fits into the other.
        let _ = sum.latency.add(&outcome.latency);
        sum.failed += outcome.failed;
        sum.time += outcome.time;
        sum.host.cpu += outcome.host.cpu;
        sum.plugin.cpu += outcome.plugin.cpu;
        sum.host.memory = sum.host.memory.max(outcome.host.memory);
    }
}

impl Outcome {
    fn rate(&self) -> f64 {
        self.latency.len() as f64 / self.time.as_secs_f64()
    }

    fn host_cpu(&self) -> f64 {
        per_request(self.host.cpu.as_micros(), self.latency.len())
    }

    fn plugin_cpu(&self) -> f64 {
        per_request(self.plugin.cpu.as_micros(), self.latency.len())
    }
}

fn per_request(micros: u128, requests: u64) -> f64 {
    micros as f64 / requests.max(1) as f64
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| work | connections | system | requests/s | of bare | p50 µs | p99 µs | host CPU µs/request | of bare | plugin CPU µs/request | host RSS MiB | failed |"
        )?;
        writeln!(f, "|---|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")?;
        for cell in &self.order {
            let bare = self.cells.get(&Cell { target: BARE, ..*cell });
            let (Some(outcome), Some(bare)) = (self.cells.get(cell), bare) else { continue };
            writeln!(
                f,
                "| {} | {} | {} | {:.0} | {:.2} | {} | {} | {:.0} | {:.2} | {:.0} | {:.1} | {} |",
                cell.work,
                cell.connections,
                cell.target,
                outcome.rate(),
                outcome.rate() / bare.rate(),
                outcome.latency.value_at_quantile(0.5),
                outcome.latency.value_at_quantile(0.99),
                outcome.host_cpu(),
                outcome.host_cpu() / bare.host_cpu().max(0.01),
                outcome.plugin_cpu(),
                outcome.host.memory as f64 / f64::from(1 << 20),
                outcome.failed,
            )?;
        }
        Ok(())
    }
}
