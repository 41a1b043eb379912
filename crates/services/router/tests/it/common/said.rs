use std::time::Duration;

use serde_json::Value;
use tenon::{Alias, Auth, LeaseOptions, Operation, Request, Response, Result};

/// Lets somebody in with whatever the request says, as a plugin would that means no good. When it is asked to renew, it
/// says what was said to come `then`.
pub fn log_in(request: &Request) -> Result<Option<Response>> {
    let kept = request.auth.as_ref().map(|auth| &auth.internal_data);
    let said = kept.filter(|_| request.operation == Operation::Renew).unwrap_or(&request.data);
    let mut said: Value = serde_json::from_slice(said).unwrap_or_default();
    if request.operation == Operation::Renew && said.get("then").is_some() {
        said = said["then"].take();
    }
    let kept = said.to_string().into();
    Ok(Some(Response { auth: Some(Auth { internal_data: kept, ..auth(&said) }), ..Response::default() }))
}

fn auth(said: &Value) -> Auth {
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    let seconds = |name: &str| Duration::from_secs(said[name].as_u64().unwrap_or_default());
    let list = |name: &str| said[name].as_array().cloned().unwrap_or_default();
    let texts = |name: &str| list(name).iter().filter_map(|each| Some(each.as_str()?.to_owned())).collect();
    let lease = LeaseOptions {
        ttl: seconds("ttl"),
        max_ttl: seconds("max_ttl"),
        renewable: true,
        ..LeaseOptions::default()
    };
    Auth {
        lease,
        policies: texts("policies"),
        token_policies: texts("token_policies"),
        identity_policies: texts("identity_policies"),
        period: seconds("period"),
        explicit_max_ttl: seconds("explicit_max_ttl"),
        num_uses: said["num_uses"].as_i64().unwrap_or_default(),
        entity_id: text("entity_id"),
        client_token: text("client_token"),
        accessor: text("accessor"),
        alias: said.get("alias").map(alias),
        group_aliases: list("groups").iter().map(alias).collect(),
        ..Auth::default()
    }
}

fn alias(said: &Value) -> Alias {
    let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
    Alias { name: text("name"), mount_accessor: text("mount_accessor"), ..Alias::default() }
}
