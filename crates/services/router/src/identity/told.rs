use bytes::Bytes;
use domain::identity::{Alias, Group};
use prost::Message;
use wire::{launcher::v1 as launcher, logical};

use super::Standing;
use crate::mounts::Mounts;

/// What a plugin may learn of who is behind a request: the entity that the request names, and its groups. Put together
/// once for all requests until something about it changes; nothing for those who are nobody in particular.
pub(crate) fn told(mounts: &Mounts, entity_id: &str) -> Bytes {
    let Ok(Some(standing)) = mounts.identity.standing(entity_id) else { return Bytes::new() };
    standing.told.get_or_init(|| person(&standing, mounts).encode_to_vec().into()).clone()
}

fn person(standing: &Standing, mounts: &Mounts) -> launcher::Person {
    let entity = &standing.person.entity;
    let namespace = mounts.identity.namespace();
    let snapshot = mounts.snapshot();
    let plugin_at = |accessor: &str| {
        let mut all = snapshot.iter().map(|(_, mount)| &mount.entry);
        all.find(|entry| entry.accessor == accessor).map(|entry| entry.plugin.clone()).unwrap_or_default()
    };
    let aliases = entity.aliases.iter().map(|alias| told_alias(alias, plugin_at(&alias.accessor), namespace));
    launcher::Person {
        entity: Some(logical::Entity {
            id: entity.id.clone(),
            name: entity.name.clone(),
            aliases: aliases.collect(),
            metadata: entity.metadata.clone().into_iter().collect(),
            disabled: entity.disabled,
            namespace_id: namespace.to_owned(),
        }),
        groups: standing
            .person
            .groups
            .iter()
            .filter(|group| !group.damaged)
            .map(|group| told_group(group, namespace))
            .collect(),
    }
}

fn told_alias(alias: &Alias, mount_type: String, namespace: &str) -> logical::Alias {
    logical::Alias {
        mount_type,
        mount_accessor: alias.accessor.clone(),
        name: alias.name.clone(),
        metadata: alias.metadata.clone().into_iter().collect(),
        id: alias.id.clone(),
        namespace_id: namespace.to_owned(),
        custom_metadata: alias.custom_metadata.clone().into_iter().collect(),
        local: alias.local,
    }
}

fn told_group(group: &Group, namespace: &str) -> logical::Group {
    logical::Group {
        id: group.id.clone(),
        name: group.name.clone(),
        metadata: group.metadata.clone().into_iter().collect(),
        namespace_id: namespace.to_owned(),
    }
}
