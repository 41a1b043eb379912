//! The directory of entities and groups is changed at random, and compared with what is slow and obviously right: an
//! index made anew from all values, and memberships found by asking every group.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    time::SystemTime,
};

use domain::identity::{
    Alias, Change, Directory, Draft, Entity, Factors, Group, GroupAlias, GroupKind, MergeRefusal, Person,
};
use proptest::{
    collection::{btree_set, vec},
    prelude::*,
};

const NOW: SystemTime = SystemTime::UNIX_EPOCH;
/// How many entities, groups and mounts there can be.
const FEW: u8 = 5;

#[derive(Clone, Debug)]
enum Step {
    Person { entity: u8, name: u8, mounts: BTreeSet<u8> },
    Gone(u8),
    Group { group: u8, name: u8, entities: BTreeSet<u8>, groups: BTreeSet<u8>, mount: Option<u8> },
    GroupGone(u8),
    Merge { to: u8, from: Vec<u8>, keep: BTreeSet<(u8, u8)> },
    Login { entity: u8, mount: u8, groups: BTreeSet<u8> },
}

fn step() -> impl Strategy<Value = Step> {
    let few = || 0..FEW;
    let some = || btree_set(0..FEW, 0..4);
    prop_oneof![
        3 => (few(), few(), btree_set(0..3u8, 0..3))
            .prop_map(|(entity, name, mounts)| Step::Person { entity, name, mounts }),
        1 => few().prop_map(Step::Gone),
        3 => (few(), few(), some(), some(), proptest::option::of(0..3u8)).prop_map(
            |(group, name, entities, groups, mount)| Step::Group { group, name, entities, groups, mount }
        ),
        1 => few().prop_map(Step::GroupGone),
        1 => (few(), vec(few(), 1..3), btree_set((0..FEW, 0..3u8), 0..6))
            .prop_map(|(to, from, keep)| Step::Merge { to, from, keep }),
        1 => (few(), 0..3u8, some()).prop_map(|(entity, mount, groups)| Step::Login { entity, mount, groups }),
    ]
}

fn e(at: u8) -> String {
    format!("e{at}")
}

fn g(at: u8) -> String {
    format!("g{at}")
}

fn alias(entity: u8, mount: u8) -> Alias {
    let (id, name) = (format!("a{entity}-{mount}"), format!("Name{entity}"));
    Alias::new(id, e(entity), format!("m{mount}"), name, NOW)
}

/// What an endpoint would refuse is left out, by the same questions that endpoints ask.
fn apply(directory: &Directory, step: &Step) -> Directory {
    let mut draft = Draft::new(directory, NOW);
    match step {
        Step::Person { entity, name, mounts } => {
            let name = format!("N{name}");
            let free =
                directory.entity_named(&name.to_lowercase()).is_none_or(|other| other.id == e(*entity));
            let taken = |mount: &u8| directory.alias_of(&alias(*entity, *mount).factors());
            let mounts =
                mounts.iter().filter(|mount| taken(mount).is_none_or(|(other, _)| other.id == e(*entity)));
            if free {
                let mut person = Entity::new(e(*entity), name.clone(), NOW);
                person.policies = vec![name];
                person.aliases = mounts.map(|mount| alias(*entity, *mount)).collect();
                draft.put_entity(person);
            }
        }
        Step::Gone(entity) => draft.drop_entity(&e(*entity)),
        Step::Group { group, name, entities, groups, mount } => {
            let (id, name) = (g(*group), format!("G{name}"));
            let free = directory.group_named(&name).is_none_or(|other| other.id == id);
            let known = |at: &&u8| directory.entity(&e(**at)).is_some();
            let fits =
                |at: &&u8| directory.group(&g(**at)).is_some() && !directory.would_be_circular(&id, &g(**at));
            let alias = mount.map(|mount| GroupAlias {
                id: format!("ga{group}"),
                accessor: format!("m{mount}"),
                name: format!("at{group}"),
                created: NOW,
                updated: NOW,
            });
            if free {
                draft.put_group(Group {
                    policies: vec![name.clone()],
                    entities: entities.iter().filter(known).map(|at| e(*at)).collect(),
                    groups: groups.iter().filter(fits).map(|at| g(*at)).collect(),
                    alias,
                    ..Group::new(id.clone(), name, GroupKind::Internal, NOW)
                });
            }
        }
        Step::GroupGone(group) => draft.drop_group(&g(*group)),
        Step::Merge { to, from, keep } => {
            let from: Vec<String> = from.iter().map(|at| e(*at)).collect();
            let keep: Vec<String> = keep.iter().map(|(entity, mount)| alias(*entity, *mount).id).collect();
            if draft.merge(&e(*to), &from, &keep).is_err() {
                return directory.clone();
            }
        }
        Step::Login { entity, mount, groups } => {
            let named: Vec<String> = groups.iter().map(|at| g(*at)).collect();
            if directory.entity(&e(*entity)).is_some() {
                draft.set_external_groups(&e(*entity), &format!("m{mount}"), &named);
            }
        }
    }
    directory.with(draft.into_change())
}

