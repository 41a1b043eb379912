use std::{
    fmt, io,
    os::fd::{AsFd, OwnedFd},
    thread,
};

use rustix::{
    io::Errno,
    process::{
        Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, WaitIdStatus, kill_process_group, pidfd_open,
        pidfd_send_signal, waitid,
    },
};
use tokio::io::unix::AsyncFd;

use crate::{kernel, offspring};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// Nobody knows any more.
    Unknown,
}

impl Exit {
    fn of(status: &WaitIdStatus) -> Self {
        match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => write!(f, "was ended by signal {signal}"),
            Self::Unknown => f.write_str("ended"),
        }
    }
}

/// A child that has not been reaped, so that its number is its own; it leads its group. Dropped, it is killed with
/// its whole group.
#[derive(Debug)]
pub struct Newborn(Option<Pid>);

impl Newborn {
    /// Takes charge of a child that was just forked.
    pub const fn new(pid: Pid) -> Self {
        Self(Some(pid))
    }
}

impl Drop for Newborn {
    fn drop(&mut self) {
        let Some(pid) = self.0.take() else { return };
        kill_group(pid);
        // Reaping waits for the death, and this may be a thread of the runtime.
        let reaper = thread::Builder::new().name("reap".to_owned());
        if let Err(error) = reaper.spawn(move || offspring::reap(pid)) {
            tracing::error!(%pid, %error, "cannot reap a plugin's process");
        }
    }
}

/// A child that one can wait for.
#[derive(Debug)]
pub struct Child {
    newborn: Newborn,
    pid: Pid,
    handle: AsyncFd<OwnedFd>,
}

impl Child {
    /// Begins to watch a child.
    pub fn watch(newborn: Newborn) -> io::Result<Self> {
        let pid = newborn.0.ok_or(io::ErrorKind::NotFound)?;
        let handle = pidfd_open(pid, PidfdFlags::empty())?;
        Ok(Self { newborn, pid, handle: kernel::watch(handle)? })
    }

    /// Its number.
    pub const fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Asks it to end. Only this process is meant, whatever has become of its number.
    pub fn terminate(&self) -> io::Result<()> {
        Ok(pidfd_send_signal(&self.handle, Signal::TERM)?)
    }

    /// Waits until it has ended, without reaping it. Harmless to cancel.
    pub async fn exited(&self) -> Exit {
        let peek = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        loop {
            match waitid(WaitId::PidFd(self.handle.as_fd()), peek) {
                Ok(None) | Err(Errno::INTR) => {}
                Ok(Some(status)) => return Exit::of(&status),
                // Nobody else reaps it; if somebody did, it has certainly ended.
                Err(_) => return Exit::Unknown,
            }
            if let Ok(mut ready) = self.handle.readable().await {
                ready.clear_ready();
            }
        }
    }

    /// Kills it with its whole group, and reaps it.
    pub async fn end(mut self) -> Exit {
        kill_group(self.pid);
        let exit = self.exited().await;
        // Whatever it forked in its last moments: until it is reaped, the number stays its own.
        kill_group(self.pid);
        if let Some(pid) = self.newborn.0.take() {
            // This takes a lock that is held while another child is started.
            let _ = tokio::task::spawn_blocking(move || offspring::reap(pid)).await;
        }
        exit
    }
}

fn kill_group(pid: Pid) {
    // Nobody left in the group: as it should be.
    let _ = kill_process_group(pid, Signal::KILL);
}
