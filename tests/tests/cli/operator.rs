use serde_json::{Value, json};
use testkit::{Options, Server};

use super::Shell;

fn texts(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_initialised_unsealed_rekeyed_and_sealed() {
    let server = Server::fresh(Options::default()).await;
    let nobody = Shell::at(&server.anonymous());
    assert_eq!(nobody.run("operator init -status").code, 2);
    let made = nobody.run("operator init -key-shares=3 -key-threshold=2 -format=json").json();
    let keys = texts(&made["unseal_keys_b64"]);
    assert_eq!((keys.len(), &made["unseal_threshold"]), (3, &json!(2)));
    assert_eq!(nobody.run("operator init -status").ok(), "Vault is initialized\n");
    assert!(nobody.run("operator init").fails(2).contains("already initialized"));

    let sealed = nobody.run("status");
    assert_eq!((sealed.code, sealed.out.contains("Unseal Progress")), (2, true), "{sealed:?}");
    nobody.run(&format!("operator unseal {}", keys[0])).tells(&["Sealed", "true", "Unseal Progress", "1/2"]);
    nobody.run("operator unseal -reset").tells(&["Unseal Progress", "0/2"]);
    nobody.run(&format!("operator unseal {}", keys[0])).ok();
    assert_eq!(nobody.fed("operator unseal -format=json -", &keys[2]).json()["sealed"], json!(false));
    assert!(nobody.run("operator unseal").fails(1).contains("Unseal Key is missing"));

    let root = made["root_token"].as_str().unwrap();
    let shell = Shell::of(&server.anonymous().with_token(root));
    shell.run("operator key-status").tells(&["Key Term", "1", "Install Time", "Encryption Count"]);
    shell.run("operator rotate").tells(&["Success! Rotated key", "Key Term", "2"]);
    assert_eq!(shell.run("operator key-status -format=json").json()["term"], json!(2));

    let nonce =
        shell.run("operator rekey -init -n=1 -t=1 -format=json").json()["nonce"].as_str().unwrap().to_owned();
    shell.run("operator rekey -status").tells(&["Nonce", &nonce, "Started", "true", "Rekey Progress", "0/2"]);
    shell.run(&format!("operator rekey -nonce={nonce} {}", keys[0])).tells(&["1/2"]);
    let made = shell.run(&format!("operator rekey -format=json -nonce={nonce} {}", keys[1])).json();
    let key = texts(&made["keys_base64"]).remove(0);
    shell.run("operator rekey -init -verify -n=1 -t=1").tells(&["Verification Required", "true"]);
    assert!(shell.run("operator rekey -cancel").ok().starts_with("Success!"));
    assert!(shell.run(&format!("operator rekey {key}")).fails(1).contains("No rekey is in progress"));

    assert_eq!(
        shell.run("operator step-down").ok(),
        format!("Success! Stepped down: {}\n", server.anonymous().address())
    );
    let api = server.anonymous().with_token(root);
    testkit::eventually(std::time::Duration::from_secs(30), "it is active again", async || {
        api.get("auth/token/lookup-self").await.is_ok()
    })
    .await;
    assert!(shell.run("operator seal").ok().starts_with("Success!"));
    nobody.run(&format!("operator unseal {key}")).tells(&["Sealed", "false"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_root_token_is_made_with_the_unseal_key() {
    let server = Server::start().await;
    let shell = Shell::at(&server.anonymous());
    let key = server.keys().shares[0].clone();
    let otp = shell.run("operator generate-root -generate-otp").line();
    shell
        .run(&format!("operator generate-root -init -otp={otp}"))
        .tells(&["Nonce", "Started", "true", "OTP", &otp]);
    shell.run("operator generate-root -status").tells(&["Progress", "0/1"]);
    let made = shell.run(&format!("operator generate-root -format=json {key}")).json();
    let encoded = made["encoded_token"].as_str().unwrap();
    let token = shell.run(&format!("operator generate-root -decode={encoded} -otp={otp}")).line();
    assert!(server.anonymous().with_token(token).get("auth/token/lookup-self").await.is_ok());
    assert!(shell.run("operator generate-root -decode=x").fails(1).contains("otp"));
    shell.run("operator generate-root -init").tells(&["OTP"]);
    shell.run("operator generate-root -cancel").tells(&["Success! Root token generation canceled"]);
}
