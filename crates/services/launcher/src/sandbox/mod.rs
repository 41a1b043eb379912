//! What keeps a plugin's process to itself. Everything is made ready before the fork; what a sandbox asks for and this
//! host cannot give refuses the start, unless the sandbox says that it makes do.

mod capabilities;
mod cgroup;
mod confinement;
mod filesystem;
mod filter;
mod offers;
mod refusal;
mod steps;
mod user;

use std::path::{Path, PathBuf};

use domain::Sandbox;

pub use cgroup::Cgroup;
pub use confinement::Confinement;
pub use offers::{Cgroups, Offers};
pub use refusal::{Missing, Refusal};
pub use steps::{Reports, Step};

/// What a sandbox is set up for.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// What the host can give.
    pub offers: &'a Offers,
    /// The process's own folder.
    pub folder: &'a Path,
    /// What variables that are handed down lead to, and what may be read for that.
    pub trusted: Vec<PathBuf>,
    /// A name that no other process of this machine has.
    pub name: String,
}

/// A sandbox that waits for its process.
#[derive(Debug)]
pub struct Prepared {
    /// What the child does to itself.
    pub confinement: Confinement,
    /// How far it came, if it failed.
    pub reports: Reports,
    /// The control group, to be removed with the process.
    pub cgroup: Option<Cgroup>,
}

/// Makes everything ready that a sandbox asks for. Blocks for a moment.
pub fn prepare(sandbox: &Sandbox, surroundings: &Surroundings<'_>) -> Result<Prepared, Refusal> {
    let asked = sandbox.settings();
    let terms = Terms { best_effort: asked.best_effort };
    let Surroundings { offers, folder, trusted, name } = surroundings;
    let ids = terms.take(sandbox.ids().map(|ids| user::prepare(ids, offers, folder)))?;
    let cgroup = terms.take(sandbox.needs_cgroup().then(|| Cgroup::create(asked, offers, name)))?;
    let ruleset = match asked.filesystem {
        true => filesystem::prepare(asked, offers, folder, trusted, &terms)?,
        false => None,
    };
    terms.take(asked.filesystem.then(|| filesystem::keeps_signals(offers, ids.is_some())))?;
    let filters = terms.take(asked.system_calls.then(|| filter::prepare(offers)))?.unwrap_or_default();
    let dropped = terms.take(Some(capabilities::prepare(offers)))?;
    let (steps, reports) = steps::channel().map_err(Refusal::Host)?;
    let confinement = Confinement {
        cgroup: cgroup.as_ref().map(Cgroup::door).transpose().map_err(Refusal::Host)?,
        limits: confinement::limits(asked),
        dropped,
        ids,
        ruleset,
        filters,
        steps,
    };
    Ok(Prepared { confinement, reports, cgroup })
}

/// What becomes of a setting that cannot be given.
struct Terms {
    best_effort: bool,
}

impl Terms {
    /// What was asked for, if it can be given or has to be.
    fn take<T>(&self, asked: Option<Result<T, Missing>>) -> Result<Option<T>, Refusal> {
        match asked {
            None => Ok(None),
            Some(Ok(given)) => Ok(Some(given)),
            Some(Err(missing)) if self.best_effort => {
                tracing::warn!(%missing, "a plugin is started without a part of its sandbox, which makes do without it");
                Ok(None)
            }
            Some(Err(missing)) => Err(Refusal::Missing(missing)),
        }
    }
}
