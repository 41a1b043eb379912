use std::{
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
    process, thread,
    time::Duration,
};

use domain::SandboxSettings;

use super::{Missing, Offers, offers::is_alive};

/// What the name of every group of ours begins with; the number of the host that made it follows.
const PREFIX: &str = "mortise-";
/// The time in which a group gets its share of processor time, in microseconds.
const PERIOD: u64 = 100_000;

/// The control group of one process and of all that it starts. Removed, with all that is in it, when dropped.
#[derive(Debug)]
pub struct Cgroup(PathBuf);

impl Cgroup {
    /// A new group with the limits that a sandbox asks for.
    pub(super) fn create(asked: &SandboxSettings, offers: &Offers, name: &str) -> Result<Self, Missing> {
        let parent = offers.cgroups.as_ref().ok_or(Missing::NoCgroups)?.parent(&asked.cgroup_parent);
        hand_on(&parent, &controllers(asked))?;
        remove_abandoned(&parent);
        let path = parent.join(format!("{PREFIX}{}-{name}", process::id()));
        fs::create_dir(&path).map_err(|source| Missing::Cgroup { path: path.clone(), source })?;
        let group = Self(path);
        for (file, limit) in limits(asked) {
            group.set(file, &limit)?;
        }
        if asked.memory_bytes > 0 {
            // Else the limit is only one of memory that is not swapped out. Not every kernel has these.
            let _ = group.set("memory.swap.max", "0");
            let _ = group.set("memory.oom.group", "1");
        }
        Ok(group)
    }

    /// What a process writes to that joins.
    pub(super) fn door(&self) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.0.join("cgroup.procs"))
    }

    fn set(&self, file: &str, value: &str) -> Result<(), Missing> {
        let path = self.0.join(file);
        fs::write(&path, value).map_err(|source| Missing::Cgroup { path, source })
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        const TRIES: usize = 50;
        // Kernels before 5.14 do not know it; there all that is left is killed by its environment.
        let _ = fs::write(self.0.join("cgroup.kill"), "1");
        for _ in 0..TRIES {
            match fs::remove_dir(&self.0) {
                // The dead leave a moment after their end.
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    thread::sleep(Duration::from_millis(5));
                }
                _ => return,
            }
        }
        tracing::warn!(group = %self.0.display(), "cannot remove the control group of a plugin");
    }
}

fn controllers(asked: &SandboxSettings) -> Vec<&'static str> {
    let needed = [("memory", asked.memory_bytes), ("cpu", asked.cpu_nanos), ("pids", asked.cgroup_processes)];
    needed.into_iter().filter(|(_, limit)| *limit > 0).map(|(name, _)| name).collect()
}

fn limits(asked: &SandboxSettings) -> Vec<(&'static str, String)> {
    let share = u128::from(asked.cpu_nanos) * u128::from(PERIOD) / 1_000_000_000;
    let all = [
        ("memory.max", asked.memory_bytes, asked.memory_bytes.to_string()),
        ("cpu.max", asked.cpu_nanos, format!("{share} {PERIOD}")),
        ("pids.max", asked.cgroup_processes, asked.cgroup_processes.to_string()),
    ];
    all.into_iter().filter(|(_, asked, _)| *asked > 0).map(|(file, _, limit)| (file, limit)).collect()
}

/// Sees that a group hands controllers on to the groups below it.
fn hand_on(parent: &Path, controllers: &[&str]) -> Result<(), Missing> {
    let file = parent.join("cgroup.subtree_control");
    let missing = || {
        let handed_on = fs::read_to_string(&file)
            .map_err(|source| Missing::Cgroup { path: parent.to_owned(), source })?;
        let handed_on: Vec<&str> = handed_on.split_ascii_whitespace().collect();
        let missing = controllers.iter().filter(|each| !handed_on.contains(each));
        Ok(missing.copied().collect::<Vec<_>>())
    };
    for controller in missing()? {
        // Whether it worked is seen below.
        let _ = fs::write(&file, format!("+{controller}"));
    }
    match missing()?.as_slice() {
        [] => Ok(()),
        missing => Err(Missing::Controllers { parent: parent.to_owned(), controllers: missing.join(", ") }),
    }
}

/// Removes the groups of hosts that were killed; a group with processes in it stays.
fn remove_abandoned(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let host = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok());
        if host.is_some_and(|host: i32| !is_alive(host)) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::offers::Cgroups;

    /// A folder that looks like a group that hands these on; files appear in it as they are written.
    fn offers(handed_on: &str) -> (tempfile::TempDir, Offers) {
        let root = tempfile::tempdir().unwrap();
        let own = root.path().join("own");
        fs::create_dir(&own).unwrap();
        fs::write(own.join("cgroup.subtree_control"), handed_on).unwrap();
        let cgroups = Some(Cgroups { root: root.path().to_owned(), own });
        (root, Offers { cgroups, ..Offers::detect() })
    }

    fn asked() -> SandboxSettings {
        SandboxSettings {
            memory_bytes: 64 << 20,
            cpu_nanos: 250_000_000,
            cgroup_processes: 32,
            ..SandboxSettings::default()
        }
    }

    #[test]
    fn each_limit_is_written_in_the_kernels_words() {
        let (_root, offers) = offers("cpu memory pids");
        let group = Cgroup::create(&asked(), &offers, "1").unwrap();
        let read = |file: &str| fs::read_to_string(group.0.join(file)).unwrap();
        assert_eq!(
            [read("memory.max"), read("memory.swap.max"), read("cpu.max"), read("pids.max")],
            ["67108864", "0", "25000 100000", "32"]
        );
        // A folder of ours does not lose its files by itself, as a group does.
        let path = group.0.clone();
        std::mem::forget(group);
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn what_the_parent_does_not_hand_on_is_named() {
        let (root, offers) = offers("cpu");
        // A kernel refuses what we write here; a file just holds it.
        let refused = Cgroup::create(&asked(), &offers, "1").unwrap_err().to_string();
        assert!(refused.contains("own does not hand on memory"), "{refused}");
        let elsewhere = SandboxSettings { cgroup_parent: "/nowhere".to_owned(), ..asked() };
        let refused = Cgroup::create(&elsewhere, &offers, "1").unwrap_err().to_string();
        assert!(refused.contains(&format!("{}/nowhere", root.path().display())), "{refused}");
        let none = Offers { cgroups: None, ..offers };
        assert!(matches!(Cgroup::create(&asked(), &none, "1"), Err(Missing::NoCgroups)));
    }

    #[test]
    fn the_empty_groups_of_dead_hosts_go() {
        let (_root, offers) = offers("cpu memory pids");
        let own = offers.cgroups.unwrap().own;
        // No process has so high a number.
        let [dead, ours, foreign] =
            ["mortise-2147483647-1".to_owned(), format!("mortise-{}-9", process::id()), "x".to_owned()]
                .map(|name| own.join(name));
        for path in [&dead, &ours, &foreign] {
            fs::create_dir(path).unwrap();
        }
        remove_abandoned(&own);
        assert!(!dead.exists() && ours.exists() && foreign.exists());
    }
}
