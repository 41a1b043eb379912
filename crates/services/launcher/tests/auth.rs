//! Auth methods: unmodified Go plugins.
#![allow(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

use storage::Storage;
use support::{Bench, go_plugin, spec};
use wire::launcher::v1::MountReply;

async fn mounted(name: &str) -> (Bench, MountReply) {
    let bench = Bench::new();
    bench.register(name, &go_plugin(name), &[]);
    bench.plugins.lock().unwrap().get_mut(name).unwrap().r#type = "auth".to_owned();
    let mut spec = spec("m", name);
    spec.r#type = "auth".to_owned();
    let reply = bench.mount_as(spec, true).await.unwrap();
    (bench, reply)
}

#[tokio::test(flavor = "multi_thread")]
async fn userpass_logs_a_user_in() {
    let (bench, reply) = mounted("userpass").await;
    assert_eq!(reply.special_paths.unwrap().unauthenticated, ["login/*"]);
    bench.write("m", "users/bob", r#"{"password":"builder","token_policies":"site"}"#).await;
    let reply = bench.call("m", "update", "login/bob", r#"{"password":"builder"}"#).await.unwrap();
    let auth = reply.response.unwrap().auth.unwrap();
    assert_eq!(auth.alias.unwrap().name, "bob");
    assert_eq!(auth.policies, ["site"]);
    let refused = bench.call("m", "update", "login/bob", r#"{"password":"wrong"}"#).await.unwrap();
    let refused = refused.response.unwrap();
    assert!(refused.auth.is_none());
    assert!(refused.data.starts_with(br#"{"error":"#));
    let areas = bench.stored.list(&"auth/".parse().unwrap()).await.unwrap();
    assert_eq!(areas, ["m/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn jwt_keeps_its_configuration_and_shares_its_process() {
    let (bench, reply) = mounted("jwt").await;
    assert!(reply.special_paths.unwrap().unauthenticated.contains(&"login".to_owned()));
    let mut second = spec("n", "jwt");
    second.r#type = "auth".to_owned();
    bench.mount_as(second, true).await.unwrap();
    let process = bench.process().await;
    assert_eq!((process.multiplexed, process.mounts.len()), (true, 2));
    let role = r#"{"role_type":"jwt","user_claim":"sub","bound_subject":"s"}"#;
    assert_eq!(bench.call("m", "create", "role/r", role).await.unwrap().err, None);
    assert_eq!(bench.read("m", "role/r").await.unwrap()["bound_subject"], "s");
    assert_eq!(bench.read("n", "role/r").await.unwrap(), serde_json::Value::Null);
}
