use std::collections::{BTreeMap, HashSet};

use domain::identity::{check_metadata, policy_names};
use serde_json::Value;

use super::IdentityRefusal;
use crate::{answer::Answer, ask::Ask, error::Result, fields::Fields, mounts::Mount};

/// The parts of a change that entities and groups have in common; none: not given, and not changed.
#[derive(Debug)]
pub(super) struct Common {
    pub(super) name: Option<String>,
    pub(super) policies: Option<Vec<String>>,
    pub(super) metadata: Option<BTreeMap<String, String>>,
}

impl Common {
    pub(super) fn of(fields: &Fields) -> Result<Self> {
        let policies = fields.list("policies")?;
        let policies = policies.map(|names| policy_names(&names)).transpose();
        let metadata = pairs(fields, "metadata")?;
        if let Some(metadata) = &metadata {
            check_metadata(metadata).map_err(IdentityRefusal::from)?;
        }
        Ok(Self {
            name: given(fields, "name")?,
            policies: policies.map_err(IdentityRefusal::from)?,
            metadata,
        })
    }
}

/// A text; an empty one is none.
pub(super) fn given(fields: &Fields, name: &str) -> Result<Option<String>> {
    Ok(fields.text(name)?.filter(|text| !text.is_empty()))
}

pub(super) fn pairs(fields: &Fields, name: &str) -> Result<Option<BTreeMap<String, String>>> {
    Ok(fields.pairs(name)?.map(|pairs| pairs.into_iter().collect()))
}

/// Each once, in the order they were given.
pub(super) fn unique(ids: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    ids.into_iter().filter(|id| seen.insert(id.clone())).collect()
}

/// Looks at the mount with an accessor.
pub(super) fn at_mount<T>(ask: &Ask, accessor: &str, look: impl FnOnce(&Mount) -> T) -> Result<T> {
    let snapshot = ask.active()?.mounts.snapshot();
    let mut mounts = snapshot.iter().map(|(_, mount)| mount);
    let found = mounts.find(|mount| mount.is_listed() && mount.entry.accessor == accessor);
    Ok(look(found.ok_or_else(|| IdentityRefusal::Accessor(accessor.to_owned()))?))
}

/// An answer to a change, with what was overlooked in it.
pub(super) fn answer(fields: &Fields, known: &[&str], captured: &[&str], data: &Value) -> Answer {
    let mut warnings = Vec::new();
    let ignored = fields.others(known);
    if !ignored.is_empty() {
        warnings.push(format!("Endpoint ignored these unrecognized parameters: [{}]", ignored.join(" ")));
    }
    let replaced: Vec<&str> = captured.iter().copied().filter(|name| fields.has(name)).collect();
    if !replaced.is_empty() {
        warnings.push(format!(
            "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [{}]",
            replaced.join(" ")
        ));
    }
    Answer::Data { data: crate::answer::json(data), warnings }
}
