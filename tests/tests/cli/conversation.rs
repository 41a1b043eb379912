//! Every command of docs/cli.md, in the form for people and in that for programs, with its exit codes. A command that is
//! new there is missed here.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    process::Command,
    time::Duration,
};

use serde_json::Value;
use testkit::{Options, Registration, Server, eventually, go_plugin, repository};

use super::{Shell, shell::Said};

/// What ends only when it is told to: the other stories are told with it.
const SERVES: [&str; 6] = ["server", "catalog", "launcher", "router", "gateway", "health"];

/// These ask no server.
const LOCAL: [&str; 8] = [
    "completions",
    "dev-certs",
    "man",
    "operator migrate",
    "policy fmt",
    "print token",
    "reference",
    "version",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Table,
    Json,
}

/// A conversation, and what has been said in it so far.
struct Talk<'s> {
    shell: &'s Shell,
    commands: &'s [String],
    heard: &'s RefCell<BTreeMap<String, (BTreeSet<Form>, String)>>,
}

impl Talk<'_> {
    /// Says it in both forms; `{n}` is another word each time.
    #[track_caller]
    fn both(&self, words: &str) {
        self.table(&words.replace("{n}", "table"));
        self.json(&words.replace("{n}", "json"));
    }

    #[track_caller]
    fn table(&self, words: &str) -> String {
        let said = self.say(words, Form::Table);
        assert!(!said.out.starts_with(['{', '[']) || words.starts_with("plugin logs"), "{words}: {said:?}");
        said.out
    }

    /// A program reads what a command prints that has a form at all.
    #[track_caller]
    fn json(&self, words: &str) -> Value {
        let said = self.say(words, Form::Json);
        let is_formed = self.shell.run(&format!("{} -help", self.command(words))).ok().contains(" -format");
        if is_formed && !said.out.is_empty() {
            return serde_json::from_str(&said.out).unwrap_or_else(|error| panic!("{error}: {said:?}"));
        }
        Value::Null
    }

    #[track_caller]
    fn say(&self, words: &str, form: Form) -> Said {
        let mut command: Command = self.shell.command(&words.split(' ').collect::<Vec<_>>());
        if form == Form::Json {
            command.env("VAULT_FORMAT", "json");
        }
        let said = Said::of(words, command.output().unwrap());
        assert_eq!(said.code, 0, "{said:?}");
        let mut heard = self.heard.borrow_mut();
        let (forms, last) = heard.entry(self.command(words)).or_default();
        forms.insert(form);
        *last = words.to_owned();
        said
    }

    /// The words of these that name the command.
    #[track_caller]
    fn command(&self, words: &str) -> String {
        let is_it = |command: &&String| words == **command || words.starts_with(&format!("{command} "));
        let longest = self.commands.iter().filter(is_it).max_by_key(|command| command.len());
        longest.unwrap_or_else(|| panic!("docs/cli.md does not know {words}")).clone()
    }
}

