use serde_json::Value;

use crate::{
    Error,
    client::Request,
    error::{Doing, Result},
    session::{Session, trimmed},
};

/// A secret: the engine that it is in, and where it is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// With a slash at the end.
    pub mount: String,
    /// Whether the engine keeps versions.
    pub is_versioned: bool,
    /// Below the mount.
    pub below: String,
}

impl Place {
    /// The one that a command is about.
    pub(super) fn of(session: &Session<'_>) -> Result<Self> {
        let path = session.given.place("PATH").trim().trim_start_matches('/');
        let mount = session.given.text("mount").map(trimmed);
        let asked = mount.as_deref().unwrap_or(path);
        let request = Request::get(format!("sys/internal/ui/mounts/{asked}")).beforehand();
        let answer = match session.client()?.ask(&request) {
            // A server that does not know this knows no versions either.
            Err(failure) if failure.status() == Some(404) => Value::Null,
            answer => answer.doing(|| format!("Error finding the engine of {asked}"))?.data()?,
        };
        Ok(Self::told(&answer, mount.as_deref(), path))
    }

    /// The one whose engine keeps versions, or else a refusal.
    pub(super) fn versioned(session: &Session<'_>, what: &str) -> Result<Self> {
        let place = Self::of(session)?;
        if place.is_versioned {
            return Ok(place);
        }
        Err(Error::local(format!("{what} not supported on KV Version 1")))
    }

    fn told(answer: &Value, given: Option<&str>, path: &str) -> Self {
        let told = answer["path"].as_str().unwrap_or_default();
        let is_versioned = answer["options"]["version"] == "2";
        match given {
            Some(mount) => {
                let mount = if told.is_empty() { format!("{mount}/") } else { told.to_owned() };
                Self { mount, is_versioned, below: path.to_owned() }
            }
            None => {
                let (mount, below) = split(told, path);
                Self { mount: mount.to_owned(), is_versioned, below: below.to_owned() }
            }
        }
    }

    /// Where the API has it: `data`, `metadata` and so on are in between when there are versions.
    pub(super) fn api(&self, part: &str) -> String {
        let Self { mount, below, .. } = self;
        let below = below.trim_matches('/');
        if self.is_versioned {
            trimmed(&format!("{mount}{part}/{below}"))
        } else {
            trimmed(&format!("{mount}{below}"))
        }
    }
}

/// Splits a path at its mount. The mount may begin with namespaces that the path, which is in one, does not have.
fn split<'m, 'p>(mount: &'m str, path: &'p str) -> (&'m str, &'p str) {
    let beginnings = [0].into_iter().chain(mount.match_indices('/').map(|(at, _)| at + 1));
    for mount in beginnings.map(|at| &mount[at..]).filter(|mount| !mount.is_empty()) {
        if path.trim_end_matches('/') == mount.trim_end_matches('/') {
            return (mount, "");
        }
        if let Some(below) = path.strip_prefix(mount) {
            return (mount, below);
        }
    }
    ("", path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn the_engine_says_where_a_secret_is() {
        let versioned = json!({"path": "secret/", "options": {"version": "2"}});
        let plain = json!({"path": "secret/", "options": null});
        for (answer, given, path, is_at) in [
            (&versioned, None, "secret/a/b", "secret/data/a/b"),
            (&versioned, None, "secret", "secret/data"),
            (&versioned, Some("secret"), "a", "secret/data/a"),
            (&versioned, Some("secret"), "secret/a", "secret/data/secret/a"),
            (&plain, None, "secret/a", "secret/a"),
            (&plain, Some("secret"), "a", "secret/a"),
            (&Value::Null, None, "secret/a", "secret/a"),
            (&Value::Null, Some("secret"), "a", "secret/a"),
        ] {
            assert_eq!(Place::told(answer, given, path).api("data"), is_at);
        }
        let elsewhere = json!({"path": "team/secret/", "options": {"version": "2"}});
        assert_eq!(Place::told(&elsewhere, None, "secret/a").api("data"), "secret/data/a");
    }

    proptest! {
        #[test]
        fn nothing_of_a_path_is_lost(mount in "([a-z]{1,3}/){1,3}", below in "([a-z][a-z/]{0,8})?") {
            let path = format!("{mount}{below}");
            prop_assert_eq!(split(&mount, &path), (&*mount, &*below));
        }
    }
}
