//! The plugin catalog through the generated clients.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::PathBuf,
};

use bytes::Bytes;
use catalog::{BuiltinInfo, Catalog, Config};
use common::{opened, put, refusal};
use domain::{Kind, PluginType};
use tempfile::TempDir;
use tokio_stream::StreamExt;
use tonic::Status;
use wire::catalog::v1::{
    CommitRequest, FetchRequest, ListPluginsRequest, Plugin, PluginRequest, RegisterRequest, SealRequest,
};

const BUILTIN: &str = "v0.25.0+builtin";

struct Place {
    outer: TempDir,
    catalog: Catalog,
}

impl Place {
    async fn new() -> Self {
        let outer = tempfile::tempdir().unwrap();
        let directory = outer.path().join("plugins");
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let builtins = vec![BuiltinInfo {
            plugin_type: PluginType::Secret,
            name: "kv".parse().unwrap(),
            version: BUILTIN.parse().unwrap(),
        }];
        let config = Config { plugin_directory: Some(directory), builtins, ..Config::default() };
        let place = Self { outer, catalog: opened(config).await };
        place.write("kv", b"a program");
        place
    }

    fn path(&self, file: &str) -> PathBuf {
        self.outer.path().join("plugins").join(file)
    }

    fn write(&self, file: &str, content: &[u8]) {
        fs::write(self.path(file), content).unwrap();
        fs::set_permissions(self.path(file), fs::Permissions::from_mode(0o755)).unwrap();
    }

    async fn register(&self, plugin: Plugin) -> Result<Plugin, Status> {
        let request = RegisterRequest { plugin: Some(plugin) };
        Ok(self.catalog.plugins_client().register(request).await?.into_inner().plugin.unwrap())
    }

    async fn get(&self, name: &str, version: &str) -> Result<Plugin, Status> {
        Ok(self.catalog.plugins_client().get(named(name, version)).await?.into_inner())
    }

    async fn resolve(&self, name: &str, version: &str) -> Result<Plugin, Status> {
        Ok(self.catalog.plugins_client().resolve(named(name, version)).await?.into_inner())
    }

    /// What a new mount runs.
    async fn enable(&self, name: &str) -> Plugin {
        let request = PluginRequest { mounted: true, highest: true, ..named(name, "") };
        self.catalog.plugins_client().resolve(request).await.unwrap().into_inner()
    }

    async fn deregister(&self, name: &str, version: &str) -> Result<(), Status> {
        self.catalog.plugins_client().deregister(named(name, version)).await.map(drop)
    }

