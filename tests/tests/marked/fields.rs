//! Which fields there are: as the server's own description says, and as the code does that reads them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;
use testkit::{files_below, repository};

/// What can be asked at one path.
pub struct Place {
    /// As in `sys/mounts/{path}`.
    pub path: String,
    /// In HTTP's words.
    pub method: String,
    /// What may be in the body or in the query.
    pub fields: BTreeSet<String>,
}

/// The paths that the host answers itself; it does not describe what their bodies hold.
pub const OWN: [&str; 4] = ["sys/", "auth/token/", "identity/", "cubbyhole/"];

/// Every path and method of a description, with every field.
pub fn places(document: &Value) -> Vec<Place> {
    let sources = Sources::read();
    let mut places = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let path = path.trim_start_matches('/');
        let own = OWN.iter().find_map(|mount| path.strip_prefix(mount));
        for method in ["get", "post", "patch", "delete"] {
            let Some(described) = item.get(method) else { continue };
            let mut fields = schema_fields(document, described);
            fields.extend(parameters(described));
            fields.extend(own.map(|pattern| sources.fields_of(pattern)).into_iter().flatten());
            places.push(Place { path: path.to_owned(), method: method.to_uppercase(), fields });
        }
    }
    places
}

fn schema_fields(document: &Value, described: &Value) -> BTreeSet<String> {
    let contents = described["requestBody"]["content"].as_object().into_iter().flatten();
    let schemas = contents.map(|(_, content)| match content["schema"]["$ref"].as_str() {
        Some(name) => {
            let found = document.pointer(name.trim_start_matches('#'));
            found.unwrap_or_else(|| panic!("{name} is described nowhere"))
        }
        None => &content["schema"],
    });
    let properties = schemas.filter_map(|schema| schema["properties"].as_object());
    properties.flat_map(|properties| properties.keys().cloned()).collect()
}

fn parameters(described: &Value) -> impl Iterator<Item = String> {
    let listed = described["parameters"].as_array().into_iter().flatten();
    listed.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned))
}

/// The router's code, in which every field of its own endpoints has its name.
struct Sources(BTreeMap<PathBuf, String>);

impl Sources {
    fn read() -> Self {
        let files = files_below(&repository().join("crates/services/router/src"));
        let code = files.into_iter().filter(|path| path.extension().is_some_and(|end| end == "rs"));
        Self(code.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect())
    }

    /// All words that may be the name of a field where this endpoint is answered.
    fn fields_of(&self, pattern: &str) -> BTreeSet<String> {
        let segments = pattern.split('/').map(|segment| segment.trim_matches(['{', '}']));
        let wanted: Vec<&str> = segments.collect();
        let is_it = |text: &str| {
            let segments: Vec<&str> = text.split('/').map(|one| one.trim_start_matches([':', '*'])).collect();
            segments == wanted
        };
        let found = self.0.iter().find(|(_, code)| literals(code).any(is_it));
        let (file, code) = found.unwrap_or_else(|| panic!("no source answers {pattern}"));
        let folder = file.parent().unwrap();
        if folder.ends_with("sys") {
            return words(code);
        }
        let part = if folder.ends_with("endpoints") { folder.parent().unwrap() } else { folder };
        self.below(part).flat_map(|code| words(code)).collect()
    }

    fn below(&self, folder: &Path) -> impl Iterator<Item = &String> {
        self.0.iter().filter(move |(path, _)| path.starts_with(folder)).map(|(_, code)| code)
    }
}

fn literals(code: &str) -> impl Iterator<Item = &str> {
    code.split('"').skip(1).step_by(2)
}

/// What could be a field's name in the code: short texts, and the members of what is read as a whole.
fn words(code: &str) -> BTreeSet<String> {
    let is_name = |word: &&str| {
        (2..40).contains(&word.len())
            && word.starts_with(|letter: char| letter.is_ascii_lowercase())
            && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let members = code.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let (name, kind) = line.split_once(": ")?;
        kind.ends_with(',').then_some(name)
    });
    // A quote in a comment or a text makes what lies between two texts look like one: that is no name.
    let between = code.split('"');
    between.chain(members).filter(is_name).map(str::to_owned).collect()
}
