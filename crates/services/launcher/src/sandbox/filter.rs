//! The system calls that no plugin needs: they are for administering a machine, for looking into other processes, or for
//! leaving a sandbox.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

use super::{Missing, Offers};

/// Refused as for one who may not.
const FORBIDDEN: &[c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_process_madvise,
    // Another view of the system.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_chroot,
    libc::SYS_pivot_root,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    // The kernel.
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_syslog,
    // The machine.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_nfsservctl,
    libc::SYS_fanotify_init,
    libc::SYS_lookup_dcookie,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_modify_ldt,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_uselib,
    #[cfg(target_arch = "x86_64")]
    libc::SYS__sysctl,
];

/// Refused as by a kernel that does not have them: programs then do what they did before there were these. What they are
/// told in memory, no filter can look at.
const UNKNOWN: &[c_long] =
    &[libc::SYS_clone3, libc::SYS_io_uring_setup, libc::SYS_io_uring_enter, libc::SYS_io_uring_register];

/// A child in a name space of its own.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWNS,
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
];

/// The same calls of a second kind, which some kernels of this processor have.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;

/// Those of them that have a number of their own: ptrace, kexec_load, process_vm_readv and process_vm_writev.
#[cfg(target_arch = "x86_64")]
const X32_ALONE: [c_long; 4] = [521, 528, 539, 540];

/// Both filters; a call is refused if either refuses it.
pub(super) fn prepare(offers: &Offers) -> Result<Vec<BpfProgram>, Missing> {
    if !offers.filters {
        return Err(Missing::SystemCalls);
    }
    build().map_err(|_| Missing::SystemCalls)
}

fn build() -> Result<Vec<BpfProgram>, seccompiler::BackendError> {
    let mut forbidden = unconditional(FORBIDDEN);
    let masks = NAMESPACES.map(|flag| u64::from(flag.unsigned_abs()));
    let clones = masks.map(|flag| on_argument(0, SeccompCmpOp::MaskedEq(flag), flag));
    forbidden.insert(libc::SYS_clone, clones.into_iter().collect::<Result<_, _>>()?);
    // To type into the terminal of somebody else.
    forbidden.insert(libc::SYS_ioctl, vec![on_argument(1, SeccompCmpOp::Eq, libc::TIOCSTI)?]);
    let program = |rules, errno: i32| -> Result<BpfProgram, seccompiler::BackendError> {
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let refused = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(of_every_kind(rules), SeccompAction::Allow, refused, arch)?.try_into()
    };
    Ok(vec![program(forbidden, libc::EPERM)?, program(unconditional(UNKNOWN), libc::ENOSYS)?])
}

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

fn unconditional(calls: &[c_long]) -> Rules {
    calls.iter().map(|call| (*call, Vec::new())).collect()
}

fn on_argument(
    index: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![SeccompCondition::new(index, SeccompCmpArgLen::Dword, operator, value)?])
}

#[cfg(target_arch = "x86_64")]
fn of_every_kind(rules: Rules) -> Rules {
    let second: Rules = rules.iter().map(|(call, rules)| (call | X32, rules.clone())).collect();
    let alone = X32_ALONE.map(|call| (call | X32, Vec::new()));
    rules.into_iter().chain(second).chain(alone).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn of_every_kind(rules: Rules) -> Rules {
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_are_sound_and_a_host_without_filters_says_so() {
        let with = |filters| Offers { filters, ..Offers::detect() };
        assert_eq!(prepare(&with(true)).unwrap().len(), 2);
        assert!(matches!(prepare(&with(false)), Err(Missing::SystemCalls)));
    }
}
