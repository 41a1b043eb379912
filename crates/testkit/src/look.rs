//! Looking at a server from outside: its processes, its files, its log.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::{self, Process};
use crate::running::Running;
use crate::{Form, Server, apart};

impl Server {
    /// The folder that plugins are registered from.
    pub fn plugin_directory(&self) -> PathBuf {
        self.folder.path().join("plugins")
    }

    /// The folder that holds everything stored.
    pub fn data_directory(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The files and folders below the server's temporary folder, in order.
    pub fn temporary_files(&self) -> Vec<PathBuf> {
        let mut files = files_below(&self.folder.path().join("tmp"));
        files.sort();
        files
    }

    /// The process that plugins run below.
    pub fn pid(&self) -> u32 {
        let launcher = match self.options.form {
            Form::One | Form::Dev => self.running.first(),
            Form::Apart => self.running.get(apart::LAUNCHER),
        };
        launcher.expect("this server runs").pid()
    }

    /// All processes of this server itself, its plugins not counted.
    pub fn processes(&self) -> Vec<Process> {
        self.running.iter().filter_map(|running| Process::of(running.pid())).collect()
    }

    /// The process that answers HTTP.
    pub fn gateway(&self) -> Process {
        let last = self.running.last().expect("this server runs");
        Process::of(last.pid()).expect("this server runs")
    }

    /// The process that decides, and writes audit files.
    pub fn router(&self) -> Process {
        // Apart, only the gateway comes after it.
        let after = if self.options.form == Form::Apart { 2 } else { 1 };
        let running = self.running.iter().rev().nth(after - 1).expect("this server runs");
        Process::of(running.pid()).expect("this server runs")
    }

    /// The process of `pid`.
    pub fn process(&self) -> Process {
        Process::of(self.pid()).expect("this server runs")
    }

    /// The live plugin processes of this server.
    pub fn plugins(&self) -> Vec<Process> {
        process::plugins(self.pid())
    }

    /// The one plugin process of this server.
    #[track_caller]
    pub fn only_plugin(&self) -> Process {
        let all = self.plugins();
        assert_eq!(all.len(), 1, "one plugin process, not {all:?}");
        all[0]
    }

    /// Everything that it has written to its output, since its first start.
    pub fn log(&self) -> String {
        self.running.iter().map(Running::output).collect()
    }

    /// Runs SQL on the database of a stopped server, and returns what `sqlite3` printed.
    pub fn sql(&self, statement: &str) -> String {
        let database = self.data_directory().join("mortise.db");
        let run =
            Command::new("sqlite3").arg(database).arg(statement).output().expect("sqlite3 is installed");
        assert!(run.status.success(), "{statement}: {}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

/// The files and folders below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files_below(&path));
        }
        found.push(path);
    }
    found
}
