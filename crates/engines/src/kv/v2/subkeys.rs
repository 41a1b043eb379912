use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use tenon::{
    Request, Response,
    framework::{Outcome, Path, field},
};

use super::{Kv, record::Record, store::secret};

/// A version whose structure is wanted.
#[derive(Deserialize)]
pub(super) struct Wanted {
    path: String,
    #[serde(default)]
    version: i64,
    /// Zero: all.
    #[serde(default)]
    depth: i64,
}

pub(super) fn path() -> Path<Kv> {
    Path::new("subkeys/{path*}")
        .help(
            "Reads the structure of a secret.",
            "The keys of the secret, and of the objects in it, without any value: what is no object is null.",
        )
        .field("path", field::string("Where the secret is."))
        .field("version", field::int("Which version to read. Zero: the newest."))
        .field("depth", field::int("How deep to look. Zero: all the way."))
        .read(Kv::read_subkeys)
}

impl Kv {
    async fn read_subkeys(self: Arc<Self>, request: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let now = Timestamp::now();
        let number = u64::try_from(wanted.version).ok();
        let live = |record: &Record| {
            let (number, version) = record.pick(number)?;
            version.is_live(now).then_some(number)
        };
        let Some((record, data)) = self.store.read(&wanted.path, live).await? else { return Ok(None) };
        let Some((number, version)) = record.pick(number) else { return Ok(None) };
        let metadata = record.describe(number, version);
        let Some(data) = data else {
            let gone = json!({ "metadata": metadata, "subkeys": null });
            return Response::json(&gone)?.with_status(404, &request.id).map(Some);
        };
        let mut subkeys = secret(&data)?;
        strip(&mut subkeys, usize::try_from(wanted.depth).ok().filter(|depth| *depth > 0));
        Response::json(&json!({ "metadata": metadata, "subkeys": subkeys })).map(Some)
    }
}

/// Takes every value out, and everything below `depth` levels of keys.
fn strip(value: &mut Value, depth: Option<usize>) {
    let below = depth.map(|depth| depth - 1);
    for inner in value.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        let goes_on = inner.as_object().is_some_and(|map| !map.is_empty()) && below != Some(0);
        if goes_on {
            strip(inner, below);
        } else {
            *inner = Value::Null;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_left_at_any_depth() {
        let secret = json!({"a": 1, "b": {"c": "x", "d": {"e": [1]}}, "f": {}, "g": [{"h": 1}]});
        let cases = [
            (None, json!({"a": null, "b": {"c": null, "d": {"e": null}}, "f": null, "g": null})),
            (Some(1), json!({"a": null, "b": null, "f": null, "g": null})),
            (Some(2), json!({"a": null, "b": {"c": null, "d": null}, "f": null, "g": null})),
        ];
        for (depth, expected) in cases {
            let mut value = secret.clone();
            strip(&mut value, depth);
            assert_eq!(value, expected);
        }
    }
}
