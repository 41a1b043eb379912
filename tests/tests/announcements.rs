//! What plugins announce, told over a websocket to those who have subscribed to it and may know it.

use std::time::Duration;

use futures::StreamExt;
use serde_json::{Value, json};
use testkit::{Api, Form, Options, Server, go_plugin};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

struct Subscription(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Subscription {
    async fn open(api: &Api, namespace: &str, query: &str) -> Self {
        Self::try_open(Some(api.token()), api, namespace, query).await.unwrap()
    }

    /// The status of a refusal is an error.
    async fn try_open(
        token: Option<&str>,
        api: &Api,
        namespace: &str,
        query: &str,
    ) -> Result<Self, (u16, String)> {
        let address = api.address().replacen("http", "ws", 1);
        let mut request =
            format!("{address}/v1/{namespace}sys/events/subscribe/{query}").into_client_request().unwrap();
        if let Some(token) = token {
            request.headers_mut().insert("X-Vault-Token", token.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((socket, _)) => Ok(Self(socket)),
            Err(Error::Http(refusal)) => {
                let body = refusal.body().clone().unwrap_or_default();
                Err((refusal.status().as_u16(), String::from_utf8(body).unwrap()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    async fn message(&mut self) -> Option<Message> {
        loop {
            let next = timeout(Duration::from_secs(30), self.0.next()).await;
            match next.expect("something is told in time") {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(message)) => return Some(message),
            }
        }
    }

    async fn next(&mut self) -> Value {
        let message = self.message().await.expect("it goes on");
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// The type of the next, and the path that it is about.
    async fn next_path(&mut self) -> (String, String) {
        let data = self.next().await["data"].take();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&data["event_type"]), text(&data["event"]["metadata"]["path"]))
    }
}

/// What is announced while a secret lives, without what differs from run to run.
async fn life_of_a_secret(server: &Server) -> Vec<Value> {
    let api = server.api();
    api.enable_kv("secret", 2).await;
    let mut all = Subscription::open(&api, "", "kv-v2/*?json=true").await;
    api.put_secret("secret", "a/b", json!({"v": "not-to-be-told"})).await;
    api.patch("secret/data/a/b", json!({"data": {"w": "1"}})).await.ok();
    api.delete("secret/data/a/b").await.ok();
    api.post("secret/undelete/a/b", json!({"versions": [2]})).await.ok();
    api.post("secret/delete/a/b", json!({"versions": [1, 2]})).await.ok();
    api.post("secret/destroy/a/b", json!({"versions": [1]})).await.ok();
    api.post("secret/metadata/a/b", json!({"max_versions": 3})).await.ok();
    api.patch("secret/metadata/a/b", json!({"max_versions": 4})).await.ok();
    api.delete("secret/metadata/a/b").await.ok();
    api.post("secret/config", json!({"max_versions": 5})).await.ok();
    let mut told = Vec::new();
    for _ in 0..10 {
        let event = all.next().await;
        assert_eq!(event["specversion"], "1.0", "{event}");
        assert!(event["source"].as_str().unwrap().starts_with("vault://"), "{event}");
        assert!(event["time"].is_string() && event["id"].is_string(), "{event}");
        let data = &event["data"];
        assert!(data["event"]["id"].is_string(), "{event}");
        let info = &data["plugin_info"];
        assert_eq!((&info["mount_path"], &info["plugin"]), (&json!("secret/"), &json!("kv")), "{event}");
        assert_eq!((&info["mount_class"], &info["version"]), (&json!("secret"), &json!("2")), "{event}");
        assert!(!event.to_string().contains("not-to-be-told"), "{event}");
        told.push(json!({ "type": data["event_type"], "metadata": data["event"]["metadata"] }));
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_go_kv_and_our_own_announce_the_same() {
    let go = Server::start().await;
    go.register("kv", &go_plugin("kv")).await;
    let theirs = life_of_a_secret(&go).await;
    assert_eq!(theirs[0]["type"], "kv-v2/data-write");
    assert_eq!(theirs[0]["metadata"]["data_path"], "secret/data/a/b");
    let ours = life_of_a_secret(&Server::start().await).await;
    assert_eq!(ours, theirs);
}

#[tokio::test(flavor = "multi_thread")]
async fn announcements_pass_through_four_processes_and_from_a_program_of_ours() {
    let server = Server::start_with(Options { form: Form::Apart, ..Options::default() }).await;
    server.register("kv", &testkit::own_plugin("kv")).await;
    let told = life_of_a_secret(&server).await;
    assert_eq!(told.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_hears_of_what_one_has_asked_for_and_may_know() {
    let server = Server::start().await;
    let api = server.api();
    api.enable_kv("secret", 2).await;
    let policy = r#"
        path "sys/events/subscribe/*" { capabilities = ["read"] }
        path "secret/data/mine/*" {
            capabilities = ["list", "subscribe"]
            subscribe_event_types = ["kv-v2/data-*"]
        }
        path "secret/data/theirs/*" { capabilities = ["list", "read"] }
    "#;
    api.put("sys/policies/acl/listener", json!({ "policy": policy })).await.ok();
    let token = api.post("auth/token/create", json!({ "policies": ["listener"] })).await.ok();
    let listener = api.with_token(token["auth"]["client_token"].as_str().unwrap());

    let mut own = Subscription::open(&listener, "", "*?json=true").await;
    let mut chosen = Subscription::open(&api, "", "kv*?json=true&filter=data_path%20contains%20theirs").await;
    let mut binary = Subscription::open(&api, "", "kv-v2/data-write").await;
    for path in ["theirs/a", "mine/a"] {
        api.put_secret("secret", path, json!({"v": "1"})).await;
    }
    api.post("secret/metadata/mine/a", json!({"max_versions": 3})).await.ok();
    api.put_secret("secret", "mine/b", json!({"v": "1"})).await;
    let write = "kv-v2/data-write".to_owned();
    assert_eq!(own.next_path().await, (write.clone(), "secret/data/mine/a".to_owned()));
    assert_eq!(own.next_path().await, (write.clone(), "secret/data/mine/b".to_owned()));
    assert_eq!(chosen.next_path().await, (write, "secret/data/theirs/a".to_owned()));
    let message = binary.message().await.unwrap();
    assert!(message.is_binary(), "{message:?}");
    let text = String::from_utf8_lossy(&message.into_data()).into_owned();
    assert!(text.contains("kv-v2/data-write") && text.contains("secret/data/theirs/a"), "{text:?}");

    // A token that is gone hears nothing more.
    api.post("auth/token/revoke", json!({ "token": listener.token() })).await.ok();
    api.put_secret("secret", "mine/c", json!({"v": "1"})).await;
    assert_eq!(own.message().await, None);
    api.put("sys/seal", json!({})).await.ok();
    assert_eq!(chosen.message().await, None, "sealed, and still told");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_or_cannot_subscribe_is_told_why() {
    let server = Server::start().await;
    let api = server.api();
    let refused = async |token, query| Subscription::try_open(token, &api, "", query).await.err().unwrap();
    assert_eq!(refused(None, "*").await.0, 403);
    assert_eq!(refused(Some("hvs.unknown"), "*").await.0, 403);
    let token = api.post("auth/token/create", json!({ "policies": ["default"] })).await.ok();
    assert_eq!(refused(token["auth"]["client_token"].as_str(), "*").await.0, 403);
    let (status, why) = refused(Some(api.token()), "*?filter=password%20%3D%3D%20a").await;
    assert!(status == 400 && why.contains("cannot ask for"), "{status} {why}");
    let plain = api.get("sys/events/subscribe/*").await;
    assert!(plain.refused(426).contains("websocket"));
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_are_heard_at_and_below_where_one_asks() {
    let server = Server::start().await;
    let api = server.api();
    for namespace in ["team", "other"] {
        api.post(&format!("sys/namespaces/{namespace}"), json!({})).await.ok();
        api.in_namespace(namespace).enable_kv("kv", 2).await;
    }
    let mut root = Subscription::open(&api, "", "kv-v2/data-write?json=true").await;
    let mut all = Subscription::open(&api, "", "kv-v2/data-write?json=true&namespaces=*").await;
    let mut team = Subscription::open(&api, "team/", "kv-v2/data-write?json=true").await;
    api.enable_kv("kv", 2).await;
    api.in_namespace("other").put_secret("kv", "a", json!({"v": "1"})).await;
    api.in_namespace("team").put_secret("kv", "b", json!({"v": "1"})).await;
    api.put_secret("kv", "c", json!({"v": "1"})).await;
    assert_eq!(root.next().await["data"]["event"]["metadata"]["path"], "kv/data/c");
    let first = all.next().await;
    assert_eq!(
        (&first["data"]["namespace"], &first["data"]["event"]["metadata"]["path"]),
        (&json!("other/"), &json!("kv/data/a"))
    );
    let told = team.next().await;
    assert_eq!(
        (&told["data"]["namespace"], &told["data"]["event"]["metadata"]["path"]),
        (&json!("team/"), &json!("kv/data/b"))
    );
}
