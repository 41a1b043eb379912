//! Namespaces that are locked, deleted, damaged, or found again after a restart.

use catalog::StorageConfig;
use serde_json::{Value, json};

use super::there::{ALL, There, kind};
use crate::common::{Stack, data, done, envelope, eventually, issuer::known, refused};

#[tokio::test]
async fn a_locked_namespace_answers_nobody_until_it_is_unlocked_with_its_key() {
    let mut stack = Stack::open().await;
    let key = {
        let root = There::root(&stack);
        root.make("team").await;
        root.at("team").make("inner").await;
        for at in ["team", "team/inner"] {
            root.at(at).mount("kv", "kv").await;
        }
        let locked = data(root.write("sys/namespaces/api-lock/lock/team", Value::Null).await);
        let key = locked["unlock_key"].as_str().unwrap().to_owned();
        assert_eq!(data(root.read("sys/namespaces/team").await)["locked"], json!(true));
        assert_eq!(
            refused(root.write("sys/namespaces/api-lock/lock/team", Value::Null).await).1,
            r#"cannot lock namespace "team/": is already locked"#
        );
        assert_eq!(
            refused(root.write("sys/namespaces/api-lock/lock/team/inner", Value::Null).await).1,
            r#"cannot lock namespace "team/inner/": ancestor namespace "team/" is already locked"#
        );
        key
    };
    stack.restart();
    let root = There::root(&stack);
    for at in ["team", "team/inner"] {
        for path in ["kv/x", "sys/mounts", "sys/namespaces/api-lock/unlock/inner"] {
            assert_eq!(
                refused(root.at(at).read(path).await),
                (
                    "unavailable",
                    "API access to this namespace has been locked by an administrator - \"team/\" must be unlocked to \
                     gain access."
                        .to_owned()
                ),
                "{at} {path}"
            );
        }
    }
    let team = root.at("team");
    let unlock =
        async |key: &str| team.write("sys/namespaces/api-lock/unlock", json!({ "unlock_key": key })).await;
    assert_eq!(refused(unlock("wrong").await), ("invalid", "incorrect unlock key".to_owned()));
    done(unlock(&key).await);
    data(team.read("sys/mounts").await);
    assert_eq!(
        refused(root.write("sys/namespaces/api-lock/unlock/team", json!({ "unlock_key": key })).await).1,
        r#"namespace "team/" is not locked"#
    );
    data(team.write("sys/namespaces/api-lock/lock", Value::Null).await);
    let warned = envelope(root.write("sys/namespaces/api-lock/unlock/team", Value::Null).await);
    assert_eq!(warned.warnings, ["Namespace unlocked using sudo capabilities"]);
    assert_eq!(
        refused(root.write("sys/namespaces/api-lock/lock", Value::Null).await).1,
        "root namespace cannot be locked/unlocked"
    );
}

#[tokio::test]
async fn a_deleted_namespace_takes_all_it_held_and_leaves_nothing_stored() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    let kept = stack.stored_below("").await;
    root.make("team").await;
    root.make("other").await;
    let team = root.at("team");
    team.policy("all", ALL).await;
    team.mount("db", "issuer").await;
    team.mount("kv", "kv").await;
    done(team.write("kv/x", json!({"a": 1})).await);
    done(root.write("sys/quotas/rate-limit/of-team", json!({"path": "team/kv", "rate": 1000})).await);
    let token = team.token("all").await;
    envelope(team.with(&token).read("db/creds/deleted/600").await);
    envelope(team.read("db/creds/deleted/600").await);
    data(root.delete("sys/namespaces/team").await);
    root.is_deleted("team").await;
    assert_eq!(known("deleted").revoked, 2);
    assert_eq!(kind(team.with(&token).read("kv/x").await), "not-found");
    assert_eq!(kind(root.with(&token).read("auth/token/lookup-self").await), "denied");
    assert_eq!(kind(root.read("sys/quotas/rate-limit/of-team").await), "not-found");
    assert_eq!(stack.stored_below("namespaces/").await.len(), 1);
    assert_eq!(stack.stored_below("core/namespaces/").await.len(), 1);
    data(root.delete("sys/namespaces/other").await);
    root.is_deleted("other").await;
    assert_eq!(stack.stored_below("").await, kept);

    // Whoever makes one of that name anew finds nothing of the old.
    root.make("team").await;
    assert_eq!(kind(team.read("kv/x").await), "not-found");
    assert_eq!(kind(team.with(&token).read("auth/token/lookup-self").await), "denied");
}