fn made_anew(directory: &Directory) -> Directory {
    let entities = directory.entities().map(|entity| (entity.id.clone(), Some((**entity).clone())));
    let groups = directory.groups().map(|group| (group.id.clone(), Some((**group).clone())));
    Directory::default().with(Change { entities: entities.collect(), groups: groups.collect() })
}

/// Whether somebody is in a group: it lists them, or a group in it has them.
fn is_in(groups: &BTreeMap<String, Group>, entity: &str, group: &str, depth: usize) -> bool {
    assert!(depth < 20, "a group is in itself");
    let Some(group) = groups.get(group) else { return false };
    group.entities.contains(entity)
        || group.groups.iter().any(|below| is_in(groups, entity, below, depth + 1))
}

fn groups_of(directory: &Directory) -> BTreeMap<String, Group> {
    directory.groups().map(|group| (group.id.clone(), (**group).clone())).collect()
}

fn check(directory: &Directory) {
    assert_eq!(*directory, made_anew(directory));
    let groups = groups_of(directory);
    for group in groups.values() {
        assert!(group.entities.iter().all(|id| directory.entity(id).is_some()), "{group:?}");
        assert!(group.groups.iter().all(|id| directory.group(id).is_some()), "{group:?}");
    }
    for entity in directory.entities() {
        let Person { groups: found, policies, .. } = directory.person(&entity.id).unwrap();
        let expected = groups.values().filter(|group| is_in(&groups, &entity.id, &group.id, 0));
        let expected: BTreeSet<&String> = expected.map(|group| &group.id).collect();
        assert_eq!(found.len(), expected.len());
        assert_eq!(found.iter().map(|group| &group.id).collect::<BTreeSet<_>>(), expected);
        let theirs = entity.policies.iter();
        let all: BTreeSet<&String> =
            theirs.chain(expected.iter().flat_map(|id| &groups[*id].policies)).collect();
        assert_eq!(policies.iter().collect::<Vec<_>>(), all.into_iter().collect::<Vec<_>>());
        let mounts: BTreeSet<&String> = entity.aliases.iter().map(|alias| &alias.accessor).collect();
        assert_eq!(mounts.len(), entity.aliases.len(), "two aliases at one mount");
        for alias in &entity.aliases {
            assert_eq!(alias.entity, entity.id);
            assert_eq!(directory.alias_of(&alias.factors()).unwrap().1, alias);
            assert_eq!(directory.alias(&alias.id).unwrap().1, alias);
        }
        for heir in &entity.merged {
            let found = directory.entity_or_heir(heir).unwrap();
            assert!(found.id == entity.id || directory.entity(heir).is_some());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_changed_the_directory_is_what_its_values_say(steps in vec(step(), 1..40)) {
        let mut directory = Directory::default();
        for step in &steps {
            directory = apply(&directory, step);
            check(&directory);
        }
    }

    #[test]
    fn a_group_is_refused_exactly_where_it_would_be_in_itself(steps in vec(step(), 1..40), group in 0..FEW, member in 0..FEW) {
        let directory = steps.iter().fold(Directory::default(), |directory, step| apply(&directory, step));
        let groups = groups_of(&directory);
        fn reaches(groups: &BTreeMap<String, Group>, from: &str, to: &str) -> bool {
            from == to || groups.get(from).is_some_and(|group| group.groups.iter().any(|below| reaches(groups, below, to)))
        }
        prop_assert_eq!(
            directory.would_be_circular(&g(group), &g(member)),
            reaches(&groups, &g(member), &g(group))
        );
    }

    #[test]
    fn a_login_puts_somebody_in_exactly_the_groups_that_its_mount_names(
        steps in vec(step(), 1..30), entity in 0..FEW, mount in 0..3u8, named in btree_set(0..FEW, 0..4)
    ) {
        let before = steps.iter().fold(Directory::default(), |directory, step| apply(&directory, step));
        let login = Step::Login { entity, mount, groups: named.clone() };
        let after = apply(&before, &login);
        prop_assume!(before.entity(&e(entity)).is_some());
        for group in after.groups() {
            let at_mount = group.alias.as_ref().is_some_and(|alias| alias.accessor == format!("m{mount}"));
            let expected = if at_mount {
                named.iter().any(|at| g(*at) == group.id)
            } else {
                before.group(&group.id).unwrap().entities.contains(&e(entity))
            };
            prop_assert_eq!(group.entities.contains(&e(entity)), expected);
        }
        prop_assert_eq!(apply(&after, &login), after);
    }

    #[test]
    fn merging_loses_no_alias_but_those_that_give_way_and_no_membership(
        steps in vec(step(), 1..30), to in 0..FEW, from in vec(0..FEW, 1..3), keep in btree_set((0..FEW, 0..3u8), 0..6)
    ) {
        let before = steps.iter().fold(Directory::default(), |directory, step| apply(&directory, step));
        let from: Vec<String> = from.into_iter().map(e).collect();
        let keep: Vec<String> = keep.into_iter().map(|(entity, mount)| alias(entity, mount).id).collect();
        let mut draft = Draft::new(&before, NOW);
        let merged = draft.merge(&e(to), &from, &keep);
        let all: BTreeSet<String> = from.iter().cloned().chain([e(to)]).collect();
        let aliases = || all.iter().filter_map(|id| before.entity(id)).flat_map(|entity| &entity.aliases);
        match merged {
            Ok(()) => {
                let after = before.with(draft.into_change());
                let stays = after.entity(&e(to)).unwrap();
                let policies = &before.entity(&e(to)).unwrap().policies;
                prop_assert_eq!(&stays.policies, policies);
                for alias in aliases() {
                    let kept = stays.alias_at(&alias.accessor);
                    prop_assert!(kept.is_some());
                    let rivals = aliases().filter(|other| other.accessor == alias.accessor).count();
                    prop_assert!(rivals > 1 || kept.unwrap().id == alias.id);
                    prop_assert!(rivals == 1 || keep.contains(&kept.unwrap().id));
                }
                for id in &from {
                    prop_assert!(after.entity(id).is_none());
                    prop_assert_eq!(&after.entity_or_heir(id).unwrap().id, &e(to));
                }
                for group in before.groups() {
                    let had = all.iter().any(|id| group.entities.contains(id));
                    prop_assert_eq!(after.group(&group.id).unwrap().entities.contains(&e(to)), had);
                }
            }
            Err(MergeRefusal::Clashes(clashes)) => prop_assert!(!clashes.is_empty()),
            Err(_) => {
                let unknown = all.iter().any(|id| before.entity(id).is_none());
                prop_assert!(unknown || from.contains(&e(to)) || (!keep.is_empty() && from.len() > 1));
            }
        }
    }
}

#[test]
fn t1_root_that_is_stored_all_the_same_is_not_believed() {
    let directory = Directory::default();
    let mut draft = Draft::new(&directory, NOW);
    draft.put_entity(Entity { policies: vec!["ROOT ".to_owned()], ..Entity::new(e(0), "n".to_owned(), NOW) });
    let group = Group::new(g(0), "g".to_owned(), GroupKind::Internal, NOW);
    let policies = vec!["root".to_owned(), "other".to_owned()];
    draft.put_group(Group { policies, entities: BTreeSet::from([e(0)]), ..group });
    let change = draft.into_change();
    assert_eq!(directory.with(change).person(&e(0)).unwrap().policies, ["other"]);
}

#[test]
fn t3_templates_stand_for_what_is_known_of_the_person() {
    use domain::policy::Identity as _;
    let directory = Directory::default();
    let mut draft = Draft::new(&directory, NOW);
    let pairs = |key: &str| BTreeMap::from([(key.to_owned(), format!("{key}-value"))]);
    let mut person = Entity { metadata: pairs("team"), ..Entity::new(e(0), "Bob".to_owned(), NOW) };
    person.aliases = vec![Alias { metadata: pairs("m"), custom_metadata: pairs("c"), ..alias(0, 1) }];
    draft.put_entity(person);
    for (at, member) in [(0, e(0)), (1, e(9))] {
        let group = Group::new(g(at), format!("ops.{at}"), GroupKind::Internal, NOW);
        draft.put_group(Group { metadata: pairs("k"), entities: BTreeSet::from([member]), ..group });
    }
    let change = draft.into_change();
    let person = directory.with(change).person(&e(0)).unwrap();
    for (selector, value) in [
        ("identity.entity.id", Some("e0")),
        ("identity.entity.name", Some("Bob")),
        ("identity.entity.metadata.team", Some("team-value")),
        ("identity.entity.metadata.none", None),
        ("identity.entity.aliases.m1.id", Some("a0-1")),
        ("identity.entity.aliases.m1.name", Some("Name0")),
        ("identity.entity.aliases.m1.metadata.m", Some("m-value")),
        ("identity.entity.aliases.m1.custom_metadata.c", Some("c-value")),
        ("identity.entity.aliases.m2.name", None),
        ("identity.groups.ids.g0.name", Some("ops.0")),
        ("identity.groups.ids.g0.metadata.k", Some("k-value")),
        ("identity.groups.names.ops.0.id", Some("g0")),
        ("identity.groups.names.ops.1.id", None),
        ("identity.groups.ids.g1.name", None),
        ("identity.entity.groups.names", None),
        ("entity.name", None),
        ("identity.entity", None),
    ] {
        assert_eq!(person.value(selector).as_deref(), value, "{selector}");
    }
}

#[test]
fn an_alias_of_another_mount_is_another_alias() {
    let one = Factors::new("m1", "bob");
    let mut directory = Directory::default();
    directory = apply(&directory, &Step::Person { entity: 0, name: 0, mounts: BTreeSet::from([1]) });
    assert!(directory.alias_of(&one).is_none());
    assert!(directory.alias_of(&Factors::new("m1", "NAME0")).is_some());
    assert!(directory.alias_of(&Factors::new("m2", "name0")).is_none());
}
