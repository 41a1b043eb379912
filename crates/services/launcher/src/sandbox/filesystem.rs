//! What of the file system a process sees, by Landlock. Memory of our own, such as the program, is not part of it.

use std::{
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

use domain::SandboxSettings;
use landlock::{
    ABI, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr, Scope,
};
use rustix::fs::{FileType, fstat};

use super::{Missing, Offers, Refusal, Terms};

/// Without it a process can still truncate files.
const NEEDED: i32 = 3;
/// From it on, control calls to devices are refused.
const DEVICES: i32 = 5;
/// From it on, signals and sockets without a path stay inside.
const SCOPES: i32 = 6;

/// Where loaders and libraries are.
const LIBRARIES: [&str; 4] = ["/lib", "/lib64", "/usr/lib", "/usr/lib64"];
/// What programs that talk over the network read: names, times, certificates; and what runtimes ask about the machine.
const COMMON: [&str; 24] = [
    "/etc/ld.so.cache",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/resolv.conf",
    "/run/systemd/resolve/stub-resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/timezone",
    "/usr/share/zoneinfo",
    // Not all of /etc/ssl: keys are beside it.
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/sys/net/core/somaxconn",
    "/sys/devices/system/cpu",
    "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
];
const DEVICE_FILES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// The rules, to be taken by the child. None: it makes do without.
pub(super) fn prepare(
    asked: &SandboxSettings,
    offers: &Offers,
    folder: &Path,
    trusted: &[PathBuf],
    terms: &Terms,
) -> Result<Option<OwnedFd>, Refusal> {
    let Some(ruleset) = terms.take(Some(ruleset(offers)))? else { return Ok(None) };
    let (read, execute, write) = accesses(offers);
    let mut rules = Rules(ruleset);
    for (paths, access) in [(&LIBRARIES[..], execute), (&COMMON, read), (&DEVICE_FILES, read | write)] {
        for path in paths {
            // What a system does not have, nothing needs.
            let _ = rules.allow(Path::new(path), access);
        }
    }
    for path in trusted {
        let _ = rules.allow(path, read);
    }
    terms.take(Some(rules.allow(folder, read | write)))?;
    let lists =
        [(&asked.read_paths, read), (&asked.execute_paths, execute), (&asked.write_paths, read | write)];
    for (paths, access) in lists {
        for path in paths {
            terms.take(Some(rules.allow(Path::new(path), access)))?;
        }
    }
    Ok(Option::<OwnedFd>::from(rules.0))
}

/// Whoever is the host's own user could signal the host.
pub(super) fn keeps_signals(offers: &Offers, own_user: bool) -> Result<(), Missing> {
    match own_user || offers.landlock >= SCOPES {
        true => Ok(()),
        false => Err(Missing::Signals { abi: offers.landlock }),
    }
}

fn ruleset(offers: &Offers) -> Result<RulesetCreated, Missing> {
    if offers.landlock < NEEDED {
        return Err(Missing::Landlock { needed: NEEDED, abi: offers.landlock });
    }
    let (read, execute, write) = accesses(offers);
    let build = || {
        let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
        let rules = rules.handle_access(read | execute | write)?;
        if offers.landlock >= SCOPES {
            rules.scope(Scope::Signal | Scope::AbstractUnixSocket)?.create()
        } else {
            rules.create()
        }
    };
    build().map_err(|error: landlock::RulesetError| Missing::Rules(error.to_string()))
}

type Rights = BitFlags<AccessFs>;

/// To read; to read and execute; to change.
fn accesses(offers: &Offers) -> (Rights, Rights, Rights) {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let abi = if offers.landlock >= DEVICES { ABI::V5 } else { ABI::V3 };
    (read, read | AccessFs::Execute, AccessFs::from_write(abi))
}

struct Rules(RulesetCreated);

impl Rules {
    fn allow(&mut self, path: &Path, access: Rights) -> Result<(), Missing> {
        let failed = |source: io::Error| Missing::Path { path: path.to_owned(), source };
        let place = PathFd::new(path).map_err(|error| failed(io::Error::other(error)))?;
        let mode = fstat(&place).map_err(|error| failed(error.into()))?.st_mode;
        let of_files = AccessFs::from_file(ABI::V5);
        let access = if FileType::from_raw_mode(mode).is_dir() { access } else { access & of_files };
        // The trait takes and gives the rules by value or by reference; by reference they stay ours if it fails.
        (&mut self.0)
            .add_rule(PathBeneath::new(place, access))
            .map(drop)
            .map_err(|error| Missing::Rules(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_without_it_is_said_to_have_none_or_too_old_a_one() {
        let with = |landlock| Offers { landlock, ..Offers::detect() };
        let said = |offers: &Offers| ruleset(offers).unwrap_err().to_string();
        assert_eq!(said(&with(0)), "filesystem needs Landlock 3 in the kernel, which has none");
        assert_eq!(said(&with(2)), "filesystem needs Landlock 3 in the kernel, which has Landlock 2");
    }

    #[test]
    fn signals_are_kept_in_by_the_kernel_or_by_a_user_of_its_own() {
        let with = |landlock| Offers { landlock, ..Offers::detect() };
        assert!(keeps_signals(&with(6), false).is_ok() && keeps_signals(&with(3), true).is_ok());
        let refused = keeps_signals(&with(5), false).unwrap_err().to_string();
        assert!(refused.contains("Landlock 6") && refused.contains("has Landlock 5"), "{refused}");
    }
}
