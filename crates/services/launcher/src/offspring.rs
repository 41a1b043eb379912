//! Descendants that a plugin leaves behind. The host is their subreaper: when their parents end they become our
//! children, whatever session or group they moved to.

use std::{
    collections::HashSet,
    fs, io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpid, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitid,
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{child::Newborn, environment::SOCKET_DIR};

/// The children that have an owner. It is one list for the whole process because being a subreaper is, too.
static OWNED: LazyLock<Mutex<HashSet<Pid>>> = LazyLock::new(Mutex::default);

fn owned() -> MutexGuard<'static, HashSet<Pid>> {
    OWNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Forks a child that gets an owner. Nothing is reaped in between, so that nobody takes it for a stray.
pub fn own<T>(fork: impl FnOnce() -> io::Result<(Pid, T)>) -> io::Result<(Newborn, T)> {
    let mut owned = owned();
    let (pid, rest) = fork()?;
    owned.insert(pid);
    Ok((Newborn::new(pid), rest))
}

/// Waits for the death of a child that has an owner, and reaps it.
pub fn reap(pid: Pid) {
    let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
    // Once it is reaped its number may be given to another child; not before this is done.
    let mut owned = owned();
    let _ = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    owned.remove(&pid);
}

/// Makes this process the one that strays come to.
pub fn adopt_strays() -> io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Reaps strays that have ended by themselves, for as long as it is polled.
pub async fn reap_strays() -> io::Result<()> {
    let mut ended = signal(SignalKind::child())?;
    while ended.recv().await.is_some() {
        let _ = tokio::task::spawn_blocking(reap_ended).await;
        // Many ends in a row are looked at together.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

fn reap_ended() {
    let owned = owned();
    for stray in children().filter(|child| child.ended && !owned.contains(&child.pid)) {
        let _ = waitid(WaitId::Pid(stray.pid), WaitIdOptions::EXITED | WaitIdOptions::NOHANG);
    }
}

/// Kills and reaps every stray with this setting in its environment, and what becomes a stray by that.
pub fn sweep(mark: &str) {
    const ROUNDS: usize = 64;
    for _ in 0..ROUNDS {
        let strays: Vec<_> =
            children().filter(|child| !child.ended && !owned().contains(&child.pid)).collect();
        let killed = strays.iter().filter(|stray| kill_marked(stray.pid, mark)).count();
        if killed == 0 {
            return;
        }
    }
    tracing::warn!("a plugin's descendants fork faster than they are killed");
}

/// Kills what the plugins of a host that was itself killed have left, wherever it has moved to. Its folder is how we know
/// what was its own; and nobody else's child may be waited for.
pub fn sweep_abandoned(host_dir: &Path) {
    let mark = format!("{SOCKET_DIR}={}/", host_dir.display());
    for pid in numbers() {
        kill_if(pid, |setting| setting.starts_with(mark.as_bytes()));
    }
}

fn kill_marked(pid: Pid, mark: &str) -> bool {
    let Some(handle) = kill_if(pid, |setting| setting == mark.as_bytes()) else { return false };
    wait(handle.as_fd());
    true
}

/// Kills a process with such a setting in its environment.
fn kill_if(pid: Pid, is_marked: impl Fn(&[u8]) -> bool) -> Option<OwnedFd> {
    let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
    // Read after the handle was opened: should the number have a new owner by now, the handle is that of the dead one.
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    if !environment.split(|byte| *byte == 0).any(is_marked) {
        return None;
    }
    pidfd_send_signal(&handle, Signal::KILL).ok()?;
    Some(handle)
}

fn wait(handle: BorrowedFd<'_>) {
    let _ = waitid(WaitId::PidFd(handle), WaitIdOptions::EXITED);
}

struct Relative {
    pid: Pid,
    ended: bool,
}

/// Our children that live in another session than ours: plugins, which lead one each, and what they left behind.
fn children() -> impl Iterator<Item = Relative> {
    let host = getpid();
    let session = Stat::of(host).map(|stat| stat.session);
    numbers().filter_map(move |pid| {
        let stat = Stat::of(pid)?;
        let ours = stat.parent == host.as_raw_nonzero().get() && Some(stat.session) != session;
        ours.then_some(Relative { pid, ended: stat.ended })
    })
}

/// What `/proc/PID/stat` tells (proc_pid_stat(5)). Numbers of processes that our namespace does not see are 0: a container's
/// first process often has such a session, which `getsid` could not express.
struct Stat {
    ended: bool,
    parent: i32,
    session: i32,
}

impl Stat {
    fn of(pid: Pid) -> Option<Self> {
        let line = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name in parentheses may hold anything; what follows it does not.
        let mut fields = line.rsplit_once(')')?.1.split_ascii_whitespace();
        let ended = fields.next()? == "Z";
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        Some(Self { ended, parent, session })
    }
}

/// The numbers of all processes.
fn numbers() -> impl Iterator<Item = Pid> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| Pid::from_raw(entry.file_name().to_str()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn l13_only_marked_children_in_sessions_of_their_own_get_a_signal() {
        let mark = "MORTISE_TEST_MARK=l13";
        let (name, value) = mark.split_once('=').unwrap();
        let mut same_session = Command::new("sleep").arg("60").env(name, value).spawn().unwrap();
        let mut unmarked = Command::new("setsid").args(["sleep", "60"]).spawn().unwrap();
        sweep(mark);
        for child in [&mut same_session, &mut unmarked] {
            assert_eq!(child.try_wait().unwrap(), None);
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}
