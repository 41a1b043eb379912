use domain::{Operation::Update, identity::Factors};

use super::{
    IdentityRefusal,
    changes::given,
    view::{Places, readable},
};
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "lookup/entity",
        &[(Update, |ask| Box::pin(entity(ask)))],
        "Finds an entity by its name, its id, or one of its aliases.",
    ),
    Endpoint::token(
        "lookup/group",
        &[(Update, |ask| Box::pin(group(ask)))],
        "Finds a group by its name, its id, or its alias.",
    ),
];

/// What something is looked for by.
enum Query {
    Id(String),
    Name(String),
    AliasId(String),
    Alias(Factors),
}

impl Query {
    fn of(fields: &Fields) -> Result<Self> {
        let alias = match (given(fields, "alias_name")?, given(fields, "alias_mount_accessor")?) {
            (Some(name), Some(accessor)) => Some(Ok(Self::Alias(Factors::new(&accessor, &name)))),
            (None, None) => None,
            _ => Some(Err(IdentityRefusal::HalfAlias)),
        };
        let queries = [
            given(fields, "id")?.map(|id| Ok(Self::Id(id))),
            given(fields, "name")?.map(|name| Ok(Self::Name(name))),
            given(fields, "alias_id")?.map(|id| Ok(Self::AliasId(id))),
            alias,
        ];
        let mut queries = queries.into_iter().flatten();
        match (queries.next(), queries.next()) {
            (None, _) => Err(IdentityRefusal::NoQuery.into()),
            (Some(_), Some(_)) => Err(IdentityRefusal::ManyQueries.into()),
            (Some(query), None) => Ok(query?),
        }
    }
}

async fn entity(ask: Ask) -> Result<Answer> {
    let query = Query::of(&ask.fields()?)?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    Ok(active.identity.read(|directory| {
        let found = match &query {
            Query::Id(id) => directory.entity(id),
            Query::Name(name) => directory.entity_named(name),
            Query::AliasId(id) => directory.alias(id).map(|(entity, _)| entity),
            Query::Alias(factors) => directory.alias_of(factors).map(|(entity, _)| entity),
        };
        let places = Places::of(&snapshot, &active.namespace);
        let shown = found.and_then(readable).map(|entity| places.entity(directory, entity));
        shown.map_or(Answer::Nothing, |entity| Answer::data(&entity))
    }))
}

async fn group(ask: Ask) -> Result<Answer> {
    let query = Query::of(&ask.fields()?)?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    Ok(active.identity.read(|directory| {
        let found = match &query {
            Query::Id(id) => directory.group(id),
            Query::Name(name) => directory.group_named(name),
            Query::AliasId(id) => directory.group_of_alias_id(id),
            Query::Alias(factors) => directory.group_of_alias(factors),
        };
        let found = found.filter(|group| !group.damaged);
        let places = Places::of(&snapshot, &active.namespace);
        let shown = found.map(|group| places.group(directory, group));
        shown.map_or(Answer::Nothing, |group| Answer::data(&group))
    }))
}
