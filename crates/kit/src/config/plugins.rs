use std::collections::BTreeSet;

use domain::{
    DeclaredPlugin, Outbound, PluginImage, PluginName, PluginSource, PluginType, PluginVersion, Sha256,
    path_in_image,
};
use ipnet::IpNet;
use oci_spec::distribution::Reference;

use super::{
    key::{Block, Key, Usual},
    problem::Place,
    setting::{Bytes, Setting, Shown, Texts},
    stanza::Stanza,
    tree::{Entry, Node, Value},
};
use crate::Service;

const BLOCK: Block = Block::new(
    "plugin",
    "`plugin \"TYPE\" \"NAME\"`",
    "A plugin that is declared; it has an `image` or a `command`.",
)
.read_by(CATALOG);

const CATALOG: &[Service] = &[Service::Catalog];

const AUTO_DOWNLOAD: Usual<bool> =
    Key::new("plugin_auto_download", "images of declared plugins are downloaded at start and on SIGHUP")
        .read_by(CATALOG)
        .usually(|| false);

const AUTO_REGISTER: Usual<bool> =
    Key::new("plugin_auto_register", "declared plugins are registered at each unseal and on SIGHUP")
        .read_by(CATALOG)
        .usually(|| false);

const DOWNLOAD_BEHAVIOR: Usual<Behaviour> = Key::new(
    "plugin_download_behavior",
    "`fail`: there is no start without those images; `continue` (or `warn`): there is",
)
.read_by(CATALOG)
.usually(|| Behaviour::Fail);

const DOWNLOAD_MAX_SIZE: Usual<Bytes> = Key::new(
    "plugin_download_max_size",
    "the largest program out of an image; its unpacked layers: four times that",
)
.read_by(CATALOG)
.usually(|| Bytes(LARGEST));

const DOWNLOAD_NETWORKS: Key<Networks> =
    Key::new("plugin_download_networks", "networks that are not public and may be downloaded from")
        .otherwise("none")
        .read_by(CATALOG);

const DOWNLOAD_PLAIN_HTTP: Key<Texts> = Key::new(
    "plugin_download_plain_http",
    "registries, as `image` names them, that are spoken to without TLS",
)
.otherwise("none")
.read_by(CATALOG);

const VERSION: Key<Version> = Key::new("version", "its version, which is also the image's tag");

const SHA256SUM: Key<Sha256> = Key::new("sha256sum", "what its program has to hash to");

const IMAGE: Key<String> = Key::new("image", "the image that its program is taken out of, without a tag");

const COMMAND: Key<String> = Key::new("command", "its program in `plugin_directory`");

const BINARY_NAME: Key<String> =
    Key::new("binary_name", "the program's path in the image").otherwise("its ENTRYPOINT or CMD");

const ARGS: Key<Texts> = Key::new("args", "what it is started with").otherwise("none");

const ENV: Key<Texts> = Key::new("env", "variables that it gets, each `KEY=value`").otherwise("none");

/// The largest program that is taken out of an image by default.
const LARGEST: u64 = 512 << 20;

/// How a declared plugin looks.
const EXAMPLE: &str = "plugin \"secret\" \"kv\" { image = …, version = …, sha256sum = … }";

/// The plugins that the configuration declares, and what is done about them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plugins {
    /// In the order in which they stand there.
    pub declared: Vec<DeclaredPlugin>,
    /// They are registered whenever the server is unsealed.
    pub auto_register: bool,
    /// Those from images are downloaded when the server starts.
    pub auto_download: bool,
    /// The server starts even if one of them cannot be downloaded.
    pub may_be_missing: bool,
    /// How they are downloaded.
    pub downloads: Downloads,
}

/// How programs are downloaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloads {
    /// The largest that is taken, in bytes.
    pub largest: u64,
    /// Where the server may connect to.
    pub outbound: Outbound,
    /// Registries, as images name them, that are spoken to without TLS.
    pub plain_http: Vec<String>,
}

