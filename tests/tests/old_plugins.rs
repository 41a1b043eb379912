//! Plugins of before both ends made certificates of their own, and before processes were shared.

use serde_json::{Value, json};
use testkit::{Form, Options, Registration, Server, go_plugin};

/// The unmodified kv plugin of 2021, at `old`.
async fn server_with_old_kv(options: Options) -> Server {
    let server = Server::start_with(options).await;
    server.mount("old", &go_plugin("kv-v4")).await;
    server
}

async fn an_old_kv_serves(options: Options) {
    let mut server = server_with_old_kv(options).await;
    let api = server.api();
    api.put("old/app/db", json!({"user": "u", "n": 3})).await.ok();
    assert_eq!(api.get("old/app/db").await.data(), json!({"user": "u", "n": 3}));
    assert_eq!(api.list("old/app").await.data()["keys"], json!(["db"]));
    api.upgrade_kv("old").await;
    assert_eq!(api.secret("old", "app/db").await, json!({"user": "u", "n": 3}));
    assert_eq!(api.put_secret("old", "app/db", json!({"user": "v"})).await, 2);

    // One that died is given another token, and another certificate.
    let first = server.only_plugin();
    first.kill();
    assert_eq!(api.secret("old", "app/db").await, json!({"user": "v"}));
    assert_ne!(server.only_plugin(), first);

    server.restart().await;
    assert_eq!(server.api().secret("old", "app/db").await, json!({"user": "v"}));
    server.disable("old").await;
    assert_eq!(server.plugins(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unmodified_plugin_of_2021_fetches_its_certificate_and_serves() {
    an_old_kv_serves(Options::default()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_does_so_from_a_server_in_four_processes() {
    an_old_kv_serves(Options { form: Form::Apart, ..Options::default() }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_it_believes_the_authority_that_its_entry_names() {
    let server = Server::start_with(Options { tls: true, ..Options::default() }).await;
    let listener = server.plugin_directory().with_file_name("listener.pem");
    let ca = format!("-ca-cert={}", listener.display());
    let entry = Registration { args: &[&ca], ..Registration::default() };
    server.register_as("old", &go_plugin("kv-v4"), entry).await;
    server.enable("old", "old").await;
    server.api().put("old/a", json!({"v": "1"})).await.ok();
    assert_eq!(server.api().get("old/a").await.data(), json!({"v": "1"}));

    // Without it the plugin says why it does not start, and the operator is told.
    server.register_as("mistrustful", &go_plugin("kv-v4"), Registration::default()).await;
    let refused = server.api().post("sys/mounts/mistrustful", json!({"type": "mistrustful"})).await;
    assert!(refused.errors().contains("certificate"), "{refused}");
}

/// The fixture as it is started with this argument, at `first` and `second`.
async fn twice(how: &str) -> Server {
    let server = Server::start().await;
    let entry = Registration { args: &[how], ..Registration::default() };
    server.register_as("fixture", &go_plugin("fixture"), entry).await;
    server.enable("first", "fixture").await;
    server.enable("second", "fixture").await;
    server
}

/// Each mount has its own process, and its own data.
async fn share_nothing(server: &Server) {
    let api = server.api();
    let pid = async |mount: &str| api.get(&format!("{mount}/pid")).await.data()["pid"].clone();
    let (first, second) = (pid("first").await, pid("second").await);
    assert_ne!(first, second);
    assert_eq!(server.plugins().len(), 2);
    api.post("first/store/a", json!({"value": "of the first"})).await.ok();
    assert_eq!(api.get("second/store/a").await.status, 404);
    assert_eq!(api.get("first/store/a").await.data()["value"], "of the first");
    server.disable("first").await;
    assert_eq!(server.plugins().len(), 1);
    assert_eq!(pid("second").await, second);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_share_a_process_has_one_for_each_mount() {
    share_nothing(&twice("single").await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_of_interface_4_only_is_told_from_its_handshake_and_served() {
    let server = twice("v4").await;
    share_nothing(&server).await;
    let environment = server.api().get("second/environment").await.data();
    assert_eq!(environment["PLUGIN_PROTOCOL_VERSIONS"], "4");
    assert_eq!(environment["VAULT_PLUGIN_AUTOMTLS_ENABLED"], "false");
    assert_eq!(environment["VAULT_PLUGIN_METADATA_MODE"], "false");
    assert_eq!(environment.get("PLUGIN_CLIENT_CERT"), None, "{environment}");
    let token = environment["VAULT_UNWRAP_TOKEN"].as_str().unwrap();
    assert_eq!(token.split('.').count(), 3, "it is a JWT");
    let again = server.anonymous().put("sys/wrapping/unwrap", json!({ "token": token })).await;
    assert!(!again.is_ok(), "it was good for once: {again}");
    assert!(!server.log().contains(token), "nothing of it is in the log");

    // Registering it asked it who it is, in the mode in which it does nothing else.
    let events = server.log();
    assert!(events.contains("it is an older plugin"), "{events}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plugins_that_the_operator_names_never_share_a_process() {
    let environment = vec![("VAULT_PLUGIN_MULTIPLEXING_OPT_OUT".into(), "other,fixture".into())];
    let server = Server::start_with(Options { environment, ..Options::default() }).await;
    server.register("fixture", &go_plugin("fixture")).await;
    server.register("shared", &go_plugin("fixture")).await;
    for path in ["first", "second"] {
        server.enable(path, "fixture").await;
    }
    share_nothing(&server).await;
    for path in ["third", "fourth"] {
        server.enable(path, "shared").await;
    }
    let pid = async |mount: &str| -> Value { server.api().get(&format!("{mount}/pid")).await.data() };
    assert_eq!(pid("third").await, pid("fourth").await, "one that is not named shares");
}
