use domain::{InvalidSandbox, Sandbox, SandboxSettings};

use crate::catalog::v1::{self, Names};

impl From<Sandbox> for v1::Sandbox {
    fn from(sandbox: Sandbox) -> Self {
        let asked = SandboxSettings::from(sandbox);
        Self {
            user: asked.user,
            group: asked.group,
            address_space_bytes: asked.address_space_bytes,
            data_bytes: asked.data_bytes,
            open_files: asked.open_files,
            processes: asked.processes,
            cgroup_parent: asked.cgroup_parent,
            memory_bytes: asked.memory_bytes,
            cpu_nanos: asked.cpu_nanos,
            cgroup_processes: asked.cgroup_processes,
            filesystem: asked.filesystem,
            read_paths: asked.read_paths,
            execute_paths: asked.execute_paths,
            write_paths: asked.write_paths,
            system_calls: asked.system_calls,
            environment: asked.environment.map(|names| Names { names }),
            best_effort: asked.best_effort,
        }
    }
}

impl TryFrom<v1::Sandbox> for Sandbox {
    type Error = InvalidSandbox;

    fn try_from(sent: v1::Sandbox) -> Result<Self, InvalidSandbox> {
        Self::try_from(SandboxSettings {
            user: sent.user,
            group: sent.group,
            address_space_bytes: sent.address_space_bytes,
            data_bytes: sent.data_bytes,
            open_files: sent.open_files,
            processes: sent.processes,
            cgroup_parent: sent.cgroup_parent,
            memory_bytes: sent.memory_bytes,
            cpu_nanos: sent.cpu_nanos,
            cgroup_processes: sent.cgroup_processes,
            filesystem: sent.filesystem,
            read_paths: sent.read_paths,
            execute_paths: sent.execute_paths,
            write_paths: sent.write_paths,
            system_calls: sent.system_calls,
            environment: sent.environment.map(|Names { names }| names),
            best_effort: sent.best_effort,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sandbox_arrives_as_it_was_sent() {
        let paths = |path: &str| vec![path.to_owned()];
        let asked = SandboxSettings {
            user: Some(1000),
            group: Some(1001),
            address_space_bytes: 1 << 40,
            data_bytes: 1 << 31,
            open_files: 99,
            processes: 77,
            cgroup_parent: "/plugins".to_owned(),
            memory_bytes: 1 << 29,
            cpu_nanos: 500_000_000,
            cgroup_processes: 66,
            filesystem: true,
            read_paths: paths("/r"),
            execute_paths: paths("/x"),
            write_paths: paths("/w"),
            system_calls: false,
            environment: Some(Vec::new()),
            best_effort: true,
        };
        for asked in [asked, SandboxSettings::default()] {
            let sandbox = Sandbox::try_from(asked).unwrap();
            assert_eq!(Sandbox::try_from(v1::Sandbox::from(sandbox.clone())).unwrap(), sandbox);
        }
    }
}
