use serde_json::json;
use testkit::Server;

use super::Shell;

#[tokio::test(flavor = "multi_thread")]
async fn data_is_written_read_changed_and_deleted_in_every_form() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    server.api().enable_kv("kv", 1).await;

    assert_eq!(shell.run("write kv/a x=1 y=two").ok(), "Success! Data written to: kv/a\n");
    let table = "Key                 Value\n---                 -----\nrefresh_interval    768h\nx                   1\ny                   two\n";
    assert_eq!(shell.run("read kv/a").ok(), table);
    assert_eq!(shell.run("read -format=json kv/a").json()["data"], json!({"x": "1", "y": "two"}));
    shell.run("read -format=yaml kv/a").tells(&["data:\n", "  y: two\n"]);
    assert!(shell.run("read -format=raw kv/a").ok().starts_with("{\"request_id\""));
    assert_eq!(shell.run("read -field=y kv/a").ok(), "two");
    assert_eq!(shell.run("read -field y kv/a").ok(), "two");
    assert!(shell.run("read -field=z kv/a").fails(1).contains("\"z\" not present"));
    assert_eq!(shell.run("read kv/none").fails(2), "No value found at kv/none\n");

    let file = shell.file("b.json", r#"{"n": 1.50, "list": ["a"]}"#);
    shell.run(&format!("write kv/b @{file}")).ok();
    assert_eq!(shell.run("read -field=n kv/b").ok(), "1.50");
    assert_eq!(shell.run("read -field=list kv/b").ok(), "[a]");
    shell.fed("write kv/c -", r#"{"in": "put"}"#).ok();
    shell.fed("write kv/d text=-", "from outside\n").ok();
    assert_eq!(shell.run("read -field=text kv/d").ok(), "from outside\n");
    assert_eq!(shell.run("write kv/e").fails(1), "Must supply data or use -force\n");

    assert_eq!(shell.run("list kv").ok(), "Keys\n----\na\nb\nc\nd\n");
    assert_eq!(shell.run("list -format=json kv/").json(), json!(["a", "b", "c", "d"]));
    assert_eq!(shell.run("list kv/none").fails(2), "No value found at kv/none\n");
    assert_eq!(shell.run("delete kv/a").ok(), "Success! Data deleted (if it existed) at: kv/a\n");
    assert_eq!(shell.run("delete -format=json kv/b").ok(), "");
    assert!(
        shell
            .run("patch kv/c x=1")
            .fails(2)
            .starts_with("Error writing data to kv/c: Error making API request.")
    );
    shell.run("patch -format=json secret/data/none data=x").fails(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_kept_behind_a_token_and_taken_out_once() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("kv put secret/a k=v").ok();
    shell.run("kv get -wrap-ttl=5m secret/a").tells(&["wrapping_token:", "wrapping_token_ttl:", "5m"]);
    let token = shell.run("kv get -wrap-ttl=60 -field=wrapping_token secret/a").line();
    shell.run(&format!("unwrap {token}")).tells(&["data ", "map[k:v]"]);
    assert!(shell.run(&format!("unwrap {token}")).fails(2).contains("wrapping token is not valid"));
    let wrapped = shell.run("write -format=json -wrap-ttl=1m -force sys/wrapping/wrap").json();
    let token = wrapped["wrap_info"]["token"].as_str().unwrap().to_owned();
    shell.fed("unwrap -", &token).ok();
    assert!(shell.run("read -wrap-ttl=soon secret/data/a").fails(1).contains("-wrap-ttl"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_tells_its_status_its_help_and_what_is_wrong_with_it() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("status").tells(&["Key ", "Seal Type", "shamir", "Sealed", "false", "HA Enabled"]);
    assert_eq!(shell.run("status -format=json").json()["sealed"], json!(false));
    assert_eq!(shell.run("status -field=sealed").ok(), "false");
    shell.run("path-help sys/mounts").tells(&["Request:", "mounts"]);
    assert!(shell.run("path-help -format=json sys/mounts").json()["help"].is_string());

    shell
        .run("debug -duration=0s -target=config,server-status -output=told")
        .tells(&["Success! Bundle written to: told.tar.gz"]);
    let tar =
        |words: &[&str]| std::process::Command::new("tar").args(words).current_dir(shell.path("")).output();
    let unpacked = tar(&["-xvzf", "told.tar.gz"]).unwrap();
    assert_eq!(
        String::from_utf8_lossy(&unpacked.stdout),
        "told/config.json\ntold/server_status.json\ntold/index.json\n"
    );
    let told = std::fs::read_to_string(shell.path("told/server_status.json")).unwrap();
    assert!(told.contains("\"initialized\": true") && !told.contains(server.api().token()), "{told}");
    shell.run("debug -duration=0s -compress=false -output=folder").ok();
    assert!(shell.path("folder/metrics.json").is_file() && shell.path("folder/index.json").is_file());
    assert!(
        shell.run("debug -duration=0s -output=told").fails(1).contains("told.tar.gz"),
        "it is there already"
    );
    assert!(shell.run("debug -target=nonsense").fails(1).contains("nonsense"));

    let nowhere = shell.command(&["status"]).env("VAULT_ADDR", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(nowhere.status.code(), Some(1), "only a sealed server is 2");
    let nowhere = shell.command(&["read", "a"]).env("VAULT_ADDR", "http://127.0.0.1:1").output().unwrap();
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&nowhere.stderr).contains("cannot reach http://127.0.0.1:1"));
}

#[test]
fn what_is_no_command_is_told_by_its_exit_code() {
    let run = |words: &[&str]| testkit::mortise().args(words).output().unwrap();
    for (words, code) in [
        (vec!["nonsense"], 127),
        (vec![], 127),
        (vec!["kv"], 1),
        (vec!["kv", "nonsense"], 1),
        (vec!["kv", "get"], 1),
        (vec!["read", "-nonsense", "a"], 1),
        (vec!["read", "-format=nonsense", "a"], 1),
        (vec!["read", "a", "-address="], 2),
        (vec!["kv", "get", "-help"], 0),
        (vec!["-help"], 0),
        (vec!["version"], 0),
    ] {
        let told = run(&words);
        assert_eq!(told.status.code(), Some(code), "{words:?}: {told:?}");
    }
    let help = String::from_utf8(run(&["kv", "get", "-help"]).stdout).unwrap();
    assert!(help.contains(" -mount") && !help.contains("--"), "flags have one dash: {help}");
}
