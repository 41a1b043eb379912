//! What plugins announce, told to those who have subscribed to it and may know it.

use std::sync::{Arc, Weak};

use domain::{
    NamespacePath,
    Operation::Read,
    Token, matches_glob,
    notice::{Facts, Filter},
};
use futures::{Stream, StreamExt, future};
use tonic::Status;
use wire::{
    launcher::v1::{Notice, NoticesRequest},
    router::v1::Lines,
};

use super::{Unfit, cloud_event::Announced};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    core::{Active, Core},
    endpoint::{Captures, Endpoint},
    error::Result,
    fields::Fields,
    reach::Reach,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "events/subscribe/*type",
    // The notices themselves come in a stream.
    &[(Read, |ask| Box::pin(check(ask)))],
    "Tells what plugins announce, over a websocket; the type may hold `*`.",
)];

async fn check(ask: Ask) -> Result<Answer> {
    Wish::of(&ask.captures, &ask.body, &ask.active()?.namespace.path)?;
    Ok(Answer::Nothing)
}

/// What somebody wants to hear of.
struct Wish {
    types: String,
    /// Patterns for the paths of namespaces, without slashes at their ends.
    namespaces: Vec<String>,
    filter: Filter,
    json: bool,
}

/// Who has subscribed, for as long as they listen.
struct Subscriber {
    wish: Wish,
    token: Token,
    /// The namespace in which they asked. Weak: listening keeps nothing open.
    at: Weak<Active>,
    /// What the cluster is called.
    source: String,
}

/// What those hear who have subscribed. It ends when the barrier closes, or the token is good no more.
pub(super) async fn follow(
    core: &Core,
    active: &Arc<Active>,
    captures: &Captures,
    data: &[u8],
    token: Token,
) -> Result<impl Stream<Item = Result<Lines, Status>> + Send + use<>> {
    let subscriber = Subscriber {
        wish: Wish::of(captures, data, &active.namespace.path)?,
        token,
        at: Arc::downgrade(active),
        source: format!("vault://{}", core.status().await?.cluster_name),
    };
    let closing = core.closing();
    let notices = core.clients.launcher.notices(NoticesRequest {}).await?.into_inner();
    let subscriber = Arc::new(subscriber);
    let told = notices.then(move |notice| {
        let subscriber = subscriber.clone();
        async move { subscriber.hear(notice?).await.map_err(|error| Status::from(error.into_failure(false))) }
    });
    let told = told.filter_map(|heard| future::ready(heard.transpose()));
    Ok(told.take_until(Box::pin(closing)))
}

impl Subscriber {
    /// A notice as it is told; none: it is not for them.
    async fn hear(&self, notice: Notice) -> Result<Option<Lines>> {
        let at = self.at.upgrade().ok_or(Error::Sealed)?;
        let Some(spec) = &notice.spec else { return Ok(None) };
        // A mount that is gone by now was in no namespace that is there.
        let Some((home, mount)) = at.shared.namespaces.lead(&spec.path)? else { return Ok(None) };
        let announced = Announced::of(&notice, spec, mount, &home.namespace.path);
        if !self.wish.wants(&announced.facts()) {
            return Ok(None);
        }
        // Whoever had the token yesterday need not have it today, and policies change.
        let owner = at.home_of(&self.token)?.ok_or(Error::BadToken)?;
        let found = owner.find_own(&self.token).await?.ok_or(Error::BadToken)?;
        let reach = Reach::of(&found, &home.namespace)?;
        if !reach.is_told(announced.path(), &announced.event_type) {
            return Ok(None);
        }
        let text = if self.wish.json { announced.json(&self.source) } else { announced.binary() };
        Ok(Some(Lines { text }))
    }
}

impl Wish {
    fn of(captures: &Captures, data: &[u8], at: &NamespacePath) -> Result<Self> {
        let fields = Fields::parse(data)?;
        let filter = fields.text("filter")?.unwrap_or_default();
        let above = at.to_string();
        let below = fields.items("namespaces")?.unwrap_or_default();
        let patterns = below.iter().map(|pattern| format!("{above}{}", pattern.trim_start_matches('/')));
        Ok(Self {
            types: captures.get("type").to_owned(),
            // Where one asks, one always hears.
            namespaces: patterns
                .chain([above.clone()])
                .map(|path| path.trim_end_matches('/').to_owned())
                .collect(),
            filter: Filter::parse(&filter).map_err(Unfit::Filter)?,
            json: fields.flag("json")?.unwrap_or_default(),
        })
    }

    fn wants(&self, facts: &Facts<'_>) -> bool {
        let namespace = facts.namespace.trim_end_matches('/');
        matches_glob(&self.types, facts.event_type)
            && self.namespaces.iter().any(|pattern| matches_glob(pattern, namespace))
            && self.filter.chooses(facts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::find;

    fn wish(path: &str, data: &str, at: &str) -> Wish {
        let (_, captures) = find(&[ENDPOINTS], path).unwrap();
        Wish::of(&captures, data.as_bytes(), &NamespacePath::called(at).unwrap()).unwrap()
    }

    #[test]
    fn a_wish_is_for_types_in_namespaces_at_and_below_where_it_is_said() {
        let wants = |wish: &Wish, event_type, namespace| {
            wish.wants(&Facts { event_type, namespace, operation: "data-write", ..Facts::default() })
        };
        let root = wish("events/subscribe/kv*", "", "");
        assert!(wants(&root, "kv-v2/data-write", "") && !wants(&root, "database/reset", ""));
        assert!(!wants(&root, "kv-v2/data-write", "team/"));
        let all = wish("events/subscribe/kv-v2/data-write", r#"{"namespaces":"*","json":"true"}"#, "team/");
        assert!(all.json);
        assert!(wants(&all, "kv-v2/data-write", "team/") && wants(&all, "kv-v2/data-write", "team/a/"));
        assert!(!wants(&all, "kv-v2/data-write", "") && !wants(&all, "kv-v2/data-write", "other/"));
        let none = wish("events/subscribe/*", r#"{"filter":"operation == other"}"#, "");
        assert!(!wants(&none, "kv-v2/data-write", ""));
    }
}
