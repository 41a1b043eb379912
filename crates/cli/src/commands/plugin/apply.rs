//! A program in the place of a plugin's, and back.

use domain::PluginVersion;
use indicatif::ProgressBar;
use serde_json::{Value, json};

use super::{
    switch::{Mounted, Named},
    upload::Program,
};
use crate::{Error, client::Request, error::Result, session::Session};

pub(super) fn apply(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let path = given.place("FILE");
    let program = Program::open(path)?;
    let name = given.text("name").map_or_else(|| program.name(), Ok)?.to_owned();
    let sha256 = program.sha256.to_string();
    let wanted = given.text("version").map(parsed).transpose()?;
    let version = match wanted {
        Some(version) => version,
        None => next(&known(session, &name)?),
    };
    // A file of its own for each program, so that the one before stays, and one that was given up is in nobody's way.
    let command = format!("{name}-{version}-{}", sha256.get(..12).unwrap_or(&sha256));
    let mut candidate =
        Candidate { session, name, version: version.to_string(), sha256, command, is_known: false };
    candidate.is_known = candidate.is_registered()?;
    program.send(session, &candidate.command)?;
    let steps = spinner();
    steps.set_message("starting the candidate");
    let kind = candidate.register()?;
    let plugin = Named { kind, name: candidate.name.clone() };
    if given.on("dry-run") {
        candidate.deregister(&plugin)?;
        steps.finish_and_clear();
        return candidate.tell(&plugin, "starts", &[]);
    }
    steps.set_message("switching the mounts");
    let switched = plugin.switch(session, &candidate.version);
    steps.finish_and_clear();
    match switched {
        Ok(mounts) => {
            candidate.tell(&plugin, if mounts.is_empty() { "registered" } else { "applied" }, &mounts)
        }
        // What went wrong first is what has to be said, whatever becomes of the rest.
        Err(error) => Err(match candidate.deregister(&plugin) {
            Ok(()) => error,
            Err(again) => Error::nothing(format!("{error}\n\nThe candidate is still registered: {again}")),
        }),
    }
}

/// What may become the plugin.
struct Candidate<'s> {
    session: &'s Session<'s>,
    name: String,
    version: String,
    sha256: String,
    command: String,
    /// Whether this very program is registered already.
    is_known: bool,
}

impl Candidate<'_> {
    /// Whether it is; if another program is registered as this version, that is a mistake.
    fn is_registered(&self) -> Result<bool> {
        for kind in KINDS {
            let path = format!("sys/plugins/catalog/{kind}/{}", self.name);
            let found = self.session.find(&Request::get(path).with("version", &*self.version), || {
                "Error reading the catalog".to_owned()
            })?;
            match found.and_then(|secret| secret.data?.get("sha256").cloned()) {
                None => {}
                Some(found) if found == *self.sha256 => return Ok(true),
                Some(_) => {
                    return Err(Error::local(format!(
                        "version {} of {} is registered already, with another program",
                        self.version, self.name
                    )));
                }
            }
        }
        Ok(false)
    }

    /// Registers it, which starts it to find out its type, if that was not given; tells the type.
    fn register(&self) -> Result<String> {
        let mut body = self.session.body()?;
        let entry = [("sha256", &self.sha256), ("command", &self.command), ("version", &self.version)];
        body.extend(entry.map(|(name, value)| (name.to_owned(), Value::from(value.as_str()))));
        let doing = || format!("Error registering plugin {}", self.name);
        self.session.ask(&Request::put(format!("sys/plugins/catalog/{}", self.name), body), doing)?;
        let known = super::catalog::details(self.session)?;
        let is_it = |entry: &&Value| {
            entry["name"] == *self.name
                && entry["version"] == *self.version
                && entry["sha256"] == *self.sha256
        };
        let found = known["detailed"].as_array().into_iter().flatten().find(is_it);
        let kind = found.and_then(|entry| entry["type"].as_str()).ok_or_else(|| {
            Error::nothing(format!("{} is not in the catalog after it was registered", self.name))
        })?;
        match self.session.given.text("type").filter(|wanted| *wanted != kind) {
            None => Ok(kind.to_owned()),
            Some(wanted) => {
                self.deregister(&Named { kind: kind.to_owned(), name: self.name.clone() })?;
                Err(Error::local(format!("the program is a plugin of type {kind}, not {wanted}")))
            }
        }
    }

    /// As if it had not been; what was registered before stays.
    fn deregister(&self, plugin: &Named) -> Result<()> {
        if self.is_known {
            return Ok(());
        }
        let path = format!("sys/plugins/catalog/{}/{}", plugin.kind, plugin.name);
        let request = Request::delete(path).with("version", &*self.version);
        self.session.ask(&request, || format!("Error deregistering plugin named {}", self.name))?;
        Ok(())
    }

    fn tell(&self, plugin: &Named, done: &str, mounts: &[Mounted]) -> Result<()> {
        tell(self.session, plugin, &self.version, done, mounts, &[("sha256", &self.sha256)])
    }
}

const KINDS: [&str; 3] = ["auth", "database", "secret"];

/// Prints what was done, with the mounts that it was done to.
fn tell(
    session: &Session<'_>,
    plugin: &Named,
    version: &str,
    done: &str,
    mounts: &[Mounted],
    more: &[(&str, &str)],
) -> Result<()> {
    let paths: Vec<String> = mounts.iter().map(Mounted::whole).collect();
    let mut told = json!({ "name": plugin.name, "type": plugin.kind, "version": version, "outcome": done, "mounts": paths });
    more.iter().for_each(|(name, value)| told[*name] = json!(value));
    session.out.object(&told)
}

/// All versions of a plugin, whatever its type.
fn known(session: &Session<'_>, name: &str) -> Result<Vec<PluginVersion>> {
    let mut all = Vec::new();
    for kind in KINDS {
        all.extend(Named { kind: kind.to_owned(), name: name.to_owned() }.versions(session)?);
    }
    all.sort();
    Ok(all)
}

fn parsed(text: &str) -> Result<PluginVersion> {
    text.parse().map_err(|error| Error::local(format!("-version: {error}")))
}

/// The version after the highest.
fn next(versions: &[PluginVersion]) -> PluginVersion {
    versions.last().unwrap_or(&PluginVersion::NONE).next()
}

/// Something to look at while the server works; nothing where nobody looks.
fn spinner() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.enable_steady_tick(std::time::Duration::from_millis(120));
    bar
}

pub(super) fn rollback(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let plugin = Named { kind: given.place("TYPE").to_owned(), name: given.place("NAME").to_owned() };
    let running =
        plugin.mounts(session)?.iter().map(|mount| parsed(&mount.runs)).collect::<Result<Vec<_>>>()?;
    let now = running
        .into_iter()
        .max()
        .ok_or_else(|| Error::nothing(format!("No mount runs plugin {}", plugin.name)))?;
    let before = match given.text("version") {
        Some(version) => parsed(version)?,
        None => {
            plugin.versions(session)?.into_iter().rev().find(|version| *version < now).ok_or_else(|| {
                Error::nothing(format!(
                    "No version of plugin {} before {now} is registered: give -version",
                    plugin.name
                ))
            })?
        }
    };
    let steps = spinner();
    steps.set_message("switching the mounts");
    let switched = plugin.switch(session, &before.to_string());
    steps.finish_and_clear();
    tell(session, &plugin, &before.to_string(), "rolled back", &switched?, &[("from", &now.to_string())])
}
