//! vaultrs, unmodified, sets up a server from nothing and finds its data again after a restart.

use std::collections::HashMap;

use testkit::{Options, Registration, Server, go_plugin};
use vaultrs::api::sys::requests::EnableEngineRequest;
use vaultrs::client::{VaultClient, VaultClientSettingsBuilder};
use vaultrs::error::ClientError;
use vaultrs::{kv1, kv2, sys};

type Secret = HashMap<String, String>;

fn client(server: &Server, token: &str) -> VaultClient {
    let address = server.anonymous().address().to_string();
    let settings = VaultClientSettingsBuilder::default().address(address).token(token).build().unwrap();
    VaultClient::new(settings).unwrap()
}

fn secret(value: &str) -> Secret {
    HashMap::from([("v".into(), value.into())])
}

async fn enable(client: &VaultClient, path: &str, version: &str) {
    let options = HashMap::from([("version".to_string(), version.to_string())]);
    let mut request = EnableEngineRequest::builder();
    sys::mount::enable(client, path, "kv", Some(request.options(options))).await.unwrap();
}

async fn write_through_version_1(client: &VaultClient) {
    kv1::set(client, "one", "kept", &HashMap::from([("v", "one")])).await.unwrap();
    kv1::set(client, "one", "gone", &HashMap::from([("v", "one")])).await.unwrap();
    assert_eq!(kv1::list(client, "one", "").await.unwrap().data.keys, ["gone", "kept"]);
    kv1::delete(client, "one", "gone").await.unwrap();
    let missing = kv1::get::<Secret>(client, "one", "gone").await.unwrap_err();
    assert!(matches!(missing, ClientError::APIError { code: 404, .. }), "{missing:?}");
}

async fn write_through_version_2(client: &VaultClient) {
    for (version, value) in [(1, "first"), (2, "two")] {
        assert_eq!(kv2::set(client, "two", "kept", &secret(value)).await.unwrap().version, version);
    }
    assert_eq!(kv2::read_version::<Secret>(client, "two", "kept", 1).await.unwrap(), secret("first"));
    kv2::delete_latest(client, "two", "kept").await.unwrap();
    assert!(kv2::read::<Secret>(client, "two", "kept").await.is_err());
    kv2::undelete_versions(client, "two", "kept", vec![2]).await.unwrap();
    kv2::destroy_versions(client, "two", "kept", vec![1]).await.unwrap();
    let metadata = kv2::read_metadata(client, "two", "kept").await.unwrap();
    assert!(metadata.versions["1"].destroyed);
    assert_eq!(kv2::list(client, "two", "").await.unwrap(), ["kept"]);
}

async fn reads_what_was_kept(client: &VaultClient) {
    assert_eq!(kv1::get::<Secret>(client, "one", "kept").await.unwrap(), secret("one"));
    assert_eq!(kv2::read::<Secret>(client, "two", "kept").await.unwrap(), secret("two"));
}

#[tokio::test(flavor = "multi_thread")]
async fn vaultrs_uses_the_go_plugin_from_init_to_a_restart() {
    let mut server = Server::fresh(Options::default()).await;
    let keys = sys::start_initialization(&client(&server, ""), 1, 1, None).await.unwrap();
    let unseal = async |client: VaultClient| {
        let status = sys::unseal(&client, Some(keys.keys_base64[0].clone()), None, None).await.unwrap();
        assert!(!status.sealed);
        client
    };

    let connected = unseal(client(&server, &keys.root_token)).await;
    // vaultrs knows no catalog, so registering is left to ourselves.
    let kv = go_plugin("kv");
    server.install(&kv);
    let root = server.anonymous().with_token(&keys.root_token);
    root.register(&kv, "kv", Registration::default()).await.ok();

    enable(&connected, "one", "1").await;
    enable(&connected, "two", "2").await;
    root.kv_serves("two", 2).await;
    write_through_version_1(&connected).await;
    write_through_version_2(&connected).await;
    server.only_plugin();

    assert!(server.stop().await.success());
    server.start_again_sealed().await;
    let connected = unseal(client(&server, &keys.root_token)).await;
    reads_what_was_kept(&connected).await;
    sys::mount::disable(&connected, "one").await.unwrap();
    sys::mount::disable(&connected, "two").await.unwrap();
    assert_eq!(server.plugins(), []);
}
