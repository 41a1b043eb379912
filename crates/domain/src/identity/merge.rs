use std::collections::BTreeSet;

use super::{Alias, Directory, Draft, Entity};

/// Two aliases at one mount, of which one entity can have only one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// The mount.
    pub accessor: String,
    /// The alias that the entity has which stays.
    pub ours: String,
    /// The alias that would come.
    pub theirs: String,
    /// The id of the entity that it would come from.
    pub from: String,
}

/// Why entities are not merged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum MergeRefusal {
    #[error("entity id to merge to is invalid")]
    To,
    #[error("entity id to merge from is invalid")]
    From,
    #[error("to_entity_id should not be present in from_entity_ids")]
    Same,
    #[error(
        "aliases conflicts cannot be resolved with multiple from entity ids - merge one entity at a time"
    )]
    KeepOfMany,
    #[error(
        "toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request \
         specifying exactly one fromEntity, clashes: {}",
        shown(.0)
    )]
    Clashes(Vec<Clash>),
}

fn shown(clashes: &[Clash]) -> String {
    let each = clashes.iter().map(|clash| format!("[{} {}]", clash.ours, clash.theirs));
    format!("[{}]", each.collect::<Vec<_>>().join(" "))
}

impl Draft<'_> {
    /// Makes one entity of several: aliases and memberships of the others become those of the one that stays, policies
    /// and metadata do not. Where two have an alias at one mount, the one that is to be kept has to be named.
    ///
    /// # Errors
    /// One of them does not exist, or it is not clear which alias stays.
    pub fn merge(&mut self, to: &str, from: &[String], keep: &[String]) -> Result<(), MergeRefusal> {
        let mut seen = BTreeSet::new();
        let from: Vec<&String> = from.iter().filter(|id| seen.insert(*id)).collect();
        let mut stays = mergeable(self.directory, to).ok_or(MergeRefusal::To)?.clone();
        if from.iter().any(|id| *id == to) {
            return Err(MergeRefusal::Same);
        }
        if !keep.is_empty() && from.len() > 1 {
            return Err(MergeRefusal::KeepOfMany);
        }
        let others = from.iter().map(|id| mergeable(self.directory, id).ok_or(MergeRefusal::From));
        let others: Vec<&Entity> = others.collect::<Result<_, _>>()?;
        let mut clashes = Vec::new();
        for other in &others {
            let came = other.aliases.iter();
            clashes.extend(came.filter_map(|alias| take_over(&mut stays, alias, keep).err()));
            stays.merged.push(other.id.clone());
            stays.merged.extend(other.merged.iter().cloned());
        }
        if !clashes.is_empty() {
            return Err(MergeRefusal::Clashes(clashes));
        }
        stays.updated = self.now();
        for other in others {
            self.join_groups_of(&other.id, to);
            self.drop_entity(&other.id);
        }
        self.put_entity(stays);
        Ok(())
    }

    fn join_groups_of(&mut self, other: &str, to: &str) {
        for group in self.directory.direct_groups_of(other) {
            if let Some(group) = self.group(&group.id) {
                group.entities.insert(to.to_owned());
            }
        }
    }
}

fn mergeable<'d>(directory: &'d Directory, id: &str) -> Option<&'d Entity> {
    directory.entity(id).map(|entity| &**entity).filter(|entity| !entity.damaged)
}

fn take_over(stays: &mut Entity, alias: &Alias, keep: &[String]) -> Result<(), Clash> {
    if let Some(ours) = stays.alias_at(&alias.accessor) {
        match (keep.contains(&ours.id), keep.contains(&alias.id)) {
            (true, false) => return Ok(()),
            (false, true) => stays.aliases.retain(|each| each.accessor != alias.accessor),
            _ => {
                return Err(Clash {
                    accessor: alias.accessor.clone(),
                    ours: ours.id.clone(),
                    theirs: alias.id.clone(),
                    from: alias.entity.clone(),
                });
            }
        }
    }
    let mut taken = alias.clone();
    taken.merged_from.push(std::mem::replace(&mut taken.entity, stays.id.clone()));
    stays.aliases.push(taken);
    Ok(())
}