    async fn list(&self, word: &str) -> Vec<(String, String, bool)> {
        let request = ListPluginsRequest { r#type: word.to_owned() };
        let listed = self.catalog.plugins_client().list(request).await.unwrap().into_inner().plugins;
        listed.into_iter().map(|plugin| (plugin.name, plugin.version, plugin.builtin)).collect()
    }

    async fn fetch(&self, name: &str) -> Result<Vec<u8>, Status> {
        self.fetch_part(FetchRequest { name: name.to_owned(), ..FetchRequest::default() }).await
    }

    async fn fetch_part(&self, request: FetchRequest) -> Result<Vec<u8>, Status> {
        let request = FetchRequest { r#type: "secret".to_owned(), ..request };
        let mut stream = self.catalog.plugins_client().fetch(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = stream.next().await.transpose()? {
            assert!(chunk.data.len() <= 1 << 20);
            bytes.extend(chunk.data);
        }
        Ok(bytes)
    }
}

fn named(name: &str, version: &str) -> PluginRequest {
    PluginRequest {
        name: name.to_owned(),
        r#type: "secret".to_owned(),
        version: version.to_owned(),
        mounted: false,
        highest: false,
    }
}

fn sha256(content: &[u8]) -> Bytes {
    Bytes::copy_from_slice(ring::digest::digest(&ring::digest::SHA256, content).as_ref())
}

fn plugin(name: &str, version: &str) -> Plugin {
    Plugin {
        name: name.to_owned(),
        r#type: "secret".to_owned(),
        version: version.to_owned(),
        sha256: sha256(b"a program"),
        command: "kv".to_owned(),
        ..Plugin::default()
    }
}

#[tokio::test]
async fn c5_what_was_registered_is_what_is_read() {
    let place = Place::new().await;
    let given =
        Plugin { args: vec!["--a".to_owned()], env: vec!["B=c".to_owned()], ..plugin("my-kv", "1.0") };
    let stored = Plugin { version: "v1.0.0".to_owned(), ..given.clone() };
    assert_eq!(place.register(given).await.unwrap(), stored);
    assert_eq!(place.get("my-kv", "v1.0.0").await.unwrap(), stored);
    assert_eq!(place.get("my-kv", "1.0.0").await.unwrap(), stored);
    let (kind, sentence) = refusal(place.get("my-kv", "").await);
    assert_eq!((kind, sentence.as_str()), (Kind::NotFound, ""), "only versioned entries");
    let (kind, sentence) = refusal(place.get("my-kv", "abc").await);
    assert_eq!(
        (kind, sentence.as_str()),
        (Kind::Invalid, "version \"abc\" is not a valid semantic version: Malformed version: abc")
    );
    place.deregister("my-kv", "v1.0.0").await.unwrap();
    place.deregister("my-kv", "v1.0.0").await.unwrap();
    assert_eq!(refusal(place.get("my-kv", "v1.0.0").await).0, Kind::NotFound);
    let (kind, sentence) = refusal(place.deregister("kv", BUILTIN).await);
    assert_eq!((kind, sentence.as_str()), (Kind::Invalid, "version \"v0.25.0+builtin\" cannot be deleted"));
}

#[tokio::test]
async fn what_is_refused_leaves_nothing() {
    let place = Place::new().await;
    symlink("/bin/ls", place.path("linkout")).unwrap();
    fs::write(place.path("noexec"), "x").unwrap();
    fs::set_permissions(place.path("noexec"), fs::Permissions::from_mode(0o644)).unwrap();
    let command = |command: &str| Plugin { command: command.to_owned(), ..plugin("bad", "") };
    let directory = place.path("");
    let directory = directory.to_str().unwrap().trim_end_matches('/');
    let cases = [
        (command("../kv"), "path cannot contain parent references".to_owned()),
        (
            command("missing"),
            format!(
                "error while validating the command path: lstat {directory}/missing: no such file or directory"
            ),
        ),
        (
            command("linkout"),
            format!(
                "cannot execute files outside of configured plugin directory {directory}: expected {directory}, got "
            ),
        ),
        (
            command("/bin/ls"),
            "the command is the name of a file in the plugin directory, not an absolute path".to_owned(),
        ),
        (command("noexec"), "\"noexec\" in the plugin directory is not executable".to_owned()),
        (
            Plugin { sha256: sha256(b"another"), ..plugin("bad", "") },
            "\"kv\" in the plugin directory has SHA256 ".to_owned(),
        ),
        (plugin("bad", "v1.0.0+builtin"), "version \"v1.0.0+builtin\" is not allowed because".to_owned()),
        (
            Plugin { r#type: "unknown".to_owned(), ..plugin("bad", "") },
            "\"unknown\" is not a supported plugin type".to_owned(),
        ),
    ];
    let before = place.list("").await;
    for (plugin, begins) in cases {
        let (kind, sentence) = refusal(place.register(plugin).await);
        assert_eq!(kind, Kind::Invalid, "{sentence}");
        assert!(sentence.starts_with(&begins), "{sentence}");
    }
    assert_eq!(place.list("").await, before);
}

#[tokio::test]
async fn c3_the_file_is_looked_at_again_whenever_it_is_fetched() {
    let place = Place::new().await;
    place.register(plugin("mine", "")).await.unwrap();
    let outside = place.outer.path().join("outside");
    fs::write(&outside, b"a program").unwrap();
    fs::set_permissions(&outside, fs::Permissions::from_mode(0o755)).unwrap();
    let (kept, file) = (place.path("kept"), place.path("kv"));
    fs::rename(&file, &kept).unwrap();
    // The right bytes at the wrong place are no plugin either.
    symlink(&outside, &file).unwrap();
    let (_, sentence) = refusal(place.fetch("mine").await);
    assert!(sentence.contains("outside of configured plugin directory"), "{sentence}");
    fs::remove_file(&file).unwrap();
    let folder = place.path("folder");
    fs::create_dir(&folder).unwrap();
    symlink(&folder, &file).unwrap();
    let (_, sentence) = refusal(place.fetch("mine").await);
    assert!(sentence.contains("is a directory, not a file"), "{sentence}");
    fs::remove_file(&file).unwrap();
    symlink("kept", &file).unwrap();
    assert_eq!(place.fetch("mine").await.unwrap(), b"a program", "a link to a file of the directory will do");

    let elsewhere = place.outer.path().join("elsewhere");
    fs::rename(place.path(""), &elsewhere).unwrap();
    symlink(&elsewhere, place.outer.path().join("plugins")).unwrap();
    let (_, sentence) = refusal(place.fetch("mine").await);
    assert!(sentence.contains("outside of configured plugin directory"), "{sentence}");
}

#[tokio::test]
async fn c4_what_others_may_write_is_not_fetched_either() {
    let place = Place::new().await;
    place.register(plugin("mine", "")).await.unwrap();
    for (path, mode, sound) in [(place.path("kv"), 0o757, 0o755), (place.path(""), 0o775, 0o755)] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let (kind, sentence) = refusal(place.fetch("mine").await);
        assert_eq!(kind, Kind::Invalid, "{sentence}");
        assert_eq!(refusal(place.register(plugin("more", "")).await).0, Kind::Invalid);
        fs::set_permissions(&path, fs::Permissions::from_mode(sound)).unwrap();
        place.fetch("mine").await.unwrap();
    }
}

#[tokio::test]
async fn c5_no_other_checksum_will_do_not_even_one_that_differs_in_a_bit() {
    let place = Place::new().await;
    let right = sha256(b"a program");
    let cut = right.slice(..31);
    let longer = Bytes::from([&right[..], &[0]].concat());
    let wrong = (0..256).map(|bit| {
        let mut bytes = right.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        Bytes::from(bytes)
    });
    for sha256 in wrong.chain([Bytes::new(), cut, longer]) {
        let refused = place.register(Plugin { sha256, ..plugin("mine", "") }).await;
        assert_eq!(refusal(refused).0, Kind::Invalid);
    }
    assert_eq!(refusal(place.get("mine", "").await).0, Kind::NotFound);
    place.register(plugin("mine", "")).await.unwrap();
    assert_eq!(place.get("mine", "").await.unwrap().sha256, right);
}

#[tokio::test]
async fn without_a_sound_directory_nothing_is_registered() {
    let none = opened(Config::default()).await;
    let request = RegisterRequest { plugin: Some(plugin("kv", "")) };
    let refused = refusal(none.plugins_client().register(request.clone()).await);
    assert_eq!(
        refused,
        (Kind::Invalid, "could not set plugin, plugin directory is not configured".to_owned())
    );

    let place = Place::new().await;
    let link = place.outer.path().join("link");
    symlink(place.path(""), &link).unwrap();
    let linked = opened(Config { plugin_directory: Some(link.clone()), ..Config::default() }).await;
    let (kind, sentence) = refusal(linked.plugins_client().register(request).await);
    assert_eq!(kind, Kind::Invalid);
    let link = link.display();
    let begins =
        format!("cannot execute files outside of configured plugin directory {link}: expected {link}, got ");
    assert!(sentence.starts_with(&begins), "{sentence}");
}

#[tokio::test]
async fn the_entry_that_runs_is_chosen_in_order() {
    let place = Place::new().await;
    assert!(place.enable("kv").await.builtin);
    for version in ["v1.0.0", "v1.10.0", "v1.9.0"] {
        place.register(plugin("kv", version)).await.unwrap();
    }
    assert_eq!(place.enable("kv").await.version, "v1.10.0");
    assert!(place.resolve("kv", "").await.unwrap().builtin, "a mount that is there stays what it is");
    place.register(plugin("kv", "")).await.unwrap();
    let unversioned = place.resolve("kv", "").await.unwrap();
    assert_eq!((unversioned.version.as_str(), unversioned.builtin), ("", false));
    assert_eq!(place.resolve("kv", "1.9").await.unwrap().version, "v1.9.0");
    assert!(place.resolve("kv", BUILTIN).await.unwrap().builtin);
    assert_eq!(refusal(place.get("kv", BUILTIN).await).0, Kind::NotFound, "it is overridden");
    let missing = refusal(place.resolve("kv", "v3.0.0").await);
    assert_eq!(missing, (Kind::Invalid, "plugin not found in the catalog: kv, version=v3.0.0".to_owned()));
    let missing = refusal(place.resolve("none", "").await);
    assert_eq!(missing, (Kind::Invalid, "plugin not found in the catalog: none".to_owned()));
}

#[tokio::test]
async fn the_list_is_sorted_and_hides_what_is_overridden() {
    let place = Place::new().await;
    let entry = |name: &str, version: &str, builtin| (name.to_owned(), version.to_owned(), builtin);
    place.register(plugin("team/kv", "")).await.unwrap();
    place.register(plugin("mock", "v1.0.0")).await.unwrap();
    place.register(plugin("mock", "")).await.unwrap();
    place.register(Plugin { r#type: "auth".to_owned(), ..plugin("jwt", "") }).await.unwrap();
    let secrets = [
        entry("kv", BUILTIN, true),
        entry("mock", "", false),
        entry("mock", "v1.0.0", false),
        entry("team/kv", "", false),
    ];
    assert_eq!(place.list("secret").await, secrets);
    assert_eq!(place.list("").await, [&[entry("jwt", "", false)], &secrets[..]].concat());
    place.register(plugin("kv", "")).await.unwrap();
    assert_eq!(place.list("secret").await[0], entry("kv", "", false));
}

#[tokio::test]
async fn c1_a_damaged_record_stops_nothing_and_can_be_replaced_or_deleted() {
    let place = Place::new().await;
    for name in ["one", "two"] {
        place.register(plugin(name, "")).await.unwrap();
        let writes = vec![put(&format!("core/plugin-catalog/secret/{name}/unversioned"), "{\"name\": 5}")];
        place.catalog.storage_client().commit(CommitRequest { writes }).await.unwrap();
    }
    let request = ListPluginsRequest { r#type: "secret".to_owned() };
    let listed = place.catalog.plugins_client().list(request).await.unwrap().into_inner().plugins;
    let damaged: Vec<_> = listed.iter().filter(|plugin| plugin.damaged).map(|plugin| &plugin.name).collect();
    assert_eq!(damaged, ["one", "two"]);
    let (kind, sentence) = refusal(place.resolve("one", "").await);
    assert_eq!(kind, Kind::Internal);
    assert_eq!(
        sentence,
        "the catalog's record of secret plugin one is damaged: register the plugin again, or deregister it"
    );
    place.register(plugin("one", "")).await.unwrap();
    place.resolve("one", "").await.unwrap();
    place.deregister("two", "").await.unwrap();
    assert_eq!(refusal(place.resolve("two", "").await).0, Kind::Invalid);
}

#[tokio::test]
async fn the_file_is_fetched_whole_and_what_is_wrong_with_it_is_said() {
    let place = Place::new().await;
    let content: Vec<u8> = (0..3_000_000u32).map(|i| (i % 251) as u8).collect();
    place.write("large", &content);
    let large = Plugin { command: "large".to_owned(), sha256: sha256(&content), ..plugin("large", "") };
    place.register(large).await.unwrap();
    assert!(place.fetch("large").await.unwrap() == content);

    place.write("large", b"changed");
    assert_eq!(place.fetch("large").await.unwrap(), b"changed", "the reader compares the checksum");
    fs::set_permissions(place.path("large"), fs::Permissions::from_mode(0o600)).unwrap();
    let (_, sentence) = refusal(place.fetch("large").await);
    assert!(
        sentence.starts_with("plugin large cannot run: \"large\" in the plugin directory is not exec"),
        "{sentence}"
    );
    fs::remove_file(place.path("large")).unwrap();
    let (kind, sentence) = refusal(place.fetch("large").await);
    assert_eq!(kind, Kind::Invalid);
    assert!(
        sentence.starts_with("plugin large cannot run: error while validating the command path"),
        "{sentence}"
    );
    fs::create_dir(place.path("large")).unwrap();
    let (_, sentence) = refusal(place.fetch("large").await);
    assert_eq!(
        sentence,
        "plugin large cannot run: \"large\" in the plugin directory is a directory, not a file"
    );
    let (kind, _) = refusal(place.fetch("kv").await);
    assert_eq!(kind, Kind::Invalid, "built-in plugins have no file");
}

#[tokio::test]
async fn sealed_the_catalog_says_nothing() {
    let place = Place::new().await;
    place.catalog.barrier_client().seal(SealRequest {}).await.unwrap();
    let sealed = (Kind::Sealed, "Vault is sealed".to_owned());
    assert_eq!(refusal(place.register(plugin("a", "")).await), sealed);
    assert_eq!(refusal(place.get("kv", "").await), sealed);
    assert_eq!(refusal(place.resolve("kv", "").await), sealed);
    assert_eq!(refusal(place.deregister("kv", "").await), sealed);
    assert_eq!(refusal(place.fetch("kv").await), sealed);
}

#[tokio::test]
async fn a_pin_goes_before_what_a_mount_asks_for_and_holds_its_entry() {
    let place = Place::new().await;
    for version in ["", "1.0.0", "1.1.0"] {
        place.register(plugin("mine", version)).await.unwrap();
    }
    let plugins = place.catalog.plugins_client();
    let runs = async |version: &str| {
        let asked = PluginRequest { mounted: true, ..named("mine", version) };
        plugins.resolve(asked).await.unwrap().into_inner().version
    };
    assert_eq!(runs("").await, "");
    plugins.pin(named("mine", "1.0.0")).await.unwrap();
    for asked in ["", "1.1.0", "9.9.9"] {
        assert_eq!(runs(asked).await, "v1.0.0", "{asked}");
    }
    assert_eq!(place.resolve("mine", "1.1.0").await.unwrap().version, "v1.1.0", "not for a mount");
    let (kind, sentence) = refusal(place.deregister("mine", "1.0.0").await);
    assert_eq!((kind, sentence.as_str()), (Kind::Invalid, "cannot delete a pinned version"));
    place.deregister("mine", "1.1.0").await.unwrap();
    plugins.unpin(named("mine", "")).await.unwrap();
    plugins.unpin(named("mine", "")).await.unwrap();
    assert_eq!(runs("").await, "");
    place.deregister("mine", "1.0.0").await.unwrap();
}

#[tokio::test]
async fn only_a_registered_version_can_be_pinned() {
    let place = Place::new().await;
    place.register(plugin("mine", "")).await.unwrap();
    for (name, version, expected) in [
        ("mine", "", "missing plugin version"),
        ("kv", BUILTIN, "cannot pin a builtin plugin: \"v0.25.0+builtin\""),
        (
            "mine",
            "5.0.0",
            "plugin not found in the catalog; secret plugin \"mine\" version v5.0.0 does not exist",
        ),
    ] {
        let (kind, sentence) = refusal(place.catalog.plugins_client().pin(named(name, version)).await);
        assert_eq!((kind, sentence.as_str()), (Kind::Invalid, expected));
    }
}

#[tokio::test]
async fn a_program_is_fetched_from_where_an_earlier_stream_was_cut_off() {
    let place = Place::new().await;
    place.register(plugin("my-kv", "")).await.unwrap();
    let part = async |offset: u64, content: &[u8]| {
        let request =
            FetchRequest { name: "my-kv".to_owned(), sha256: sha256(content), offset, ..Default::default() };
        place.fetch_part(request).await
    };
    assert_eq!(part(2, b"a program").await.unwrap(), b"program");
    assert_eq!(part(9, b"a program").await.unwrap(), b"");
    let (kind, said) = refusal(part(2, b"another one").await);
    assert!(kind == Kind::Invalid && said.contains("registered anew"), "{said}");
}

#[tokio::test]
async fn an_unpacked_release_is_registered_by_its_version() {
    let place = Place::new().await;
    let released = || Plugin { sha256: Bytes::new(), command: String::new(), ..plugin("my-kv", "1.0") };
    let (_, said) = refusal(place.register(released()).await);
    let folder = said.rsplit('/').next().unwrap().to_owned();
    assert!(said.contains("extracted artifact directory not found: /"), "{said}");
    assert!(folder.starts_with("my-kv_1.0.0_linux_"), "{said}");
    for folder in [folder.clone(), folder.replace("_1.0.0_", "_v1.0.0_")] {
        let path = place.path(&folder);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        place.write(&format!("{folder}/my-kv"), b"a release");
        let stored = place.register(released()).await.unwrap();
        assert_eq!((stored.sha256, stored.release.as_str()), (sha256(b"a release"), folder.as_str()));
        let request =
            FetchRequest { name: "my-kv".to_owned(), version: "1.0".to_owned(), ..Default::default() };
        assert_eq!(place.fetch_part(request).await.unwrap(), b"a release");
        // What it was is pinned by its checksum.
        place.write(&format!("{folder}/my-kv"), b"something else");
        assert!(place.catalog.plugins_client().inspect(named("my-kv", "1.0")).await.is_err());
        fs::remove_dir_all(&path).unwrap();
    }
}
