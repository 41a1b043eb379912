use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use oci_client::{Reference, secrets::RegistryAuth};
use serde::Deserialize;

use super::DownloadError;

/// A file of Docker's or Podman's, as far as it says how to log in.
#[derive(Deserialize)]
struct Logins {
    #[serde(default)]
    auths: BTreeMap<String, Login>,
}

#[derive(Deserialize)]
struct Login {
    /// Name and password with a colon between them, in base64.
    #[serde(default)]
    auth: String,
}

/// How to log in where an image is: as the first file says that knows the registry. A file that is not there says nothing.
pub(super) fn of(image: &Reference, files: &[PathBuf]) -> Result<RegistryAuth, DownloadError> {
    for path in files {
        if let Some(login) = read(path)?.and_then(|logins| logins.find(image)) {
            return decoded(&login)
                .ok_or_else(|| unfit(path, "a name and a password are written NAME:PASSWORD in base64"));
        }
    }
    Ok(RegistryAuth::Anonymous)
}

fn read(path: &Path) -> Result<Option<Logins>, DownloadError> {
    match fs::read(path) {
        // Its text is full of passwords: only the place of a mistake is said.
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            unfit(path, &format!("line {}, column {} is not what is expected", error.line(), error.column()))
        }),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(unfit(path, &error.to_string())),
    }
}

fn unfit(path: &Path, why: &str) -> DownloadError {
    DownloadError::Credentials { path: path.display().to_string(), why: why.to_owned() }
}

impl Logins {
    /// The closest one: Podman's may be for a part of a registry.
    fn find(self, image: &Reference) -> Option<Login> {
        let wanted = format!("{}/{}", image.resolve_registry(), image.repository());
        let fits = |key: &str| {
            wanted.strip_prefix(bare(key)).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let fitting = self.auths.into_iter().filter(|(key, _)| fits(key));
        fitting
            .max_by_key(|(key, _)| bare(key).len())
            .map(|(_, login)| login)
            .filter(|login| !login.auth.is_empty())
    }
}

/// Docker writes addresses: `https://index.docker.io/v1/`.
fn bare(key: &str) -> &str {
    let key = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://")).unwrap_or(key);
    let key = key.trim_end_matches('/');
    key.strip_suffix("/v1").or_else(|| key.strip_suffix("/v2")).unwrap_or(key)
}

fn decoded(login: &Login) -> Option<RegistryAuth> {
    let text = String::from_utf8(STANDARD.decode(&login.auth).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    Some(RegistryAuth::Basic(name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(image: &str, files: &[(&str, &str)]) -> Result<RegistryAuth, String> {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = vec![folder.path().join("absent.json")];
        for (name, text) in files {
            paths.push(folder.path().join(name));
            fs::write(folder.path().join(name), text).unwrap();
        }
        super::of(&image.parse().unwrap(), &paths).map_err(|error| error.to_string())
    }

    fn basic(name: &str, password: &str) -> Result<RegistryAuth, String> {
        Ok(RegistryAuth::Basic(name.to_owned(), password.to_owned()))
    }

    #[test]
    fn the_first_file_that_knows_the_registry_says_how_to_log_in() {
        let docker = r#"{"auths": {"r.example": {"auth": "YTpiOmM="}, "https://index.docker.io/v1/": {"auth": "ZDpl"}},
            "credsStore": "x"}"#;
        let podman = r#"{"auths": {"r.example/org": {"auth": "Zjpn"}, "q.example": {"auth": "aDpp"},
            "q.example/org": {"auth": "ajpr"}}}"#;
        let files = [("docker.json", docker), ("podman.json", podman)];
        assert_eq!(of("r.example/org/kv:v1", &files), basic("a", "b:c"));
        assert_eq!(of("kv:v1", &files), basic("d", "e"));
        assert_eq!(of("q.example/org/kv:v1", &files), basic("j", "k"));
        assert_eq!(of("q.example/organ/kv:v1", &files), basic("h", "i"));
        assert_eq!(of("r.example.com/kv:v1", &files), Ok(RegistryAuth::Anonymous));
        assert_eq!(of("kv:v1", &[]), Ok(RegistryAuth::Anonymous));
    }

    #[test]
    fn a_file_that_says_nothing_of_use_is_named_and_not_shown() {
        for text in [r#"{"auths": "canary"}"#, r#"{"auths": {"r.example": {"auth": "canary!"}}}"#, "canary"] {
            let refused = of("r.example/kv:v1", &[("docker.json", text)]).unwrap_err();
            assert!(refused.contains("docker.json does not say how to log in"), "{refused}");
            assert!(!refused.contains("canary"), "{refused}");
        }
    }
}
