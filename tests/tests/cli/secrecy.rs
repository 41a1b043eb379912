use testkit::{Options, Server};

use super::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn no_token_is_in_an_error_or_in_what_is_shown_of_a_request() {
    let server = Server::dev().await;
    let token =
        server.api().post("auth/token/create", serde_json::json!({"policies": ["default"]})).await.ok();
    let token = token["auth"]["client_token"].as_str().unwrap().to_owned();
    let shell = Shell::of(&server.api().with_token(&token));
    for words in [
        "read sys/none",
        "write sys/none a=b",
        "token create -id=x",
        "secrets list",
        "kv get secret/none",
        "read -address=http://127.0.0.1:1 a",
        "read -address=http://me:word@127.0.0.1:1 a",
        "read -header=x-vault-token=y a",
        "read -output-curl-string sys/mounts",
        "token lookup -output-curl-string",
        "login -no-print -no-store token=nonsense",
    ] {
        let said = shell.run(words);
        assert!(!(said.out + &said.err).contains(&token), "{words}");
    }
    let about = shell.run(&format!("token lookup -output-curl-string {token}")).ok();
    assert!(!about.contains(&token), "{about}");
    let bad = shell.command(&["read", "a"]).env("VAULT_TOKEN", "hidden\nword").output().unwrap();
    assert_eq!(bad.status.code(), Some(1));
    assert!(!String::from_utf8_lossy(&bad.stderr).contains("hidden"), "{bad:?}");
    let password = shell.run("read -address=http://me:word@127.0.0.1:1 a").fails(2);
    assert!(!password.contains("word"), "{password}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_shown_rather_than_sent() {
    let server = Server::dev().await;
    let (shell, address) = (Shell::of(&server.api()), server.api().address().to_owned());
    let curl = shell.run("kv put -output-curl-string secret/a k=v").line();
    assert!(curl.starts_with("curl -X PUT -H \"X-Vault-Request: true\""), "{curl}");
    assert!(curl.contains("-H \"X-Vault-Token: $(mortise print token)\""), "{curl}");
    assert!(
        curl.ends_with(&format!(
            "-d '{{\"data\":{{\"k\":\"v\"}},\"options\":{{}}}}' \"{address}/v1/secret/data/a\""
        )),
        "{curl}"
    );
    assert_eq!(shell.run("kv get secret/a").code, 2, "it was not sent");
    let policy = "path \"sys/auth/userpass\" {\n  capabilities = [\"create\", \"update\", \"sudo\"]\n}\n";
    assert_eq!(shell.run("auth enable -output-policy userpass").ok(), policy);
    assert_eq!(
        shell.run("kv list -output-policy secret").ok(),
        "path \"secret/metadata\" {\n  capabilities = [\"list\"]\n}\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_believed_by_its_certificate() {
    let server = Server::start_with(Options { tls: true, ..Options::default() }).await;
    let shell = Shell::of(&server.api());
    let certificate = server.data_directory().with_file_name("listener.pem");
    let run = |variables: &[(&str, &str)]| {
        let variables = variables.iter().copied();
        shell.command(&["status", "-field=sealed"]).envs(variables).output().unwrap().status.code()
    };
    assert_eq!(run(&[]), Some(1), "nobody has certified it");
    assert_eq!(run(&[("VAULT_CACERT", certificate.to_str().unwrap())]), Some(0));
    assert_eq!(run(&[("MORTISE_SKIP_VERIFY", "true")]), Some(0));
    assert_eq!(run(&[("VAULT_CACERT", "/no/such/file")]), Some(1));
    let elsewhere =
        [("VAULT_CACERT", certificate.to_str().unwrap()), ("VAULT_TLS_SERVER_NAME", "other.example")];
    assert_eq!(run(&elsewhere), Some(1), "it is another server's name");
}
