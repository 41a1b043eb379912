//! Plugins that the configuration declares, and that come from a registry of OCI images.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use testkit::{
    Form, Image, Options, Plugin, Registration, Registry, Server, eventually, go_plugin, layer, mortise,
};

const VERSION: &str = "v0.25.0";

/// What a `plugin` stanza says, beside its labels.
fn stanza(registry: &Registry, plugin: &Plugin) -> BTreeMap<&'static str, String> {
    let text = |value: &str| format!("{value:?}");
    BTreeMap::from([
        ("image", text(&format!("{}/plugins/kv", registry.name))),
        ("version", text(VERSION)),
        ("sha256sum", text(&plugin.sha256)),
    ])
}

fn config(registry: &Registry, stanzas: &[&BTreeMap<&str, String>]) -> String {
    let mut text = "plugin_auto_download = true\nplugin_auto_register = true\n\
                    plugin_download_networks = [\"127.0.0.0/8\"]\n"
        .to_owned();
    if !registry.private {
        text += &format!("plugin_download_plain_http = [{:?}]\n", registry.name);
    }
    for stanza in stanzas {
        let lines: String = stanza.iter().map(|(key, value)| format!("  {key} = {value}\n")).collect();
        text += &format!("plugin \"secret\" \"image-kv\" {{\n{lines}}}\n");
    }
    text
}