/// The commands that the document has.
fn documented() -> Vec<String> {
    let page = std::fs::read_to_string(repository().join("docs/cli.md")).unwrap();
    let (_, table) = page.split_once("| command | what it does |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let names = rows.flat_map(|row| row.split(" | ").next().unwrap().split('`').skip(1).step_by(2));
    let command = |name: &str| {
        let plain = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        name.split(' ').take_while(plain).collect::<Vec<_>>().join(" ")
    };
    names.map(command).filter(|name| !SERVES.contains(&name.as_str())).collect()
}

fn secrets(talk: &Talk<'_>) {
    talk.both("secrets enable -path=old/{n} -version=1 kv");
    talk.both("secrets enable -path=moving/{n} kv");
    talk.both("secrets tune -max-lease-ttl=2h moving/{n}");
    talk.both("secrets list");
    talk.both("secrets move moving/{n} moved/{n}");
    talk.both("secrets disable moved/{n}");
    talk.both("write old/{n}/a x=1");
    talk.both("read old/{n}/a");
    talk.both("list old/{n}");
    talk.both("delete old/{n}/a");
    talk.both("kv enable-versioning old/{n}");
    for key in ["a", "b", "c", "d"] {
        talk.both(&format!("kv put secret/{key} k={{n}}"));
    }
    talk.both("kv get secret/a");
    talk.both("kv patch secret/a more={n}");
    talk.shell.file("patch.json", r#"{"data": {"k": "patched"}}"#);
    talk.both("patch secret/data/a @patch.json");
    talk.both("kv list secret");
    talk.both("kv rollback -version=1 secret/a");
    talk.both("kv delete -versions=1 secret/b");
    talk.both("kv undelete -versions=1 secret/b");
    talk.both("kv destroy -versions=1 secret/b");
    talk.both("kv metadata put -max-versions=5 secret/c");
    talk.both("kv metadata patch -max-versions=6 secret/c");
    talk.both("kv metadata get secret/c");
    talk.both("kv metadata delete secret/d");
    for form in [Form::Table, Form::Json] {
        let token = talk.shell.run("kv get -wrap-ttl=5m -field=wrapping_token secret/a").line();
        talk.say(&format!("unwrap {token}"), form);
    }
}

fn who_asks(talk: &Talk<'_>, root: &str) {
    talk.both("auth enable -path=people/{n} userpass");
    talk.both("auth tune -max-lease-ttl=1h people/{n}");
    talk.both("auth list");
    talk.both("auth help people/{n}");
    talk.both("auth move people/{n} folk/{n}");
    talk.both("auth disable folk/{n}");
    talk.both(&format!("login {root}"));
    talk.both("print token");
    talk.both("token create -ttl=5m");
    let token = talk.shell.run("token create -ttl=1h -field=token").line();
    for command in ["lookup", "renew"] {
        talk.both(&format!("token {command} {token}"));
    }
    talk.both(&format!("token capabilities {token} secret/a"));
    talk.both(&format!("token revoke {token}"));
    let rules = talk.shell.file("rules.hcl", "path \"secret/*\" {\n  capabilities = [\"read\"]\n}\n");
    talk.both(&format!("policy write rules-{{n}} {rules}"));
    talk.both("policy list");
    talk.both("policy read rules-{n}");
    talk.both("policy delete rules-{n}");
    talk.both(&format!("policy fmt {rules}"));
}

fn surroundings(talk: &Talk<'_>) {
    talk.both("status");
    talk.both("path-help sys/mounts");
    talk.both("debug -duration=0 -output=told-{n}");
    let folder = talk.shell.path("");
    talk.both(&format!("audit enable -path={{n}} file file_path={}/audit-{{n}}.log", folder.display()));
    talk.both("audit list");
    talk.both("audit disable {n}");
    talk.both("namespace create {n}");
    talk.both("namespace patch -custom-metadata=who={n} {n}");
    talk.both("namespace lookup {n}");
    talk.both("namespace list");
    talk.table("namespace lock table");
    let key = talk.json("namespace lock json")["data"]["unlock_key"].as_str().unwrap().to_owned();
    talk.json(&format!("namespace unlock -unlock-key={key} json"));
    // A root token needs no key.
    talk.table("namespace unlock table");
    talk.both("namespace delete {n}");
    talk.both("completions bash");
    talk.both("man pages-{n}");
    talk.both("dev-certs certificates-{n}");
    talk.both("version");
    talk.both("reference");
}

async fn plugins(talk: &Talk<'_>, server: &Server) {
    let fixture = go_plugin("fixture");
    server.register_as("leased", &fixture, Registration::default()).await;
    server.enable("leased", "leased").await;
    let lease = talk.shell.run("read -field=lease_id leased/creds/ann").line();
    talk.both(&format!("lease lookup {lease}"));
    talk.both(&format!("lease renew {lease}"));
    talk.both(&format!("lease revoke -sync {lease}"));

    let kv = go_plugin("kv");
    server.install(&kv);
    let (sha256, command) = (&kv.sha256, kv.command());
    talk.both(&format!("plugin register -sha256={sha256} -command={command} -version=1.0.0 secret kv-{{n}}"));
    talk.both("plugin list");
    talk.both("plugin info -version=v1.0.0 secret kv-{n}");
    talk.both("plugin pin secret kv-{n} v1.0.0");
    talk.shell.run("secrets enable -path=mine kv-table").ok();
    talk.shell.run("kv put mine/a k=1").ok();
    talk.both("plugin reload -plugin=kv-{n}");
    for form in [Form::Table, Form::Json] {
        let told = talk.shell.run("plugin reload -mounts=mine/ -scope=global").ok();
        talk.say(&format!("plugin reload-status {}", told.trim().rsplit(' ').next().unwrap()), form);
    }
    talk.both("plugin ps");
    talk.both("plugin logs -lines=1 secret kv-table");
    talk.both("plugin events -count=1");
    for before in ["kv-before", "kv"] {
        talk.both(&format!("plugin apply -name=other-{{n}} {}", go_plugin(before).path.display()));
        talk.both("secrets list");
        if before == "kv-before" {
            talk.both("secrets enable -path=other/{n} other-{n}");
        }
    }
    talk.both("plugin rollback secret other-{n}");
    talk.shell.run("secrets disable mine").ok();
    talk.shell.run("plugin pin -remove secret kv-table").ok();
    talk.shell.run("plugin pin -remove secret kv-json").ok();
    talk.both("plugin deregister -version=1.0.0 secret kv-{n}");
    talk.both("plugin runtime register -memory-bytes=1000000000 -best-effort box-{n}");
    talk.both("plugin runtime list");
    talk.both("plugin runtime info box-{n}");
    talk.both("plugin runtime deregister box-{n}");
}

async fn operators(commands: &[String], heard: &RefCell<BTreeMap<String, (BTreeSet<Form>, String)>>) {
    let servers = [Server::fresh(Options::default()).await, Server::fresh(Options::default()).await];
    let nobody = Shell::at(&servers[0].anonymous());
    let first = Talk { shell: &nobody, commands, heard };
    let told = first.table("operator init -key-shares=1 -key-threshold=1");
    assert!(told.contains("Unseal Key 1: "), "{told}");
    let other = Shell::at(&servers[1].anonymous());
    let made = Talk { shell: &other, commands, heard }.json("operator init -key-shares=1 -key-threshold=1");
    let (key, root) = (made["unseal_keys_b64"][0].as_str().unwrap(), made["root_token"].as_str().unwrap());
    let api = servers[1].anonymous().with_token(root);
    let shell = Shell::of(&api);
    let talk = Talk { shell: &shell, commands, heard };
    talk.both(&format!("operator unseal {key}"));
    for command in ["key-status", "rotate", "rekey -status", "generate-root -status"] {
        talk.both(&format!("operator {command}"));
    }
    for form in [Form::Table, Form::Json] {
        talk.say("operator step-down", form);
        eventually(Duration::from_secs(30), "it is active again", async || {
            api.get("auth/token/lookup-self").await.is_ok()
        })
        .await;
        talk.say("operator seal", form);
        talk.say(&format!("operator unseal {key}"), form);
        eventually(Duration::from_secs(30), "it is active again", async || {
            api.get("auth/token/lookup-self").await.is_ok()
        })
        .await;
    }
    migrate(&talk, servers).await;
}

async fn migrate(talk: &Talk<'_>, mut servers: [Server; 2]) {
    servers[0].stop().await;
    let source = servers[0].data_directory().join("mortise.db");
    for (form, name) in [(Form::Table, "table"), (Form::Json, "json")] {
        let ends = format!(
            "storage_source \"sqlite\" {{ path = \"{}\" }}\nstorage_destination \"sqlite\" {{ path = \"{}\" }}\n",
            source.display(),
            talk.shell.path(&format!("{name}.db")).display(),
        );
        let file = talk.shell.file(&format!("{name}.hcl"), &ends);
        talk.say(&format!("operator migrate -config={file}"), form);
    }
}

/// What is wrong with the words is 1, and a server that is not there is 2; of its status, that is 1.
fn mistakes(shell: &Shell, heard: &BTreeMap<String, (BTreeSet<Form>, String)>) {
    for (command, (_, words)) in heard {
        let run = |words: &str, format: &str| {
            let mut run = shell.command(&words.split(' ').collect::<Vec<_>>());
            run.envs([("VAULT_FORMAT", format), ("VAULT_ADDR", "http://127.0.0.1:1")]);
            run.env("VAULT_TOKEN", "somebody").output().unwrap()
        };
        let wrong = run(&format!("{command} -nonsense"), "table");
        assert_eq!(wrong.status.code(), Some(1), "{command} -nonsense: {wrong:?}");
        let expected = if command == "status" { 1 } else { 2 };
        for format in ["table", "json"].iter().filter(|_| !LOCAL.contains(&command.as_str())) {
            let gone = run(words, format);
            assert_eq!(gone.status.code(), Some(expected), "{words}: {gone:?}");
            assert!(!gone.stderr.is_empty() && gone.stdout.is_empty(), "{words}: {gone:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_is_told_in_both_forms_and_with_its_exit_codes() {
    let commands = documented();
    let heard = RefCell::default();
    let server =
        Server::start_with(Options { extra: "plugin_upload = true".to_owned(), ..Options::default() }).await;
    server.api().enable_kv("secret", 2).await;
    let shell = Shell::of(&server.api());
    let talk = Talk { shell: &shell, commands: &commands, heard: &heard };
    secrets(&talk);
    who_asks(&talk, server.api().token());
    surroundings(&talk);
    plugins(&talk, &server).await;
    operators(&commands, &heard).await;

    let heard = heard.into_inner();
    for command in &commands {
        let forms = heard.get(command).map(|(forms, _)| forms.len());
        assert_eq!(forms, Some(2), "{command} is not told in both forms: tell it");
    }
    mistakes(&shell, &heard);
}
