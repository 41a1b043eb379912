//! How a plugin's process is confined: what an operator may ask for. What a kernel can give is the launcher's to know.

mod check;
mod refusal;
mod settings;
#[cfg(test)]
mod tests;

pub use refusal::InvalidSandbox;
pub use settings::SandboxSettings;

use serde::{Deserialize, Serialize};

/// Settings of a sandbox that go together. Nobody who holds one has to look again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "SandboxSettings", into = "SandboxSettings")]
pub struct Sandbox(SandboxSettings);

impl Sandbox {
    /// What was asked for.
    pub const fn settings(&self) -> &SandboxSettings {
        &self.0
    }

    /// The user and the group that the process changes to. A group that is not named has the user's number.
    pub fn ids(&self) -> Option<(u32, u32)> {
        self.0.user.map(|user| (user, self.0.group.unwrap_or(user)))
    }

    /// Whether anything is asked for that only a control group gives.
    pub const fn needs_cgroup(&self) -> bool {
        let asked = &self.0;
        asked.memory_bytes > 0 || asked.cpu_nanos > 0 || asked.cgroup_processes > 0
    }
}

impl TryFrom<SandboxSettings> for Sandbox {
    type Error = InvalidSandbox;

    fn try_from(asked: SandboxSettings) -> Result<Self, InvalidSandbox> {
        check::ids(&asked)?;
        check::amounts(&asked)?;
        check::cgroup_parent(&asked.cgroup_parent)?;
        check::paths(&asked)?;
        check::environment(&asked)?;
        Ok(Self(asked))
    }
}

impl From<Sandbox> for SandboxSettings {
    fn from(sandbox: Sandbox) -> Self {
        sandbox.0
    }
}