/// Mounts, writes and makes tokens in a namespace for as long as it answers.
async fn keep_busy(there: There<'_>, number: usize) -> usize {
    for round in 0.. {
        let path = format!("kv{number}-{round}");
        let mounted = there.write(&format!("sys/mounts/{path}"), json!({"type": "kv"})).await;
        let policy = there.write(&format!("sys/policies/acl/{path}"), json!({"policy": ALL})).await;
        let written = there.write(&format!("{path}/x"), json!({"a": 1})).await;
        let made = there.write("auth/token/create", json!({"policies": [path]})).await;
        if [mounted, policy, written, made].iter().all(Result::is_err) {
            return round;
        }
    }
    0
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_asked_while_a_namespace_is_deleted_leaves_nothing_behind() {
    let stack = Stack::open().await;
    let root = There::root(&stack);
    for name in ["first", "second", "third"] {
        root.make(name).await;
        let there = root.at(name);
        let delete = async {
            eventually("it is busy", async || {
                data(there.read("sys/mounts").await).as_object().unwrap().len() > 8
            })
            .await;
            data(root.delete(&format!("sys/namespaces/{name}")).await);
        };
        let busy = (0..8).map(|number| keep_busy(there, number));
        let (rounds, ()) = tokio::join!(futures::future::join_all(busy), delete);
        assert!(rounds.iter().sum::<usize>() > 0);
        root.is_deleted(name).await;
        assert_eq!(stack.stored_below("namespaces/").await, [""; 0]);
        assert_eq!(stack.stored_below("core/namespaces/").await, [""; 0]);
    }
}

#[tokio::test]
async fn a_restart_finds_every_namespace_as_it_was_and_goes_on_deleting() {
    let mut stack = Stack::open().await;
    let (token, uuid) = {
        let root = There::root(&stack);
        root.make("team").await;
        root.at("team").make("inner").await;
        let inner = root.at("team/inner");
        inner.mount("kv", "kv").await;
        done(inner.write("kv/x", json!({"a": 1})).await);
        inner.policy("all", ALL).await;
        let going = root.make("going").await;
        root.at("going").mount("kv", "kv").await;
        done(root.at("going").write("kv/x", json!({"a": 1})).await);
        (inner.token("all").await, going["uuid"].as_str().unwrap().to_owned())
    };
    // As a server that was killed after it had said that it would leaves it.
    let key = format!("core/namespaces/{uuid}");
    let mut record = stack.stored(&key).await.unwrap();
    record["removing"] = json!(true);
    stack.store(&key, &serde_json::to_vec(&record).unwrap()).await;
    stack.restart();
    let root = There::root(&stack);
    let inner = root.at("team/inner").with(&token);
    assert_eq!(data(inner.read("kv/x").await), json!({"a": 1}));
    assert_eq!(kind(root.at("going").read("kv/x").await), "not-found");
    root.is_deleted("going").await;
    assert_eq!(stack.stored(&key).await, None);
    assert!(!stack.stored_below("namespaces/").await.contains(&format!("{uuid}/")));
}

/// More of them than a database has connections.
#[tokio::test]
async fn a_restart_finds_a_crowd_of_namespaces_in_a_database() {
    let folder = tempfile::tempdir().unwrap();
    let storage = StorageConfig::Sqlite { path: folder.path().join("data.db") };
    let mut stack = Stack::on(storage).await;
    stack.init().await;
    stack.unseal().await;
    let names: Vec<String> = (0..40).map(|number| format!("n{number}")).collect();
    for name in &names {
        let root = There::root(&stack);
        root.make(name).await;
        root.at(name).mount("kv", "kv").await;
    }
    stack.restart();
    for name in &names {
        done(There::root(&stack).at(name).write("kv/x", json!({"a": 1})).await);
    }
}

#[tokio::test]
async fn a_damaged_namespace_harms_only_itself_and_can_be_deleted() {
    let mut stack = Stack::open().await;
    let uuid = {
        let root = There::root(&stack);
        root.make("whole").await;
        root.make("torn").await["uuid"].as_str().unwrap().to_owned()
    };
    stack.store(&format!("namespaces/{uuid}/core/token/salt"), b"garbage").await;
    stack.restart();
    let root = There::root(&stack);
    data(root.at("whole").read("sys/mounts").await);
    let (kind, sentence) = refused(root.at("torn").read("sys/mounts").await);
    assert_eq!(kind, "internal");
    assert!(sentence.contains("delete it"), "{sentence}");
    data(root.delete("sys/namespaces/torn").await);
    root.is_deleted("torn").await;
    assert_eq!(stack.stored_below("namespaces/").await.len(), 1);
}