/// The Go kv plugin, and a registry that has it: in the middle of an image, and what it runs.
async fn pushed(registry: &Registry) -> Plugin {
    let plugin = go_plugin("kv");
    let program = fs::read(&plugin.path).unwrap();
    let layers = [
        layer(&[("bin/kv", b"an older one")]),
        layer(&[("bin/kv", &program)]),
        layer(&[("etc/os-release", b"x")]),
    ];
    let image =
        Image { repository: "plugins/kv", tag: VERSION, layers: &layers, entry_point: Some("/bin/kv") };
    registry.push(image).await;
    plugin
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

/// What a server says that cannot start with this configuration.
fn refusal_of(extra: &str, environment: &[(&str, &Path)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let path = folder.path().join("server.hcl");
    let text = format!(
        "storage \"inmem\" {{}}\nlistener \"tcp\" {{\n address = \"127.0.0.1:0\"\n tls_disable = true\n}}\n\
         disable_mlock = true\nplugin_directory = {:?}\n{extra}",
        folder.path().join("plugins")
    );
    fs::write(&path, text).unwrap();
    let plugins = folder.path().join("plugins");
    fs::create_dir(&plugins).unwrap();
    fs::set_permissions(&plugins, fs::Permissions::from_mode(0o700)).unwrap();
    let mut server = mortise();
    server.arg("server").arg(format!("-config={}", path.display())).envs(environment.iter().copied());
    let run = server.output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{run:?}");
    assert_eq!(files(&plugins), [""; 0]);
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_declared_plugin_is_downloaded_registered_mounted_and_serves() {
    let registry = Registry::start().await;
    let plugin = pushed(&registry).await;
    let extra = config(&registry, &[&stanza(&registry, &plugin)]);
    let mut server = Server::start_with(Options { extra, ..Options::default() }).await;
    let api = server.api();
    let command = format!("secret-image-kv-{VERSION}");
    assert_eq!(files(&server.plugin_directory()), [command.as_str()]);
    let path = server.plugin_directory().join(&command);
    assert_eq!(Plugin::at(&path).sha256, plugin.sha256);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o755);

    let entry = api.get(&format!("sys/plugins/catalog/secret/image-kv?version={VERSION}")).await.data();
    assert_eq!((&entry["command"], &entry["sha256"]), (&json!(command), &json!(plugin.sha256)));
    server.enable("kept", "image-kv").await;
    api.put("kept/a", json!({"v": "1"})).await.ok();
    assert_eq!(api.get("kept/a").await.data()["v"], "1");

    // With the registry away: what is there needs nobody.
    drop(registry);
    server.restart().await;
    assert_eq!(api.get("kept/a").await.data()["v"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_longer_declared_is_deregistered_and_nothing_else_is_touched() {
    let registry = Registry::start().await;
    let plugin = pushed(&registry).await;
    let declared = stanza(&registry, &plugin);
    let own = BTreeMap::from([
        ("command", format!("{:?}", plugin.command())),
        ("version", "\"v1.0.0\"".to_owned()),
        ("sha256sum", declared["sha256sum"].clone()),
    ]);
    let extra = config(&registry, &[&declared, &own]);
    let mut server = Server::fresh(Options { extra, ..Options::default() }).await;
    // The other one is put there by hand.
    server.install(&plugin);
    server.init(1, 1).await;
    server.unseal().await;
    let api = server.api();
    api.register(&plugin, "by-hand", Registration::default()).await.ok();
    let versions = async || {
        let listed = api.get("sys/plugins/catalog").await.data();
        let of = |name: &str| {
            let all = listed["detailed"].as_array().unwrap().iter();
            all.filter(|entry| entry["name"] == name)
                .map(|entry| entry["version"].clone())
                .collect::<Vec<_>>()
        };
        (of("image-kv"), of("by-hand").len())
    };
    assert_eq!(versions().await, (vec![json!(VERSION), json!("v1.0.0")], 1));

    // Somebody's own entry is not taken over, nor is it in the way of anything.
    api.delete(&format!("sys/plugins/catalog/secret/image-kv?version={VERSION}")).await.ok();
    let mine = Registration { version: VERSION, args: &["-mine"], ..Registration::default() };
    api.register(&plugin, "image-kv", mine).await.ok();
    server.configure(config(&registry, &[&declared]));
    server.restart().await;
    assert_eq!(versions().await, (vec![json!(VERSION)], 1));
    assert!(
        server.log().contains("was registered already, but not by this configuration"),
        "{}",
        server.log()
    );
    let entry = api.get(&format!("sys/plugins/catalog/secret/image-kv?version={VERSION}")).await.data();
    assert_eq!(entry["args"], json!(["-mine"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_told_to_declares_its_plugins_anew() {
    let registry = Registry::start().await;
    let plugin = go_plugin("kv");
    let declared = stanza(&registry, &plugin);
    let extra = config(&registry, &[&declared]) + "plugin_download_behavior = \"continue\"\n";
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    let api = server.api();
    let entry = format!("sys/plugins/catalog/secret/image-kv?version={VERSION}");
    api.get(&entry).await.refused(404);
    assert!(server.log().contains("the server starts without it"), "{}", server.log());
    // It comes late.
    pushed(&registry).await;
    server.processes().iter().for_each(|process| process.signal(Signal::HUP));
    eventually(Duration::from_secs(60), "the plugin is registered", async || api.get(&entry).await.is_ok())
        .await;
    server.enable("late", "image-kv").await;
    api.put("late/a", json!({"v": "1"})).await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_fails_is_said_and_keeps_the_server_from_starting_unless_it_may_go_on() {
    let registry = Registry::start().await;
    // Nothing of it ever runs.
    let folder = tempfile::tempdir().unwrap();
    let program = vec![7; 8 << 10];
    fs::write(folder.path().join("kv"), &program).unwrap();
    let plugin = Plugin::at(folder.path().join("kv"));
    for (tag, layers, entry_point) in [
        (VERSION, [layer(&[("bin/kv", &program)])].as_slice(), Some("/bin/kv")),
        ("v1.0.1", &[layer(&[("../outside", b"x"), ("bin/kv", &program)])], Some("bin/kv")),
        ("v1.0.2", &[layer(&[("bin/kv", &program)])], None),
        ("v1.0.3", &[layer(&[("bin/kv", &program)]), layer(&[("bin/.wh.kv", b"")])], Some("bin/kv")),
        ("v1.0.4", &[layer(&[("zeros", &vec![0; 1 << 20])])], Some("bin/kv")),
    ] {
        registry.push(Image { repository: "plugins/kv", tag, layers, entry_point }).await;
    }
    let whole = stanza(&registry, &plugin);
    let with = |key: &'static str, value: &str| {
        let mut stanza = whole.clone();
        stanza.insert(key, format!("{value:?}"));
        stanza
    };
    let other = "ab".repeat(32);
    let cases = [
        (with("sha256sum", &other), "", "the configuration says abab"),
        (with("binary_name", "kv"), "", "the image has no file \"kv\": set binary_name"),
        (with("version", "v1.0.1"), "", "has the path \"../outside\", which leads out of the image"),
        (with("version", "v1.0.2"), "", "the image does not say what it runs (ENTRYPOINT or CMD)"),
        (with("version", "v1.0.3"), "", "the image has no file \"bin/kv\""),
        (with("version", "v9.9.9"), "", "manifest unknown"),
        (
            whole.clone(),
            "plugin_download_max_size = 4096",
            "at most 4096 are taken (plugin_download_max_size)",
        ),
        (
            with("version", "v1.0.4"),
            "plugin_download_max_size = 65536",
            "the image has more than 262144 bytes",
        ),
    ];
    for (stanza, more, said) in &cases {
        let refusal = refusal_of(&(config(&registry, &[stanza]) + more), &[]);
        assert!(refusal.contains("cannot download plugin secret-image-kv-"), "{refusal}");
        assert!(refusal.contains(said), "{said}: {refusal}");
    }
    let mut unversioned = whole.clone();
    unversioned.remove("version");
    let refusal = refusal_of(&config(&registry, &[&unversioned]), &[]);
    assert!(refusal.contains("`plugin` needs `version`: a semantic version"), "{refusal}");
    // Without a leave to go there, and with nobody there.
    let closed = config(&registry, &[&whole]).replace("127.0.0.0/8", "10.0.0.0/8");
    let refusal = refusal_of(&closed, &[]);
    assert!(refusal.contains("127.0.0.1 is at 127.0.0.1, which is not on the public internet"), "{refusal}");
    let text = config(&registry, &[&whole]);
    drop(registry);
    let refusal = refusal_of(&text, &[]);
    assert!(refusal.contains("127.0.0.1 cannot be connected to"), "{refusal}");
    let extra = text + "plugin_download_behavior = \"continue\"";
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    server.api().get("sys/plugins/catalog/secret/image-kv").await.refused(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_registry_is_told_what_docker_would_tell_it_and_has_to_be_believed() {
    let registry = Registry::private().await;
    let plugin = pushed(&registry).await;
    let extra = config(&registry, &[&stanza(&registry, &plugin)]);
    let folder = tempfile::tempdir().unwrap();
    let (home, certificate) = (folder.path(), registry.certificate());
    let stranger = refusal_of(&extra, &[("HOME", home)]);
    assert!(stranger.contains("certificate"), "{stranger}");
    let unknown = refusal_of(&extra, &[("HOME", home), ("SSL_CERT_FILE", &certificate)]);
    assert!(unknown.contains("ot authorized") || unknown.contains("authentication required"), "{unknown}");

    fs::write(home.join("config.json"), registry.docker_config()).unwrap();
    let environment = [("DOCKER_CONFIG", home), ("SSL_CERT_FILE", &certificate)];
    let environment = environment.map(|(name, path)| (name.to_owned(), path.display().to_string())).to_vec();
    // The catalog downloads, wherever it is.
    let options = Options { form: Form::Apart, extra, environment, ..Options::default() };
    let server = Server::start_with(options).await;
    server.enable("private", "image-kv").await;
    let log = server.log();
    assert!(!log.contains("canary-of-the-registry") && !log.contains("socks5h://"), "{log}");
}
