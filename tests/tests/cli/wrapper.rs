use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use testkit::Server;

use super::Shell;

/// What people have written for Vault's own program.
const SCRIPT: &str = r#"#!/bin/bash
set -euo pipefail
vault status > /dev/null
vault login -no-print "$ROOT"
vault secrets enable -path=team -version=2 kv > /dev/null
vault kv put team/db user=app password=@password.txt > /dev/null
test "$(vault kv get -field=password team/db)" = "s3cret"
vault policy write app - <<POLICY
path "team/data/db" { capabilities = ["read"] }
POLICY
token=$(vault token create -policy=app -ttl=5m -field=token)
VAULT_TOKEN=$token vault kv get -format=json -mount=team db | grep -q '"user": "app"'
if VAULT_TOKEN=$token vault kv put team/db user=x 2> refused; then exit 9; fi
grep -q "Code: 403. Errors:" refused
set +e
vault read cubbyhole/none > /dev/null 2>&1; test $? -eq 2 || exit 8
vault kv get > /dev/null 2>&1; test $? -eq 1 || exit 7
vault kv get -output-curl-string team/db | grep -qF '$(vault print token)' || exit 6
echo done
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_script_for_vault_runs_with_a_wrapper_of_its_name() {
    let server = Server::dev().await;
    let shell = Shell::at(&server.api());
    shell.file("password.txt", "s3cret");
    let script = shell.file("script", SCRIPT);
    let program = shell.command(&[]).get_program().to_owned();
    let wrapper = shell.file("vault", &format!("#!/bin/bash\nexec -a vault {} \"$@\"\n", program.display()));
    fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o700)).unwrap();
    let path = format!("{}:{}", shell.path("").display(), std::env::var("PATH").unwrap());
    let run = Command::new("bash")
        .arg(script)
        .current_dir(shell.path(""))
        .env_clear()
        .envs([("PATH", &*path), ("HOME", shell.path("").to_str().unwrap()), ("ROOT", "root")])
        .env("VAULT_ADDR", server.api().address())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && said.trim_end().ends_with("done"), "{:?}: {said}", run.status);
}

#[test]
fn shells_and_readers_are_told_of_every_command() {
    let run = |words: &[&str]| testkit::mortise().args(words).output().unwrap();
    for shell in ["bash", "zsh", "fish"] {
        let told = run(&["completions", shell]);
        let text = String::from_utf8_lossy(&told.stdout).into_owned();
        assert!(
            told.status.success() && text.contains("rollback") && text.contains("enable-versioning"),
            "{shell}"
        );
    }
    assert_eq!(run(&["completions", "tcsh"]).status.code(), Some(1));
    let folder = tempfile::tempdir().unwrap();
    let told = run(&["man", folder.path().to_str().unwrap()]);
    assert!(told.status.success(), "{told:?}");
    let page = fs::read_to_string(folder.path().join("mortise-kv-get.1")).unwrap();
    assert!(page.contains("Read a secret") && page.contains("mount"), "{page}");
    assert!(fs::read_dir(folder.path()).unwrap().count() > 100);
}
