//! How a child that cannot confine itself says at what it failed: all else that it could say is a number.

use std::{
    fmt::{self, Display, Formatter},
    io,
    os::fd::OwnedFd,
};

use rustix::{
    io::{read, write},
    pipe::{PipeFlags, pipe_with},
};

/// What a child does to itself, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Step {
    /// Joins its control group.
    Cgroup = 1,
    /// Takes its limits.
    Limits,
    /// Gives its rights up.
    Capabilities,
    /// Becomes another user.
    User,
    /// Leaves the file system.
    Filesystem,
    /// Gives system calls up.
    SystemCalls,
}

impl Step {
    const ALL: [Self; 6] =
        [Self::Cgroup, Self::Limits, Self::Capabilities, Self::User, Self::Filesystem, Self::SystemCalls];
}

impl Display for Step {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cgroup => "it cannot join its control group",
            Self::Limits => "its limits cannot be set",
            Self::Capabilities => "its capabilities cannot be taken away",
            Self::User => "it cannot change to its user",
            Self::Filesystem => "it cannot be kept from the file system",
            Self::SystemCalls => "its system calls cannot be filtered",
        })
    }
}

/// The child's end.
#[derive(Debug)]
pub struct Steps(OwnedFd);

/// The host's end.
#[derive(Debug)]
pub struct Reports(OwnedFd);

/// Both ends; neither survives an exec.
pub fn channel() -> io::Result<(Steps, Reports)> {
    let (reports, steps) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
    Ok((Steps(steps), Reports(reports)))
}

impl Steps {
    /// Passes the outcome of a step on, and tells the host of one that failed. Safe between fork and exec.
    pub fn tell(&self, step: Step, outcome: io::Result<()>) -> io::Result<()> {
        if outcome.is_err() {
            // The error itself says enough if this fails.
            let _ = write(&self.0, &[step as u8]);
        }
        outcome
    }
}

impl Reports {
    /// The step that failed, if one did.
    pub fn failed(&self) -> Option<Step> {
        let mut said = [0];
        let length = read(&self.0, &mut said).ok()?;
        Step::ALL.into_iter().find(|step| length == 1 && *step as u8 == said[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_that_failed_is_told() {
        for step in Step::ALL {
            let (steps, reports) = channel().unwrap();
            steps.tell(step, Ok(())).unwrap();
            assert_eq!(reports.failed(), None);
            steps.tell(step, Err(io::ErrorKind::PermissionDenied.into())).unwrap_err();
            assert_eq!(reports.failed(), Some(step));
        }
    }
}
