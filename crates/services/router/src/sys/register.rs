use bytes::Bytes;
use domain::{InvalidName, Kind, PluginName, PluginType, PluginVersion, Sha256};
use wire::{
    catalog::v1::{Plugin, PluginRequest, RegisterRequest},
    launcher::v1::ProbeRequest,
};

use super::{Unfit, plugins::named};
use crate::{Error, answer::Answer, ask::Ask, error::Result, fields::Fields, plugins::version_of};

/// Registers an external plugin. The catalog decides whether it may be; then it is started once, to learn its version.
pub(super) async fn register(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let (plugin_type, name) = match named(ask.capture("name")) {
        (Some(plugin_type), name) => (Some(plugin_type), name),
        // What stands before the slash was meant as a type.
        (None, name) if name.contains('/') => return Err(unknown_type(name).into()),
        (None, name) => (type_in_body(&fields, name)?, name),
    };
    let plugin = match plugin_type {
        Some(plugin_type) => entry(&fields, plugin_type, name)?,
        None => detect(&ask, entry(&fields, PluginType::Secret, name)?).await?,
    };
    let before = existing(&ask, &plugin).await?;
    let stored = store(&ask, plugin).await?;
    match check_version(&ask, &stored).await {
        Ok(()) => Ok(Answer::Nothing),
        Err(error) => {
            undo(&ask, &stored, before).await;
            Err(error)
        }
    }
}

fn unknown_type(name: &str) -> Unfit {
    let word = name.split('/').next().unwrap_or_default();
    Unfit::Name(InvalidName::Type(word.to_owned()))
}

/// Older clients do not say the type in the path, and maybe nowhere.
fn type_in_body(fields: &Fields, name: &str) -> Result<Option<PluginType>> {
    let word = fields.text("type")?.unwrap_or_default();
    if matches!(word.as_str(), "" | "unknown") {
        return Ok(None);
    }
    word.parse().map(Some).map_err(|_| Unfit::UntypedPlugin(name.to_owned()).into())
}