impl Default for Downloads {
    fn default() -> Self {
        Self { largest: LARGEST, outbound: Outbound::default(), plain_http: Vec::new() }
    }
}

/// Whether the server starts when a download fails; the first is what happens otherwise.
enum Behaviour {
    Fail,
    Continue,
}

impl Setting for Behaviour {
    const ALLOWED: &'static str = "\"fail\" or \"continue\"";

    fn read(value: &Value) -> Option<Self> {
        match String::read(value)?.as_str() {
            "fail" => Some(Self::Fail),
            // OpenBao's pages call it so, too.
            "continue" | "warn" => Some(Self::Continue),
            _ => None,
        }
    }
}

impl Shown for Behaviour {
    fn shown(&self) -> String {
        match self {
            Self::Fail => "fail",
            Self::Continue => "continue",
        }
        .to_owned()
    }
}

impl Setting for Sha256 {
    const ALLOWED: &'static str = "the SHA256 of the plugin's program, 64 hex digits";

    fn read(value: &Value) -> Option<Self> {
        String::read(value)?.parse().ok()
    }
}

/// The version of a plugin, and as it was written, which is what its image is tagged with.
struct Version {
    tag: String,
    version: PluginVersion,
}

impl Setting for Version {
    const ALLOWED: &'static str = "a semantic version, such as \"v1.0.0\"";

    fn read(value: &Value) -> Option<Self> {
        let tag = String::read(value)?;
        let version: PluginVersion = tag.parse().ok()?;
        (!version.is_none() && !version.is_builtin()).then_some(Self { tag, version })
    }
}

/// Networks, with their lengths.
struct Networks(Vec<IpNet>);

impl Setting for Networks {
    const ALLOWED: &'static str = "a list of networks, such as [\"10.0.0.0/8\"]";

    fn read(value: &Value) -> Option<Self> {
        let Texts(texts) = Texts::read(value)?;
        texts.iter().map(|text| text.parse().ok()).collect::<Option<_>>().map(Self)
    }
}

/// Everything about plugins that are declared.
pub(super) fn read(top: &mut Stanza<'_>) -> Plugins {
    let texts = |found: Option<Texts>| found.map(|Texts(texts)| texts).unwrap_or_default();
    let downloads = Downloads {
        largest: top.get(&DOWNLOAD_MAX_SIZE).0,
        outbound: Outbound {
            networks: top.last(&DOWNLOAD_NETWORKS).map(|Networks(all)| all).unwrap_or_default(),
        },
        plain_http: texts(top.last(&DOWNLOAD_PLAIN_HTTP)),
    };
    let plugins = Plugins {
        auto_register: top.get(&AUTO_REGISTER),
        auto_download: top.get(&AUTO_DOWNLOAD),
        may_be_missing: matches!(top.get(&DOWNLOAD_BEHAVIOR), Behaviour::Continue),
        downloads,
        declared: Vec::new(),
    };
    Plugins { declared: declared(top), ..plugins }
}

fn declared(top: &mut Stanza<'_>) -> Vec<DeclaredPlugin> {
    let mut found = Vec::new();
    let (mut entries, mut files) = (BTreeSet::new(), BTreeSet::new());
    for (plugin_type, name, node) in named(top) {
        let place = node.place.clone();
        let Some(plugin) = one(&plugin_type, name, node, top) else { continue };
        let entry = (plugin.plugin_type, plugin.name.clone(), plugin.version.clone());
        let from_image = matches!(plugin.source, PluginSource::Image(_));
        if !entries.insert(entry) || (from_image && !files.insert(plugin.command())) {
            let text = format!(
                "{plugin_type} plugin {:?} has this version twice; keep one of them",
                plugin.name.as_str()
            );
            top.problems.error(&place, text);
        }
        found.push(plugin);
    }
    found
}

