use std::{fs::File, io, os::fd::OwnedFd};

use domain::SandboxSettings;
use rustix::{
    io::write,
    process::{Gid, Resource, Rlimit, Uid, setrlimit},
    thread::{set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};
use seccompiler::{BpfProgram, apply_filter};

use super::{Step, capabilities::Dropped, steps::Steps};
use crate::kernel;

/// What a child does to itself between fork and exec. All of it lies ready: nothing is allocated any more.
#[derive(Debug)]
pub struct Confinement {
    pub(super) cgroup: Option<File>,
    pub(super) limits: Vec<(Resource, Rlimit)>,
    pub(super) dropped: Option<Dropped>,
    pub(super) ids: Option<(Uid, Gid)>,
    pub(super) ruleset: Option<OwnedFd>,
    pub(super) filters: Vec<BpfProgram>,
    pub(super) steps: Steps,
}

impl Confinement {
    /// Whatever needs the host's rights, and then gives them up. What the kernel forgets when users change comes after it.
    pub fn leave_rights(&self) -> io::Result<()> {
        let joined =
            self.cgroup.as_ref().map_or(Ok(()), |door| write(door, b"0").map(drop).map_err(Into::into));
        self.steps.tell(Step::Cgroup, joined)?;
        self.steps.tell(Step::Limits, self.limits.iter().try_for_each(take_limit))?;
        let bounded = self.dropped.as_ref().map_or(Ok(()), Dropped::for_good);
        self.steps.tell(Step::Capabilities, bounded)?;
        self.steps.tell(Step::User, self.ids.map_or(Ok(()), become_user))?;
        let given_up = self.dropped.as_ref().map_or(Ok(()), Dropped::now);
        self.steps.tell(Step::Capabilities, given_up)
    }

    /// Shuts the door. To be called last: even what is harmless may be refused after it.
    pub fn shut(&self) -> io::Result<()> {
        set_no_new_privs(true)?;
        let restricted = self.ruleset.as_ref().map_or(Ok(()), kernel::restrict_self);
        self.steps.tell(Step::Filesystem, restricted)?;
        let filtered = self.filters.iter().try_for_each(|filter| {
            apply_filter(filter).map_err(|error| match error {
                seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error) => error,
                _ => io::ErrorKind::InvalidInput.into(),
            })
        });
        self.steps.tell(Step::SystemCalls, filtered)
    }
}

fn take_limit((resource, limit): &(Resource, Rlimit)) -> io::Result<()> {
    Ok(setrlimit(*resource, *limit)?)
}

fn become_user((user, group): (Uid, Gid)) -> io::Result<()> {
    set_thread_groups(&[])?;
    set_thread_res_gid(group, group, group)?;
    Ok(set_thread_res_uid(user, user, user)?)
}

/// The limits that every system knows.
pub(super) fn limits(asked: &SandboxSettings) -> Vec<(Resource, Rlimit)> {
    let wanted = [
        (Resource::As, asked.address_space_bytes),
        (Resource::Data, asked.data_bytes),
        (Resource::Nofile, asked.open_files),
        (Resource::Nproc, asked.processes),
    ];
    let limits = wanted.into_iter().filter(|(_, most)| *most > 0);
    let limits =
        limits.map(|(resource, most)| (resource, Rlimit { current: Some(most), maximum: Some(most) }));
    // What is in memory is in a core, too.
    limits.chain([(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })]).collect()
}