/// Finds out which type a plugin has: it is registered for as long as it takes to start it and to ask.
async fn detect(ask: &Ask, plugin: Plugin) -> Result<Plugin> {
    let before = existing(ask, &plugin).await?;
    let stored = store(ask, plugin).await?;
    let reply = ask.core.clients.launcher.probe(probe_of(&stored)).await;
    undo(ask, &stored, before).await;
    match reply.map_err(Error::from) {
        Ok(reply) => Ok(Plugin { r#type: reply.into_inner().r#type, ..stored }),
        // The operator's to put right: the program, or the request.
        Err(Error::Below(failure)) if failure.kind != Kind::Sealed => {
            Err(Error::Value { kind: Kind::Invalid, message: failure.messages.join("; "), code: None })
        }
        Err(error) => Err(error),
    }
}

fn entry(fields: &Fields, plugin_type: PluginType, name: &str) -> Result<Plugin> {
    let name: PluginName = name.parse().map_err(Unfit::Name)?;
    let version = fields.text("version")?.unwrap_or_default();
    let sha = match fields.text("sha256")?.filter(|text| !text.is_empty()) {
        Some(text) => text,
        None => fields.text("sha_256")?.unwrap_or_default(),
    };
    if fields.flag("download")?.unwrap_or(false) {
        return Err(Unfit::Download.into());
    }
    if sha.is_empty() && version.is_empty() {
        return Err(Unfit::NoShaOrVersion.into());
    }
    let version: PluginVersion = version.parse().map_err(Unfit::Version)?;
    if version.is_builtin() {
        return Err(Unfit::BuiltinVersion(version.to_string()).into());
    }
    let (command, args) = command(fields)?;
    let oci_image = fields.text("oci_image")?.unwrap_or_default();
    // A version alone means an unpacked release, which says itself what its program is called.
    if !sha.is_empty() && command.is_empty() && oci_image.is_empty() {
        return Err(Unfit::NoCommand.into());
    }
    let sha256 = if sha.is_empty() { Bytes::new() } else { Bytes::copy_from_slice(sha256(&sha)?.as_bytes()) };
    Ok(Plugin {
        name: name.as_str().to_owned(),
        r#type: plugin_type.word().to_owned(),
        version: version.to_string(),
        builtin: false,
        sha256,
        command,
        args,
        env: env(fields)?,
        oci_image,
        runtime: fields.text("runtime")?.unwrap_or_default(),
        ..Plugin::default()
    })
}

/// The program and its arguments, which may stand behind it.
fn command(fields: &Fields) -> Result<(String, Vec<String>)> {
    let command = fields.text("command")?.unwrap_or_default();
    let args = fields.items("args")?.unwrap_or_default();
    let mut words = command.split_whitespace().map(str::to_owned);
    let program = words.next().unwrap_or_default();
    let behind: Vec<String> = words.collect();
    match (behind.is_empty(), args.is_empty()) {
        (false, false) => Err(Unfit::ArgsTwice.into()),
        (false, true) => Ok((program, behind)),
        (true, _) => Ok((program, args)),
    }
}

fn env(fields: &Fields) -> Result<Vec<String>> {
    let env = fields.items("env")?.unwrap_or_default();
    // The entry may hold a secret, so the sentence only counts it.
    match env.iter().position(|entry| entry.find('=').is_none_or(|at| at == 0)) {
        Some(at) => Err(Unfit::Env(at + 1).into()),
        None => Ok(env),
    }
}

pub(super) fn sha256(text: &str) -> Result<Sha256, Unfit> {
    let bytes = hex::decode(text).map_err(|error| {
        let why = match error {
            hex::FromHexError::InvalidHexCharacter { c, .. } => {
                format!("invalid byte: U+{:04X} {c:?}", u32::from(c))
            }
            hex::FromHexError::OddLength => "odd length hex string".to_owned(),
            other @ hex::FromHexError::InvalidStringLength => other.to_string(),
        };
        Unfit::Hex { text: text.to_owned(), why }
    })?;
    Sha256::try_from(bytes.as_slice())
        .map_err(|_| Unfit::ShaLength { text: text.to_owned(), digits: text.len() })
}

/// What the new entry would take the place of.
async fn existing(ask: &Ask, plugin: &Plugin) -> Result<Option<Plugin>> {
    match ask.core.clients.plugins.get(key(plugin)).await.map_err(Error::from) {
        Ok(reply) => Ok(Some(reply.into_inner()).filter(|found| !found.builtin)),
        // There is none, or one that is damaged: nothing that could be brought back.
        Err(Error::Below(failure)) if matches!(failure.kind, Kind::NotFound | Kind::Internal) => Ok(None),
        Err(error) => Err(error),
    }
}

async fn store(ask: &Ask, plugin: Plugin) -> Result<Plugin> {
    let request = RegisterRequest { plugin: Some(plugin) };
    match ask.core.clients.plugins.register(request).await.map_err(Error::from) {
        Ok(reply) => Ok(reply.into_inner().plugin.unwrap_or_default()),
        // The catalog's refusals are errors that Vault's handler ends with.
        Err(Error::Below(failure)) => {
            Err(Error::Value { kind: failure.kind, message: failure.messages.join("; "), code: None })
        }
        Err(error) => Err(error),
    }
}

/// The version that a plugin reports has to be the one it is registered under; given none, it is registered under that.
///
/// A plugin that cannot be started is registered all the same: its file and checksum have been verified, and whoever
/// mounts it is told why it does not start.
async fn check_version(ask: &Ask, stored: &Plugin) -> Result<()> {
    let reported = match ask.core.clients.launcher.probe(probe_of(stored)).await.map_err(Error::from) {
        Ok(reply) => reply.into_inner().version,
        Err(Error::Sealed) => return Err(Error::Sealed),
        Err(error) => {
            tracing::warn!(plugin = stored.name, error = %error, "a registered plugin could not be started to ask its version");
            return Ok(());
        }
    };
    if reported.is_empty() {
        return Ok(());
    }
    let wanted = version_of(stored);
    let Ok(version) = reported.parse::<PluginVersion>() else {
        let name = stored.name.clone();
        return if wanted.is_none() { Err(Unfit::ReportedVersion { name, reported }.into()) } else { Ok(()) };
    };
    if wanted == version {
        return Ok(());
    }
    if !wanted.is_none() {
        let (name, wanted) = (stored.name.clone(), wanted.to_string());
        return Err(Unfit::VersionMismatch { name, reported, wanted }.into());
    }
    store(ask, Plugin { version: version.to_string(), ..stored.clone() }).await?;
    ask.core.clients.plugins.deregister(key(stored)).await?;
    Ok(())
}

/// Brings back what was there before.
async fn undo(ask: &Ask, stored: &Plugin, before: Option<Plugin>) {
    let plugins = &ask.core.clients.plugins;
    let undone = match before {
        Some(before) => plugins.register(RegisterRequest { plugin: Some(before) }).await.map(|_| ()),
        None => plugins.deregister(key(stored)).await.map(|_| ()),
    };
    if let Err(status) = undone {
        tracing::error!(
            plugin = stored.name,
            status = status.message(),
            "a refused registration is still there"
        );
    }
}

fn probe_of(plugin: &Plugin) -> ProbeRequest {
    let PluginRequest { name, r#type, version, .. } = key(plugin);
    ProbeRequest { name, r#type, version }
}

fn key(plugin: &Plugin) -> PluginRequest {
    PluginRequest {
        name: plugin.name.clone(),
        r#type: plugin.r#type.clone(),
        version: plugin.version.clone(),
        mounted: false,
        highest: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parsed(body: &str) -> Result<Plugin, String> {
        let body = body.replace("SHA", SHA);
        let fields = Fields::parse(body.as_bytes()).unwrap();
        entry(&fields, PluginType::Secret, "my-kv").map_err(|error| error.to_string())
    }

    #[test]
    fn an_entry_is_read_in_every_form_that_clients_send() {
        let vault = parsed(
            r#"{"type":"secret","command":"kv","sha256":"SHA","args":["--a"],"env":["A=B"],"version":"1.0"}"#,
        )
        .unwrap();
        assert_eq!((vault.command.as_str(), vault.version.as_str()), ("kv", "v1.0.0"));
        assert_eq!(vault.args, ["--a"]);
        let bao = parsed(r#"{"type":3,"command":"kv --a","sha_256":"SHA"}"#).unwrap();
        assert_eq!((bao.command.as_str(), bao.args.as_slice()), ("kv", ["--a".to_owned()].as_slice()));
    }

    #[test]
    fn wrong_entries_are_refused_in_vaults_words() {
        for (body, expected) in [
            (r#"{"sha256":"SHA"}"#, "must provide at least one of command or oci_image"),
            (
                r#"{"command":"kv","sha256":"zzzz"}"#,
                "Could not decode SHA256 value from Hex zzzz: encoding/hex: invalid byte: U+007A 'z'",
            ),
            (
                r#"{"command":"kv","sha256":"abc"}"#,
                "Could not decode SHA256 value from Hex abc: encoding/hex: odd length hex string",
            ),
            (
                r#"{"command":"kv","sha256":"SHA","version":"abc"}"#,
                r#"version "abc" is not a valid semantic version: Malformed version: abc"#,
            ),
            (
                r#"{"command":"kv","sha256":"SHA","version":"v1.0.0+builtin"}"#,
                r#"version "v1.0.0+builtin" is not allowed because 'builtin' is a reserved metadata identifier"#,
            ),
            (
                r#"{"command":"kv --a","args":["--b"],"sha256":"SHA"}"#,
                "must not specify args in command and args field",
            ),
            (r#"{"command":"kv","sha256":"SHA","download":true}"#, "download is an enterprise only feature"),
            (
                r#"{"command":"kv","sha256":"SHA","env":["A=1","secret"]}"#,
                "env entry 2 is not of the form KEY=value",
            ),
        ] {
            assert_eq!(parsed(body).unwrap_err(), expected);
        }
        assert!(
            parsed(r#"{"command":"kv"}"#).unwrap_err().starts_with("must provide at least one of sha256")
        );
        let release = parsed(r#"{"version":"1.0"}"#).unwrap();
        assert!(release.sha256.is_empty() && release.command.is_empty());
    }
}
