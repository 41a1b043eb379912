use domain::{PluginName, Sha256};
use wire::catalog::v1::Plugin;

use super::{
    PluginError, id_of,
    record::{Id, Program, Record},
};

/// A registration whose file has not been looked at.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) id: Id,
    /// What the file has to hash to; none: it is a release, and whatever is there is what is meant.
    pub(super) sha256: Option<Sha256>,
    pub(super) program: Program,
    /// Where else a release may be.
    pub(super) other_release: Option<Program>,
    args: Vec<String>,
    env: Vec<String>,
    runtime: Option<PluginName>,
    declared: bool,
}

impl Draft {
    /// The configuration asks for it, not somebody with a token.
    pub(super) fn declared(self) -> Self {
        Self { declared: true, ..self }
    }

    /// The record, once it is known what the file hashes to.
    pub(super) fn with(self, sha256: Sha256) -> Record {
        let Self { id, sha256: _, program, other_release: _, args, env, runtime, declared } = self;
        Record { id, sha256, program, args, env, runtime, declared }
    }
}

/// Checks everything about a registration that can be checked without its file.
pub(super) fn check(plugin: Plugin) -> Result<Draft, PluginError> {
    let id = id_of(plugin.name, &plugin.r#type, &plugin.version)?;
    if id.version.is_builtin() {
        return Err(PluginError::ReservedVersion(id.version));
    }
    let (command, args) = split(plugin.command, plugin.args)?;
    if !plugin.oci_image.is_empty() {
        return Err(PluginError::Container);
    }
    let runtime =
        Some(plugin.runtime).filter(|name| !name.is_empty()).map(PluginName::try_from).transpose()?;
    let sha256 = Some(plugin.sha256).filter(|sha256| !sha256.is_empty());
    let sha256 = sha256.map(|sha256| Sha256::try_from(sha256.as_ref())).transpose()?;
    let (program, other_release) = match sha256 {
        None if id.version.is_none() => return Err(PluginError::NoDigest),
        None => released(&id, command),
        Some(_) if command.is_empty() => return Err(PluginError::NoCommand),
        Some(_) => {
            let release = Some(plugin.release).filter(|release| !release.is_empty());
            (Program { release, command }, None)
        }
    };
    check_surroundings(&program.command, &args, &plugin.env)?;
    Ok(Draft { id, sha256, program, other_release, args, env: plugin.env, runtime, declared: false })
}

/// A program in its unpacked release: it is called after the plugin, unless something else is said.
///
/// Archives name their version with or without the letter before it, and unpacked folders after the archives.
fn released(id: &Id, command: String) -> (Program, Option<Program>) {
    let name = id.name.as_str();
    let last = name.rsplit('/').next().unwrap_or(name);
    let command = if command.is_empty() { last.to_owned() } else { command };
    let version = id.version.to_string();
    let bare = version.strip_prefix('v').unwrap_or(&version);
    let [bare, other] = [bare, &version].map(|version| Some(release_name(last, version)));
    (Program { release: bare, command: command.clone() }, Some(Program { release: other, command }))
}

/// What the folder of an unpacked release is called.
fn release_name(name: &str, version: &str) -> String {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    format!("{name}_{version}_{}_{architecture}", std::env::consts::OS)
}

/// Arguments may follow the command in one text.
fn split(command: String, args: Vec<String>) -> Result<(String, Vec<String>), PluginError> {
    let mut words = command.split_whitespace();
    match (words.next(), words.map(str::to_owned).collect::<Vec<_>>()) {
        (Some(first), more) if !more.is_empty() => {
            if !args.is_empty() {
                return Err(PluginError::ArgsTwice);
            }
            Ok((first.to_owned(), more))
        }
        (Some(first), _) => Ok((first.to_owned(), args)),
        (None, _) => Ok((String::new(), args)),
    }
}

fn check_surroundings(command: &str, args: &[String], env: &[String]) -> Result<(), PluginError> {
    let texts = args.iter().chain(env).map(String::as_str);
    if texts.chain([command]).any(|text| text.contains('\0')) {
        return Err(PluginError::Nul);
    }
    if env.iter().any(|variable| variable.split_once('=').is_none_or(|(name, _)| name.is_empty())) {
        return Err(PluginError::Env);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin() -> Plugin {
        Plugin {
            name: "my-kv".to_owned(),
            r#type: "secret".to_owned(),
            sha256: vec![7; 32].into(),
            command: "kv".to_owned(),
            ..Plugin::default()
        }
    }

    fn refused(plugin: Plugin) -> String {
        check(plugin).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn each_mistake_has_its_sentence() {
        let owned = str::to_owned;
        let cases = [
            (Plugin { name: owned("a..b"), ..plugin() }, "path cannot contain parent references"),
            (Plugin { name: String::new(), ..plugin() }, "missing plugin name"),
            (
                Plugin { r#type: owned("unknown"), ..plugin() },
                "\"unknown\" is not a supported plugin type: use auth, database or secret",
            ),
            (
                Plugin { version: owned("abc"), ..plugin() },
                "version \"abc\" is not a valid semantic version: Malformed version: abc",
            ),
            (
                Plugin { version: owned("v1.0.0+builtin"), ..plugin() },
                "version \"v1.0.0+builtin\" is not allowed because 'builtin' is a reserved metadata identifier",
            ),
            (
                Plugin { sha256: bytes::Bytes::new(), ..plugin() },
                "must provide at least one of sha256 or version: use sha256 for binary registration (version \
                 optional) or version only for artifact registration",
            ),
            (Plugin { sha256: vec![7; 31].into(), ..plugin() }, "a SHA256 is 64 hex digits long, this is 62"),
            (
                Plugin { command: String::new(), ..plugin() },
                "must provide at least one of command or oci_image",
            ),
            (
                Plugin { command: owned("kv --a"), args: vec![owned("--b")], ..plugin() },
                "must not specify args in command and args field",
            ),
            (
                Plugin { env: vec![owned("=x")], ..plugin() },
                "each environment variable of a plugin is written KEY=value",
            ),
            (
                Plugin { args: vec![owned("a\0")], ..plugin() },
                "command, arguments and environment variables of a plugin cannot contain NUL",
            ),
            (
                Plugin { command: owned("kv\0"), ..plugin() },
                "command, arguments and environment variables of a plugin cannot contain NUL",
            ),
            (Plugin { runtime: owned("../x"), ..plugin() }, "path cannot contain parent references"),
        ];
        for (plugin, sentence) in cases {
            assert_eq!(refused(plugin), sentence);
        }
    }

    #[test]
    fn a_version_alone_means_an_unpacked_release() {
        let release = Plugin {
            sha256: bytes::Bytes::new(),
            version: "1.0".to_owned(),
            command: String::new(),
            ..plugin()
        };
        let draft = check(release).unwrap();
        let folder = draft.program.release.unwrap();
        assert!(folder.starts_with("my-kv_1.0.0_linux_"), "{folder}");
        assert_eq!((draft.program.command.as_str(), draft.sha256), ("my-kv", None));
    }

    #[test]
    fn arguments_may_follow_the_command() {
        let record = check(Plugin { command: "kv  --a --b".to_owned(), ..plugin() }).unwrap();
        assert_eq!(
            (record.program.command.as_str(), record.args),
            ("kv", vec!["--a".to_owned(), "--b".to_owned()])
        );
    }

    #[test]
    fn versions_are_stored_in_one_way() {
        let record = check(Plugin { version: "1.1".to_owned(), ..plugin() }).unwrap();
        assert_eq!(record.id.version.to_string(), "v1.1.0");
    }
}