/// Every stanza with its two labels, in order.
fn named(top: &mut Stanza<'_>) -> Vec<(String, String, Node)> {
    let mut found = Vec::new();
    for Entry { key, node } in top.labelled("plugin").into_iter().flat_map(spread) {
        let Value::Table(names) = node.value else { continue };
        for Entry { key: name, node } in names.into_iter().flat_map(spread) {
            match node.value {
                Value::Table(_) => found.push((key.clone(), name, node)),
                _ => top.problems.error(&node.place, format!("`plugin` needs a type and a name: {EXAMPLE}")),
            }
        }
    }
    found
}

/// JSON writes several blocks of one label as a list below it.
fn spread(entry: Entry) -> Vec<Entry> {
    match entry.node.value {
        Value::List(nodes) => nodes.into_iter().map(|node| Entry { key: entry.key.clone(), node }).collect(),
        _ => vec![entry],
    }
}

fn one(plugin_type: &str, name: String, node: Node, top: &mut Stanza<'_>) -> Option<DeclaredPlugin> {
    let place = node.place.clone();
    let names = plugin_type.parse::<PluginType>().and_then(|it| Ok((it, PluginName::try_from(name)?)));
    let (plugin_type, name) = names.map_err(|error| top.problems.error(&place, error.to_string())).ok()?;
    let mut stanza = Stanza::of(&BLOCK, node, top.problems)?;
    let version = stanza.required(&VERSION, &place);
    let sha256 = stanza.required(&SHA256SUM, &place);
    let source = source(&mut stanza, &name, version.as_ref(), &place);
    let Texts(args) = stanza.last(&ARGS).unwrap_or_default();
    let Texts(env) = stanza.last(&ENV).unwrap_or_default();
    if env.iter().any(|variable| variable.split_once('=').is_none_or(|(name, _)| name.is_empty())) {
        stanza.problems.error(&place, "each variable in `env` of `plugin` is written KEY=value");
    }
    if args.iter().chain(&env).any(|text| text.contains('\0')) {
        stanza.problems.error(&place, "`args` and `env` of `plugin` cannot contain NUL");
    }
    stanza.finish();
    let (Version { version, .. }, sha256, source) = (version?, sha256?, source?);
    Some(DeclaredPlugin { plugin_type, name, version, sha256, source, args, env })
}

fn source(
    stanza: &mut Stanza<'_>,
    name: &PluginName,
    version: Option<&Version>,
    place: &Place,
) -> Option<PluginSource> {
    let (image, command, binary) = (stanza.last(&IMAGE), stanza.last(&COMMAND), stanza.last(&BINARY_NAME));
    let wrong = match (image, command, binary) {
        (Some(repository), None, binary) => {
            let image = PluginImage { repository, tag: version?.tag.clone(), binary };
            match unfit(&image, name) {
                None => return Some(PluginSource::Image(image)),
                Some(text) => text,
            }
        }
        (None, Some(command), None) => return Some(PluginSource::File { command }),
        (None, Some(_), Some(_)) => {
            "`binary_name` of `plugin` is for an `image`; `command` needs none".to_owned()
        }
        (Some(_), Some(_), _) => "`plugin` has an `image` or a `command`, not both".to_owned(),
        (None, None, _) => {
            "`plugin` needs an `image`, or the `command` of a program in the plugin directory".to_owned()
        }
    };
    stanza.problems.error(place, wrong);
    None
}

/// What is wrong with an image, if anything is.
fn unfit(image: &PluginImage, name: &PluginName) -> Option<String> {
    if name.as_str().contains('/') {
        let text = "the name of a plugin from an image has no slash: its file in the plugin directory is called after it";
        return Some(text.to_owned());
    }
    if image.binary.as_deref().is_some_and(|path| path_in_image(path).is_none()) {
        return Some("`binary_name` of `plugin` is a path inside the image".to_owned());
    }
    let error = Reference::try_from(image.reference()).err()?;
    Some(format!(
        "`image` and `version` of `plugin` do not name an image, as in \"ghcr.io/org/kv\" and \"v1.0.0\": {error}"
    ))
}

#[cfg(test)]
mod tests;
