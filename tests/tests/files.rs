//! What a server leaves in its folders is for its owner only, however carelessly it was started.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use testkit::{Options, Server, go_plugin};

/// Everything below a folder that others may do something with, and how.
fn open_to_others(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        // What a plugin makes in the folder that it was given is the plugin's own, and the folder is closed.
        let Ok(metadata) = entry.metadata() else { continue };
        let mode = metadata.permissions().mode() & 0o7777;
        if (metadata.is_file() || metadata.is_dir()) && mode & 0o077 != 0 {
            found.push((entry.path(), format!("{mode:o}")));
        }
        if metadata.is_dir() {
            found.extend(open_to_others(&entry.path()));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn c7_no_file_of_a_server_is_open_to_others_whatever_its_umask() {
    for umask in ["000", "022", "077"] {
        let server = Server::start_with(Options { umask: Some(umask), ..Options::default() }).await;
        let (data, api) = (server.data_directory(), server.api());
        server.mount("my-kv", &go_plugin("kv")).await;
        api.post("my-kv/a", json!({"v": "1"})).await.ok();
        let device = |path: &Path| json!({"type": "file", "options": {"file_path": path}});
        for path in [data.join("audit.log"), data.join("deep/down/audit.log")] {
            let name = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
            api.put(&format!("sys/audit/{name}"), device(&path)).await;
        }
        api.get("my-kv/a").await.ok();
        assert!(fs::read_dir(&data).unwrap().count() >= 2);
        assert!(!server.temporary_files().is_empty());
        let folder = data.parent().unwrap();
        for made in [data.clone(), folder.join("tmp")] {
            assert_eq!(open_to_others(&made), [], "with the umask {umask}");
        }
    }
}
