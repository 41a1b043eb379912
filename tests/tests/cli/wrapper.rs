use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
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

/// What stands in playbooks and pipelines: everything is looked at by other programs.
const PIPELINE: &str = r#"#!/bin/bash
set -euo pipefail
field() { python3 -c 'import json, sys; print(eval("json.load(sys.stdin)" + sys.argv[1]))' "$1"; }

# Which release is it? Installers take the second word, and compare it.
[[ $(vault version) =~ ^Vault\ v1\.[0-9]+\.[0-9]+ ]]
version=$(vault version | awk '{print $2}')
test "$(printf 'v1.10.0\n%s\n' "$version" | sort -V | tail -1)" = "$version"
vault -version | grep -q "^Vault $version"
test "$(vault status -format=json | field "['version']")" = "${version#v}"

# Is it ready? 0: unsealed; 2: sealed; 1: it does not answer.
vault status > table && grep -qE '^Sealed +false$' table && head -1 table | grep -qE '^Key +Value$'
VAULT_ADDR=http://127.0.0.1:1 vault status > /dev/null 2>&1 && exit 10 || test $? -eq 1

# Who are we?
vault login -format=json - <<< "$ROOT" | field "['auth']['policies'][0]" | grep -qx root
test "$(vault print token)" = "$ROOT"
test "$(cat ~/.vault-token)" = "$ROOT"
test "$(VAULT_TOKEN=other vault print token)" = other

# Enable what is not there yet.
vault secrets list -format=json | field ".get('app/') is None" | grep -qx True
vault secrets enable -path=app kv-v2 | grep -qx 'Success! Enabled the kv-v2 secrets engine at: app/'
vault secrets enable -path=app kv-v2 2> again && exit 11 || test $? -eq 2
grep -q 'path is already in use at app/' again

# Secrets out of and into files.
echo '{"user": "app", "port": 5432}' > secret.json
vault kv put -format=json app/db @secret.json | field "['data']['version']" | grep -qx 1
vault kv get -format=json app/db | field "['data']['data']['port']" | grep -qx 5432
echo -n s3cret | vault kv patch app/db password=- > /dev/null
VAULT_FORMAT=json vault kv get app/db | field "['data']['metadata']['version']" | grep -qx 2
test "$(VAULT_TOKEN=$ROOT vault read -field=data app/data/db)" = 'map[password:s3cret port:5432 user:app]'
test "$(vault kv list app)" = $'Keys\n----\ndb'
vault kv get app/none 2> none && exit 12 || test $? -eq 2
grep -qx 'No value found at app/data/none' none

# A machine logs in by itself.
vault auth enable approle | grep -qx 'Success! Enabled approle auth method at: approle/'
vault policy write app - <<< 'path "app/data/db" { capabilities = ["read"] }' | grep -qx 'Success! Uploaded policy: app'
vault write auth/approle/role/app token_policies=app token_ttl=5m > /dev/null
role=$(vault read -field=role_id auth/approle/role/app/role-id)
secret=$(vault write -f -field=secret_id auth/approle/role/app/secret-id)
VAULT_TOKEN=$(vault write -field=token auth/approle/login role_id="$role" secret_id="$secret")
export VAULT_TOKEN
vault kv get -field=password app/db | grep -qx s3cret
vault kv delete app/db 2> refused && exit 13 || test $? -eq 2
grep -q '\* permission denied' refused
vault token lookup -format=json | field "['data']['policies']" | grep -qF "['app', 'default']"
vault token revoke -self | grep -qx 'Success! Revoked token (if it existed)'
vault token lookup > /dev/null 2>&1 && exit 14 || test $? -eq 2
vault nonsense > /dev/null 2>&1 && exit 15 || test $? -eq 127
echo done
"#;

/// Somebody at a shell whose own folder is the first that programs are looked for in.
async fn scripted(prepare: impl Fn(&Shell), text: &str) {
    let server = Server::dev().await;
    let shell = Shell::at(&server.api());
    prepare(&shell);
    let script = shell.file("script", text);
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

fn program(shell: &Shell) -> PathBuf {
    shell.command(&[]).get_program().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_for_vault_runs_with_a_wrapper_of_its_name() {
    let prepare = |shell: &Shell| {
        shell.file("password.txt", "s3cret");
        let text = format!("#!/bin/bash\nexec -a vault {} \"$@\"\n", program(shell).display());
        let wrapper = shell.file("vault", &text);
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o700)).unwrap();
    };
    scripted(prepare, SCRIPT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_for_vault_runs_with_a_link_of_its_name() {
    scripted(|shell| symlink(program(shell), shell.path("vault")).unwrap(), PIPELINE).await;
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
