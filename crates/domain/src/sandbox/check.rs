//! What goes together in a sandbox, one rule a function.

use super::{InvalidSandbox, SandboxSettings};

/// As many entries may each list have.
const LONGEST: usize = 64;

type Checked = Result<(), InvalidSandbox>;

pub(super) fn ids(asked: &SandboxSettings) -> Checked {
    for (what, id) in [("user", asked.user), ("group", asked.group)] {
        if let Some(id @ (0 | u32::MAX)) = id {
            return Err(InvalidSandbox::Id { what, id });
        }
    }
    match (asked.user, asked.group, asked.processes) {
        (None, Some(_), _) => Err(InvalidSandbox::GroupAlone),
        (None, None, 1..) => Err(InvalidSandbox::ProcessesOfHost),
        _ => Ok(()),
    }
}

pub(super) fn amounts(asked: &SandboxSettings) -> Checked {
    const MEBIBYTE: u64 = 1 << 20;
    let amounts = [
        ("address_space_bytes", asked.address_space_bytes, 16 * MEBIBYTE),
        ("data_bytes", asked.data_bytes, 16 * MEBIBYTE),
        ("open_files", asked.open_files, 32),
        ("processes", asked.processes, 16),
        ("memory_bytes", asked.memory_bytes, 16 * MEBIBYTE),
        // The kernel gives no less than a millisecond.
        ("cpu_nanos", asked.cpu_nanos, 10_000_000),
        ("cgroup_processes", asked.cgroup_processes, 16),
    ];
    let too_little = amounts.into_iter().find(|(_, given, least)| (1..*least).contains(given));
    too_little.map_or(Ok(()), |(what, given, least)| Err(InvalidSandbox::TooLittle { what, given, least }))
}

pub(super) fn cgroup_parent(parent: &str) -> Checked {
    let inner = parent.strip_prefix('/').unwrap_or(parent);
    if parent.is_empty() || is_plain(inner) {
        return Ok(());
    }
    Err(InvalidSandbox::CgroupParent(parent.to_owned()))
}

pub(super) fn paths(asked: &SandboxSettings) -> Checked {
    let lists = [
        ("read_paths", &asked.read_paths),
        ("execute_paths", &asked.execute_paths),
        ("write_paths", &asked.write_paths),
    ];
    for (what, list) in lists {
        length(what, list.len())?;
        if !list.is_empty() && !asked.filesystem {
            return Err(InvalidSandbox::PathsUnused(what));
        }
        if let Some(path) = list.iter().find(|path| !is_absolute(path)) {
            return Err(InvalidSandbox::Path { what, path: path.clone() });
        }
    }
    if asked.write_paths.iter().any(|path| path == "/") { Err(InvalidSandbox::WriteAll) } else { Ok(()) }
}

pub(super) fn environment(asked: &SandboxSettings) -> Checked {
    let names = asked.environment.as_deref().unwrap_or_default();
    length("environment", names.len())?;
    let wrong = names.iter().find(|name| name.is_empty() || name.contains(['=', '\0']));
    wrong.map_or(Ok(()), |name| Err(InvalidSandbox::Variable(name.clone())))
}

fn length(what: &'static str, given: usize) -> Checked {
    if given > LONGEST {
        return Err(InvalidSandbox::TooMany { what, given, most: LONGEST });
    }
    Ok(())
}

fn is_absolute(path: &str) -> bool {
    path == "/" || path.strip_prefix('/').is_some_and(|rest| is_plain(rest.strip_suffix('/').unwrap_or(rest)))
}

/// Segments that each lead one step down.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|segment| !matches!(segment, "" | "." | "..") && !segment.contains('\0'))
}
