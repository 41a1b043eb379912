//! A program of somebody else's that a test starts: a database, a registry.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use rustix::process::Signal;

use crate::process::Process;

/// How long it may take to let us in, on a machine that does much else.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Its process, which ends with its owner.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    /// What ends it at once, with all that it started.
    end: Signal,
}

impl Daemon {
    pub(crate) fn start(command: &mut Command, end: Signal) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self { child: command.spawn().expect("a program of Debian's can be started"), end }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it by this signal, and waits until it is gone.
    pub(crate) fn end(&mut self, signal: Signal) {
        if let Some(process) = Process::of(self.child.id()) {
            process.signal(signal);
        }
        // It ends by what it was just sent; nobody is left to tell.
        let _ = self.child.wait();
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end(self.end);
    }
}
