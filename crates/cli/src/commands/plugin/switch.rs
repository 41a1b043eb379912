//! Which mounts run a plugin, and how they come to run another version of it.

use domain::PluginVersion;
use serde_json::{Value, json};

use crate::{Error, client::Request, error::Result, session::Session};

/// A plugin by its type and name.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub kind: String,
    pub name: String,
}

/// A mount of it.
#[derive(Clone, Debug)]
pub(super) struct Mounted {
    /// Where mounts of its type are listed: `sys/mounts`, `sys/auth`.
    table: &'static str,
    pub path: String,
    /// Which version is wanted there; nothing if the server chooses.
    pub wanted: String,
    /// Which version runs there.
    pub runs: String,
}

impl Mounted {
    /// Its path among all mounts.
    pub(super) fn whole(&self) -> String {
        if self.table == "sys/auth" { format!("auth/{}", self.path) } else { self.path.clone() }
    }
}

impl Named {
    /// The mounts that run it.
    pub(super) fn mounts(&self, session: &Session<'_>) -> Result<Vec<Mounted>> {
        let table = match &*self.kind {
            "auth" => "sys/auth",
            "secret" => "sys/mounts",
            _ => return Ok(Vec::new()),
        };
        let data = session.ask(&Request::get(table), || "Error listing mounts".to_owned())?.data()?;
        let of = data.as_object().into_iter().flatten().filter(|(_, mount)| mount["type"] == *self.name);
        let text = |mount: &Value, name: &str| mount[name].as_str().unwrap_or_default().to_owned();
        let mounted = of.map(|(path, mount)| Mounted {
            table,
            path: path.clone(),
            wanted: text(mount, "plugin_version"),
            runs: text(mount, "running_plugin_version"),
        });
        Ok(mounted.collect())
    }

    /// The versions of it that are registered, the lowest first.
    pub(super) fn versions(&self, session: &Session<'_>) -> Result<Vec<PluginVersion>> {
        let known = super::catalog::details(session)?;
        let of = known["detailed"].as_array().into_iter().flatten().filter(|entry| {
            entry["name"] == *self.name && entry["type"] == *self.kind && entry["builtin"] != true
        });
        let mut versions: Vec<PluginVersion> =
            of.filter_map(|entry| entry["version"].as_str()?.parse().ok()).collect();
        versions.sort();
        Ok(versions)
    }

    /// The version that all mounts are bound to, if they are.
    pub(super) fn pinned(&self, session: &Session<'_>) -> Result<Option<String>> {
        let request = Request::get(format!("sys/plugins/pins/{}/{}", self.kind, self.name));
        match session.client()?.ask(&request) {
            Ok(answer) => Ok(answer.data()?["version"].as_str().map(str::to_owned)),
            Err(failure) if failure.status().is_some_and(|status| status < 500) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    /// Has all mounts run a version, and makes sure that they do. If they do not, they are put back.
    pub(super) fn switch(&self, session: &Session<'_>, version: &str) -> Result<Vec<Mounted>> {
        let (mounts, pinned) = (self.mounts(session)?, self.pinned(session)?);
        let done = self.point(session, &mounts, pinned.is_some(), |_| version.to_owned());
        let done = done.and_then(|()| self.verified(session, version));
        done.map_err(|error| {
            let before = |mount: &Mounted| pinned.clone().unwrap_or_else(|| mount.wanted.clone());
            match self.point(session, &mounts, pinned.is_some(), before) {
                Ok(()) => Error::nothing(format!("{error}\n\nThe mounts run again what they ran before.")),
                Err(again) => Error::nothing(format!("{error}\n\nThe mounts could not be put back: {again}")),
            }
        })
    }

    /// Says which version mounts are to run, and starts them anew; the old process serves until the new one does.
    fn point(
        &self,
        session: &Session<'_>,
        mounts: &[Mounted],
        is_pinned: bool,
        version: impl Fn(&Mounted) -> String,
    ) -> Result<()> {
        let doing = || format!("Error switching plugin {}", self.name);
        if let (true, Some(mount)) = (is_pinned, mounts.first()) {
            let request = Request::put(
                format!("sys/plugins/pins/{}/{}", self.kind, self.name),
                json!({ "version": version(mount) }),
            );
            session.ask(&request, doing)?;
        }
        for mount in mounts.iter().filter(|_| !is_pinned) {
            let request = Request::post(
                format!("{}/{}tune", mount.table, mount.path),
                json!({ "plugin_version": version(mount) }),
            );
            session.ask(&request, doing)?;
        }
        if mounts.is_empty() {
            return Ok(());
        }
        let paths: Vec<String> = mounts.iter().map(Mounted::whole).collect();
        session.ask(&Request::put("sys/plugins/reload/backend", json!({ "mounts": paths })), doing)?;
        Ok(())
    }

    fn verified(&self, session: &Session<'_>, version: &str) -> Result<Vec<Mounted>> {
        let mounts = self.mounts(session)?;
        match mounts.iter().find(|mount| mount.runs != version) {
            None => Ok(mounts),
            Some(mount) => {
                Err(Error::nothing(format!("{} runs version {:?}, not {version}", mount.whole(), mount.runs)))
            }
        }
    }
}
