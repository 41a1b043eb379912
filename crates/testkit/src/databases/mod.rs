//! Real databases, each of one test's own: on a free port of the loopback, and gone with the test.

mod postgresql;
mod redis;

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

pub use self::{postgresql::PostgreSql, redis::Redis};
use crate::process::Process;

/// How long a database may take to let us in, on a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database's process, which ends with its owner.
#[derive(Debug)]
struct Daemon {
    child: Child,
    /// What ends it at once, with all that it started.
    end: Signal,
}

impl Daemon {
    fn start(command: &mut Command, end: Signal) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("a database can be started"), end }
    }
}

impl Daemon {
    /// Ends it by this signal, and waits until it is gone.
    fn end(&mut self, signal: Signal) {
        if let Some(process) = Process::of(self.child.id()) {
            process.signal(signal);
        }
        // It ends by what it was just sent; nobody is left to tell.
        let _ = self.child.wait();
    }

    fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(self.end);
    }
}
