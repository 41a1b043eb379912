use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Answer, Api, Server, eventually};
use tokio::task::JoinSet;

use super::promised::{Held, Promised, living};

/// How long what is done in the background may take after everybody has gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the names of all mounts and policies of the crowd begin with.
const OURS: &str = "crowd-";

/// What a server answers is what was promised.
pub async fn tables_hold_it(server: &Server, all: &[Promised]) {
    let api = server.api();
    let mut checks = JoinSet::new();
    for promised in all {
        let (tokens, ended) = (promised.tokens.clone(), promised.ended.clone());
        let (api, mounts, policies) = (api.clone(), promised.mounts.clone(), promised.policies.clone());
        checks.spawn(async move {
            for held in tokens {
                works(&api, &held).await;
            }
            for token in ended {
                api.with_token(token).get("auth/token/lookup-self").await.refused(403);
            }
            for (path, secret) in mounts {
                assert_eq!(api.get(&format!("{path}/a")).await.data(), json!({ "v": secret }), "{path}");
            }
            for (name, policy) in policies {
                let found = api.get(&format!("sys/policies/acl/{name}")).await.data();
                assert_eq!(found["policy"], policy, "{name}");
            }
        });
    }
    checks.join_all().await;
    lists_hold_it(&api, all).await;
    leases_hold_it(&api, all).await;
}

async fn works(api: &Api, held: &Held) {
    let found = api.post("auth/token/lookup", json!({"token": held.token})).await.data();
    assert_eq!(found["accessor"], held.accessor, "{found}");
    assert_eq!(found["num_uses"], held.uses, "{found}");
    assert_eq!(found["orphan"], held.parent.is_none(), "{found}");
    for lease in held.leases.keys() {
        api.put("sys/leases/lookup", json!({ "lease_id": lease })).await.ok();
    }
    if held.uses == 0 {
        let note = api.with_token(&held.token).get("cubbyhole/note").await;
        let expected = held.note.as_ref().map_or(Value::Null, |note| json!({ "v": note }));
        assert_eq!(note.body["data"], expected, "{note}");
    }
}

async fn lists_hold_it(api: &Api, all: &[Promised]) {
    let root = api.get("auth/token/lookup-self").await.data()["accessor"].clone();
    let accessors = all.iter().flat_map(|promised| &promised.tokens).map(|held| held.accessor.clone());
    let accessors: BTreeSet<String> = accessors.chain([root.as_str().unwrap().to_owned()]).collect();
    assert_eq!(keys_of(api.list("auth/token/accessors").await), accessors);

    let mounts = all.iter().flat_map(|promised| promised.mounts.keys().cloned()).collect();
    assert_eq!(ours(members_of(api.get("sys/mounts").await)), mounts);
    let methods = all.iter().flat_map(|promised| promised.methods.iter().cloned()).collect();
    assert_eq!(ours(members_of(api.get("sys/auth").await)), methods);
    let policies = all.iter().flat_map(|promised| promised.policies.keys().cloned()).collect();
    assert_eq!(ours(keys_of(api.list("sys/policies/acl").await)), policies);
}

/// Every lease that was given out and not taken back is there, and no other; the plugin has heard of each that ended.
async fn leases_hold_it(api: &Api, all: &[Promised]) {
    let held = all.iter().flat_map(|promised| &promised.tokens);
    let alive: BTreeSet<String> = held.flat_map(|held| held.leases.values().cloned()).collect();
    let revoked: BTreeSet<String> = all.iter().flat_map(|promised| promised.revoked.clone()).collect();
    let refused: BTreeSet<String> = all.iter().flat_map(|promised| promised.refused.clone()).collect();
    eventually(PATIENCE, "no lease is left of a token that has ended", async || {
        let listed = keys_of(api.list("sys/leases/lookup/db/creds").await);
        let listed: BTreeSet<String> = listed.iter().map(|name| name.trim_end_matches('/').into()).collect();
        listed == alive
    })
    .await;
    eventually(PATIENCE, "every token has a lease, and nothing else has", async || {
        logins(api).await.len() == living(all)
    })
    .await;
    let told = keys_of(api.list("db/revoked").await);
    assert_eq!(revoked.difference(&told).next(), None, "the plugin was told of every end");
    let surplus: Vec<&String> = told.difference(&revoked).filter(|name| !refused.contains(*name)).collect();
    assert!(surplus.is_empty(), "revoked and not asked for: {surplus:?}");
    assert_eq!(api.get("sys/leases?type=irrevocable").await.data()["lease_count"], 0);
}

