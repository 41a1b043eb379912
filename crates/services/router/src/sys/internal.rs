use std::collections::BTreeMap;

use bytes::Bytes;
use domain::{Kind, MountKind, Operation::Read};
use serde_json::{Value, json};

use super::view::MountView;
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::{Access, Endpoint},
    error::Result,
    mounts::Mount,
    token::{Caller, grants},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        pattern: "internal/ui/mounts",
        access: Access::Open,
        on_top: false,
        operations: &[(Read, |ask| Box::pin(list(ask)))],
        help: "Lists the mounts that the caller can reach, or, without a token, those that are shown to everybody.",
    },
    Endpoint {
        pattern: "internal/ui/mounts/*path",
        access: Access::Open,
        on_top: false,
        operations: &[(Read, |ask| Box::pin(read(ask)))],
        help: "Tells about the mount that a path belongs to.",
    },
    Endpoint {
        pattern: "internal/ui/resultant-acl",
        access: Access::Token,
        on_top: false,
        operations: &[(Read, |ask| Box::pin(resultant_acl(ask)))],
        help: "Tells what the caller may do.",
    },
];

async fn resultant_acl(ask: Ask) -> Result<Answer> {
    if ask.caller()?.is_root() {
        return Ok(Answer::data(&json!({ "chroot_namespace": "", "root": true })));
    }
    let exact: BTreeMap<&str, Value> = grants(ask.caller()?)
        .map(|(path, operation)| (path, json!({ "capabilities": [operation.word()] })))
        .collect();
    Ok(Answer::data(&json!({ "chroot_namespace": "", "exact_paths": exact, "glob_paths": {} })))
}

async fn list(ask: Ask) -> Result<Answer> {
    let sees_all = ask.caller.as_ref().is_some_and(|caller| caller.is_root());
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    let mut secret: BTreeMap<&str, Value> = BTreeMap::new();
    let mut auth: BTreeMap<&str, Value> = BTreeMap::new();
    for (path, mount) in snapshot.iter().filter(|(_, mount)| mount.is_listed()) {
        let entry = &mount.entry;
        let view = if sees_all {
            let ttl = active.mounts.ttl(entry);
            json!(MountView::with_ttl(&ask.core.config, mount, ttl))
        } else if entry.config.listing_visibility == "unauth" {
            json!({ "description": entry.description, "options": entry.options, "type": entry.plugin })
        } else {
            continue;
        };
        match entry.kind {
            MountKind::Secret => secret.insert(path.as_str(), view),
            MountKind::Auth => auth.insert(path.as_str().trim_start_matches("auth/"), view),
        };
    }
    Ok(Answer::data(&json!({ "auth": auth, "secret": secret })))
}

async fn read(ask: Ask) -> Result<Answer> {
    let path = ask.capture("path");
    let caller = ask.caller()?;
    let active = ask.active()?;
    let snapshot = active.mounts.snapshot();
    match snapshot.resolve(path) {
        Some((_, mount, _)) if mount.is_listed() && reaches(caller, mount) => {
            let ttl = active.mounts.ttl(&mount.entry);
            Ok(Answer::data(&MountView::resolved(&ask.core.config, mount, ttl)))
        }
        // The same for what is not there and for what is nobody's business.
        _ => Err(Error::Refused {
            kind: Kind::Denied,
            message: format!(
                "preflight capability check returned 403, please ensure client's policies grant access to path {:?}",
                format!("{}/", path.trim_end_matches('/'))
            ),
            data: Bytes::new(),
        }),
    }
}

/// Whether a caller may do anything at all inside a mount.
fn reaches(caller: &Caller, mount: &Mount) -> bool {
    caller.is_root() || (mount.entry.path.as_str() == crate::mounts::TOKEN && caller.has_policy("default"))
}
