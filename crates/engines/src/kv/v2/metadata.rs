use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tenon::{
    Error, Operation, Request, Response,
    framework::{Outcome, Path, field, present},
};

use super::{
    Kv, custom_metadata,
    record::{Record, text},
    settings::{Settings, go_duration},
};

/// A key, or a folder of keys.
#[derive(Deserialize)]
pub(super) struct Wanted {
    path: String,
    #[serde(default)]
    exclude_deleted: bool,
}

/// A change of a key's settings; what is absent stays, and what is `null` goes back to its default.
#[derive(Deserialize)]
pub(super) struct Change {
    path: String,
    max_versions: Option<u32>,
    cas_required: Option<bool>,
    #[serde(default, deserialize_with = "present")]
    delete_version_after: Option<Option<u64>>,
    #[serde(default, deserialize_with = "present")]
    custom_metadata: Option<Option<Map<String, Value>>>,
}

pub(super) fn path() -> Path<Kv> {
    Path::new("metadata/{path*}")
        .help(
            "What is known of a secret, and its settings.",
            "Lists secrets, tells of their versions, and keeps their own settings and custom metadata. A delete \
             removes a secret with all its versions for good.",
        )
        .field("path", field::string("Where the secret is."))
        .field("exclude_deleted", field::bool("Whether a list leaves out secrets whose newest version is deleted."))
        .field("cas_required", field::bool("Whether every write has to name the version that it replaces."))
        .field("max_versions", field::int("How many versions are kept. Zero: as the mount says."))
        .field(
            "delete_version_after",
            field::seconds("After how long a version is deleted. Zero: as the mount says."),
        )
        .field("custom_metadata", field::map("Names and values of your own, beside the secret."))
        .read(Kv::read_metadata)
        .write(Kv::write_metadata)
        .patch(Kv::patch_metadata)
        .delete(Kv::delete_metadata)
        .on(&[Operation::List], Kv::list_keys)
        .exists(Kv::exists)
}

impl Kv {
    async fn read_metadata(self: Arc<Self>, _: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let Some(record) = self.store.record(&wanted.path).await? else { return Ok(None) };
        let versions: Map<_, _> = record
            .versions
            .iter()
            .map(|(number, version)| {
                let described = json!({
                    "created_by": version.created_by,
                    "created_time": version.created_time,
                    "deleted_by": version.deleted_by,
                    "deletion_time": text(version.deletion_time),
                    "destroyed": version.destroyed,
                });
                (number.to_string(), described)
            })
            .collect();
        Response::json(&json!({
            "cas_required": record.cas_required,
            "created_time": record.created_time,
            "current_version": record.current_version,
            "custom_metadata": record.custom_metadata(),
            "delete_version_after": go_duration(record.delete_version_after),
            "last_updated_by": record.last_updated_by,
            "max_versions": record.max_versions,
            "oldest_version": record.oldest_version,
            "updated_time": record.updated_time,
            "versions": versions,
        }))
        .map(Some)
    }

    async fn write_metadata(self: Arc<Self>, _: Request, change: Change) -> Outcome {
        self.available().await?;
        if change.path.is_empty() {
            return Err(Error::refused("missing path"));
        }
        if change.is_empty() {
            return Ok(None);
        }
        let custom_metadata = change
            .custom_metadata
            .clone()
            .map(|given| custom_metadata::parse(given.unwrap_or_default()))
            .transpose()?;
        let settings = self.store.settings().await?;
        let _writing = self.store.lock(&change.path).await;
        let known = self.store.record(&change.path).await?;
        let mut record = known.unwrap_or_else(|| Record::new(Timestamp::now()));
        change.apply(&mut record);
        if let Some(custom_metadata) = custom_metadata {
            record.custom_metadata = custom_metadata;
        }
        self.store.put(&change.path, &record).await?;
        self.announce("metadata-write", "metadata", &change.path, Some("metadata"));
        Ok(change.warning(&settings))
    }

    async fn patch_metadata(self: Arc<Self>, _: Request, change: Change) -> Outcome {
        self.available().await?;
        if change.path.is_empty() {
            return Err(Error::refused("missing path"));
        }
        let settings = self.store.settings().await?;
        let _writing = self.store.lock(&change.path).await;
        let Some(mut record) = self.store.record(&change.path).await? else {
            return Ok(Some(Response::status(404)));
        };
        change.apply(&mut record);
        match change.custom_metadata.clone() {
            Some(Some(changes)) => {
                let before = std::mem::take(&mut record.custom_metadata);
                record.custom_metadata = custom_metadata::patch(before, changes)?;
            }
            Some(None) => record.custom_metadata.clear(),
            None => {}
        }
        self.store.put(&change.path, &record).await?;
        self.announce("metadata-patch", "metadata", &change.path, Some("metadata"));
        Ok(change.warning(&settings))
    }

    async fn delete_metadata(self: Arc<Self>, _: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let _writing = self.store.lock(&wanted.path).await;
        if let Some(record) = self.store.record(&wanted.path).await? {
            self.store.delete(&wanted.path, &record).await?;
            self.announce("metadata-delete", "metadata", &wanted.path, None);
        }
        Ok(None)
    }

    async fn list_keys(self: Arc<Self>, _: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let names = self.store.list(&wanted.path).await?;
        if !wanted.exclude_deleted {
            return Ok(Some(Response::keys(&names)));
        }
        let now = Timestamp::now();
        let mut kept = Vec::with_capacity(names.len());
        for name in names {
            let deleted = !name.ends_with('/') && {
                let record = self.store.record(&format!("{}{name}", wanted.path)).await?;
                let newest = record.as_ref().and_then(|record| record.pick(None));
                newest.is_some_and(|(_, version)| !version.is_live(now))
            };
            if !deleted {
                kept.push(name);
            }
        }
        Ok(Some(Response::keys(&kept)))
    }
}

impl Change {
    const fn is_empty(&self) -> bool {
        self.max_versions.is_none()
            && self.cas_required.is_none()
            && self.delete_version_after.is_none()
            && self.custom_metadata.is_none()
    }

    /// All but the custom metadata, which writes replace and patches merge.
    fn apply(&self, record: &mut Record) {
        record.max_versions = self.max_versions.unwrap_or(record.max_versions);
        record.cas_required = self.cas_required.unwrap_or(record.cas_required);
        if let Some(seconds) = self.delete_version_after {
            record.delete_version_after = seconds.unwrap_or_default();
        }
    }

    fn warning(&self, settings: &Settings) -> Option<Response> {
        let overruled = settings.cas_required && self.cas_required == Some(false);
        overruled.then(|| {
            Response::warning(
                "\"cas_required\" set to false, but is mandated by backend config. This value will be ignored.",
            )
        })
    }
}
