//! The few calls of the launcher that need `unsafe`, each with the reason why it is sound.
#![allow(
    unsafe_code,
    reason = "what runs between fork and exec, and calls whose safety rests on what is passed"
)]

use std::{
    ffi::{CString, c_char},
    io,
    os::{
        fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
        unix::process::CommandExt,
    },
    process::Command,
};

use rustix::{
    io::{FdFlags, fcntl_setfd},
    process::{Signal, getpid, getppid, set_parent_process_death_signal, setsid},
    thread::set_no_new_privs,
};
use tokio::io::{Interest, unix::AsyncFd};

use crate::sandbox::Confinement;

/// What a child executes: made ready before the fork, because after it nothing may be allocated.
pub struct Execution {
    path: CString,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    /// What the pointers point to.
    _texts: Vec<CString>,
}

// SAFETY: the pointers lead into texts that the value owns and never changes.
unsafe impl Send for Execution {}
// SAFETY: as above.
unsafe impl Sync for Execution {}

impl Execution {
    /// A program with its arguments, its own name first, and its environment of `KEY=value`.
    pub fn new(path: CString, args: Vec<CString>, env: Vec<CString>) -> Self {
        let pointers = |texts: &[CString]| -> Vec<*const c_char> {
            texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
        };
        let (argv, envp) = (pointers(&args), pointers(&env));
        Self { path, argv, envp, _texts: args.into_iter().chain(env).collect() }
    }

    /// Returns only if the system refuses. Unlike the C library's way it never takes a text for a shell script.
    fn run(&self) -> io::Error {
        // SAFETY: the path and all texts end in NUL, and both lists in a null pointer.
        unsafe { libc::execve(self.path.as_ptr(), self.argv.as_ptr(), self.envp.as_ptr()) };
        io::Error::last_os_error()
    }
}

/// Makes the child die with the calling *thread*, lead a session of its own, gain no privileges, inherit no descriptor
/// but its standard streams and, if given, the one that a script's interpreter reads the script from; enter its sandbox;
/// and execute.
pub fn confine(
    command: &mut Command,
    execution: Execution,
    inherit: Option<RawFd>,
    sandbox: Option<Confinement>,
) {
    let host = getpid();
    let prepare = move || {
        setsid()?;
        sandbox.as_ref().map_or(Ok(()), Confinement::leave_rights)?;
        // Only now: the kernel forgets it when a process changes its user.
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // The host may have ended before the line above; then no signal will come.
        if getppid() != Some(host) {
            return Err(io::Error::from_raw_os_error(libc::ESRCH));
        }
        set_no_new_privs(true)?;
        close_on_exec();
        if let Some(fd) = inherit {
            // SAFETY: the descriptor is held open by the image for as long as the spawn lasts.
            let script = unsafe { BorrowedFd::borrow_raw(fd) };
            fcntl_setfd(script, FdFlags::empty())?;
        }
        sandbox.as_ref().map_or(Ok(()), Confinement::shut)?;
        Err(execution.run())
    };
    // SAFETY: the closure makes plain system calls only; it neither allocates nor takes a lock.
    unsafe { command.pre_exec(prepare) };
}

/// Marks every descriptor but the standard streams. Kernels before 5.11 refuse; there the mark that every descriptor
/// of ours is opened with has to do.
fn close_on_exec() {
    // SAFETY: takes numbers only and touches no memory.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
}

/// The version of Landlock that the kernel has; 0: none.
pub fn landlock_abi() -> i32 {
    const VERSION: libc::c_uint = 1;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: with this flag the kernel looks at nothing but numbers.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, nothing, 0, VERSION) };
    i32::try_from(version).unwrap_or_default().max(0)
}

/// Whether the kernel can refuse system calls one by one.
pub fn filters_system_calls() -> bool {
    let refuse = libc::SECCOMP_RET_ERRNO;
    // SAFETY: the kernel reads one number, which outlives the call.
    let answer =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0, &raw const refuse) };
    answer == 0
}

/// Takes rules for the file system, for good. A plain system call: safe between fork and exec.
pub fn restrict_self(ruleset: &OwnedFd) -> io::Result<()> {
    // SAFETY: takes numbers only and touches no memory.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A descriptor that one can wait for.
pub fn watch(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: the descriptor is owned, so it stays open and the same until the `AsyncFd` is dropped.
    let watched = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) };
    Ok(watched?)
}
