//! Processes as the kernel sees them, through `/proc`.

use std::fs;
use std::path::PathBuf;

use rustix::process::{Pid, Signal, kill_process};

/// What a Vault plugin finds in its environment and nothing else does.
const PLUGIN_COOKIES: [&str; 2] = ["VAULT_BACKEND_PLUGIN=", "VAULT_DATABASE_PLUGIN="];

/// One process, told from a later one with the same number by when it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    started: u64,
}

/// What `/proc/PID/stat` says about a process.
struct Stat {
    state: char,
    parent: u32,
    started: u64,
}

impl Process {
    /// The process that has this number now, a zombie included.
    pub fn of(pid: u32) -> Option<Self> {
        Some(Self { pid, started: stat(pid)?.started })
    }

    /// Whether it runs still. A zombie does not.
    pub fn is_alive(&self) -> bool {
        stat(self.pid).is_some_and(|stat| stat.started == self.started && !"ZX".contains(stat.state))
    }

    /// Sends it SIGKILL.
    pub fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Sends it a signal, unless it is gone.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("a process has a number");
        if self.is_alive() {
            // It may end between the look and the signal.
            let _ = kill_process(pid, signal);
        }
    }

    /// What it has open, as `/proc` names it: paths, `socket:[1]`, `pipe:[1]`, ...
    pub fn descriptors(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(format!("/proc/{}/fd", self.pid)).into_iter().flatten().flatten();
        entries.filter_map(|entry| fs::read_link(entry.path()).ok()).collect()
    }

    /// Its connections over TCP whose other end is open too, named as above.
    pub fn connections(&self) -> Vec<PathBuf> {
        const ESTABLISHED: &str = "01";
        let tables = ["tcp", "tcp6"].map(|table| format!("/proc/{}/net/{table}", self.pid));
        let lines = tables.iter().map(|table| fs::read_to_string(table).unwrap_or_default());
        let socket = |line: &str| {
            let fields: Vec<&str> = line.split_ascii_whitespace().collect();
            let [_, _, _, ESTABLISHED, _, _, _, _, _, inode, ..] = fields[..] else { return None };
            Some(PathBuf::from(format!("socket:[{inode}]")))
        };
        lines.flat_map(|table| table.lines().filter_map(socket).collect::<Vec<_>>()).collect()
    }

    /// The file that it executes, as `/proc` names it.
    pub fn executable(&self) -> Option<PathBuf> {
        fs::read_link(format!("/proc/{}/exe", self.pid)).ok()
    }

    /// How much memory of its own it holds, in KiB.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    fn has_environment(&self, start: &str) -> bool {
        words(self.pid, "environ").iter().any(|entry| entry.starts_with(start))
    }
}

/// The live processes below `ancestor`, near ones first.
pub fn descendants(ancestor: u32) -> Vec<Process> {
    below(ancestor).into_iter().filter(Process::is_alive).collect()
}

/// The live plugin processes below `ancestor`.
pub fn plugins(ancestor: u32) -> Vec<Process> {
    let mut all = descendants(ancestor);
    all.retain(|process| PLUGIN_COOKIES.iter().any(|cookie| process.has_environment(cookie)));
    all
}

/// The processes below `ancestor` that have ended and that nobody has waited for.
pub fn zombies(ancestor: u32) -> Vec<u32> {
    let ended = |process: &Process| stat(process.pid).is_some_and(|stat| stat.state == 'Z');
    below(ancestor).into_iter().filter(ended).map(|process| process.pid).collect()
}

/// The live processes that were started with this argument.
pub fn with_argument(argument: &str) -> Vec<Process> {
    let named = |process: &Process| words(process.pid, "cmdline").iter().any(|word| word == argument);
    all().filter_map(Process::of).filter(|process| process.is_alive() && named(process)).collect()
}

fn below(ancestor: u32) -> Vec<Process> {
    let everything: Vec<(u32, Stat)> = all().filter_map(|pid| Some((pid, stat(pid)?))).collect();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![ancestor];
    while let Some(parent) = parents.pop() {
        for (pid, stat) in everything.iter().filter(|(_, stat)| stat.parent == parent) {
            found.push(Process { pid: *pid, started: stat.started });
            parents.push(*pid);
        }
    }
    found
}

fn all() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The words of a file of `/proc/PID` that ends each of them with a zero byte.
fn words(pid: u32, file: &str) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

fn stat(pid: u32) -> Option<Stat> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything, brackets and blanks included.
    let (_, rest) = line.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};

    use super::*;

    #[test]
    fn this_process_is_alive_and_has_descriptors() {
        let this = Process::of(id()).unwrap();
        assert!(this.is_alive());
        assert!(this.descriptors().len() >= 3);
    }

    #[test]
    fn a_child_that_nobody_waited_for_is_a_zombie_and_not_alive() {
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        let process = Process::of(child.id()).unwrap();
        assert!(descendants(id()).contains(&process));
        process.kill();
        while process.is_alive() {
            std::thread::yield_now();
        }
        assert!(zombies(id()).contains(&child.id()));
        child.wait().unwrap();
        assert!(!zombies(id()).contains(&process.pid));
    }
}