/// The leases of all tokens: below where they were made.
async fn logins(api: &Api) -> Vec<String> {
    let (mut found, mut folders) = (Vec::new(), vec!["auth/".to_owned()]);
    while let Some(folder) = folders.pop() {
        for name in keys_of(api.list(&format!("sys/leases/lookup/{folder}")).await) {
            let path = format!("{folder}{name}");
            if name.ends_with('/') { &mut folders } else { &mut found }.push(path);
        }
    }
    found
}

fn keys_of(answer: Answer) -> BTreeSet<String> {
    if answer.status == 404 {
        return BTreeSet::new();
    }
    let data = answer.data();
    data["keys"].as_array().unwrap().iter().map(|key| key.as_str().unwrap().to_owned()).collect()
}

fn members_of(answer: Answer) -> BTreeSet<String> {
    answer.data().as_object().unwrap().keys().cloned().collect()
}

fn ours(names: BTreeSet<String>) -> BTreeSet<String> {
    let ours = names.iter().filter(|name| name.starts_with(OURS));
    ours.map(|name| name.trim_end_matches('/').to_owned()).collect()
}

/// Every key of the storage, as far as it is not hidden. The server is stopped for it, and started again.
pub async fn keys(server: &mut Server) -> BTreeSet<String> {
    server.stop().await;
    let stored = server.sql("SELECT key FROM entry");
    let keys = stored.lines().filter_map(|key| key.strip_prefix("data/")).map(str::to_owned).collect();
    server.start_again().await;
    keys
}

/// Looks at the storage until nothing is wrong with it: what is done in the background may be cut off by a look.
pub async fn settles(server: &mut Server, wrong: impl AsyncFn(&Api, &BTreeSet<String>) -> Vec<String>) {
    let until = Instant::now() + PATIENCE;
    loop {
        let stored = keys(server).await;
        let wrong = wrong(&server.api(), &stored).await;
        if wrong.is_empty() {
            return;
        }
        assert!(
            Instant::now() < until,
            "{} things are wrong: {:?}",
            wrong.len(),
            &wrong[..wrong.len().min(20)]
        );
    }
}

/// What is wrong where the storage has not a record for each thing that was promised, or has another.
pub async fn storage_differs(api: &Api, stored: &BTreeSet<String>, all: &[Promised]) -> Vec<String> {
    let held = || all.iter().flat_map(|promised| &promised.tokens);
    let leases: usize = held().map(|held| held.leases.len()).sum();
    let uuids = [uuids(api.get("sys/mounts").await.data()), uuids(api.get("sys/auth").await.data())].concat();
    let records = [
        // The root token has no lease.
        ("core/token/id/", living(all) + 1),
        ("core/token/accessor/", living(all) + 1),
        ("core/token/parent/", held().filter(|held| held.parent.is_some()).count()),
        ("core/token/ending/", 0),
        ("core/leases/id/", living(all) + leases),
        ("core/leases/token/", leases),
        ("core/cubbyhole/", held().filter(|held| held.note.is_some()).count()),
        ("core/mounts/", uuids.len()),
    ];
    let counted = records.into_iter().filter_map(|(folder, expected)| {
        let found = stored.iter().filter(|key| key.starts_with(folder)).count();
        (found != expected).then(|| format!("{found} records in {folder}, not {expected}"))
    });
    let data = stored.iter().filter(|key| key.starts_with("logical/") || key.starts_with("auth/"));
    let orphans = data.filter(|key| !uuids.iter().any(|uuid| key.contains(uuid.as_str())));
    counted.chain(orphans.map(|key| format!("{key} of a mount that is gone"))).collect()
}

fn uuids(mounts: Value) -> Vec<String> {
    let all = mounts.as_object().unwrap().values();
    all.map(|mount| mount["uuid"].as_str().unwrap().to_owned()).collect()
}

/// What is not as it was before everything that has been given back.
pub fn changes(before: &BTreeSet<String>, after: &BTreeSet<String>) -> Vec<String> {
    before.symmetric_difference(after).cloned().collect()
}
