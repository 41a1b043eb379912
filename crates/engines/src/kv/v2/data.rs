use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use tenon::{
    Error, Request, Response, Result,
    framework::{Outcome, Path, field, loosely, present},
};

use super::{
    Kv, merge,
    record::{Attribution, Record},
    settings::Settings,
    store::secret,
};

/// A version to read.
#[derive(Deserialize)]
pub(super) struct Wanted {
    pub(super) path: String,
    #[serde(default)]
    pub(super) version: i64,
}

/// A version to write, whole or as a patch.
#[derive(Deserialize)]
pub(super) struct Written {
    path: String,
    #[serde(default)]
    options: Option<Options>,
    #[serde(default, deserialize_with = "present")]
    data: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Options {
    #[serde(default, deserialize_with = "present")]
    cas: Option<Value>,
}

pub(super) fn path() -> Path<Kv> {
    Path::new("data/{path...}")
        .help(
            "Writes, patches, reads and deletes secrets.",
            "A write adds a version; so does a patch, which changes only what it names and removes what it sets to \
             null. A read returns the newest version unless it asks for another. A delete marks the newest version as \
             deleted, and can be undone.",
        )
        .field("path", field::string("Where the secret is."))
        .field("version", field::int("Which version to read. Zero: the newest."))
        .field(
            "options",
            field::map(
                "With `cas`, the write happens only if the newest version has that number; 0: only if there is none.",
            ),
        )
        .field("data", field::map("The secret."))
        .read(Kv::read)
        .write(Kv::write)
        .patch(Kv::patch)
        .delete(Kv::delete_newest)
        .exists(Kv::exists)
}

impl Kv {
    pub(super) async fn exists(self: Arc<Self>, _: Request, wanted: Wanted) -> Result<bool> {
        Ok(self.store.record(&wanted.path).await?.is_some())
    }

    async fn read(self: Arc<Self>, request: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let now = Timestamp::now();
        let live = |record: &Record| {
            let (number, version) = record.pick(wanted.number())?;
            version.is_live(now).then_some(number)
        };
        let Some((record, data)) = self.store.read(&wanted.path, live).await? else { return Ok(None) };
        let Some((number, version)) = record.pick(wanted.number()) else { return Ok(None) };
        let metadata = record.describe(number, version);
        let Some(data) = data else {
            let gone = json!({ "data": null, "metadata": metadata });
            return Response::json(&gone)?.with_status(404, &request.id).map(Some);
        };
        let data: &RawValue = serde_json::from_slice(&data)
            .map_err(|_| Error::Internal("the stored version is damaged".to_owned()))?;
        Response::json(&Answer { data, metadata }).map(Some)
    }

    async fn write(self: Arc<Self>, request: Request, written: Written) -> Outcome {
        self.available().await?;
        let data = written.data.ok_or_else(|| Error::refused("no data provided"))?;
        let settings = self.store.settings().await?;
        let _writing = self.store.lock(&written.path).await;
        let now = Timestamp::now();
        let mut record = self.store.record(&written.path).await?.unwrap_or_else(|| Record::new(now));
        check_and_set(written.options.as_ref(), &record, &settings)?;
        self.add_version(&request, &written.path, &mut record, data, &settings).await.inspect(|_| {
            self.announce_versions(("data-write", "data", Some("data")), &written.path, &record, None);
        })
    }

    async fn patch(self: Arc<Self>, request: Request, written: Written) -> Outcome {
        self.available().await?;
        let patch = written.data.ok_or_else(|| Error::refused("no data provided"))?;
        let settings = self.store.settings().await?;
        let _writing = self.store.lock(&written.path).await;
        let nothing = || Ok(Some(Response::status(404)));
        let Some(mut record) = self.store.record(&written.path).await? else { return nothing() };
        check_and_set(written.options.as_ref(), &record, &settings)?;
        let Some((number, version)) = record.pick(None) else { return nothing() };
        if !version.is_live(Timestamp::now()) {
            let gone = record.describe(number, version);
            return Response::json(&gone)?.with_status(404, &request.id).map(Some);
        }
        let data = self.store.data(&written.path, &record, number).await?;
        let data = data.ok_or_else(|| Error::Other("could not find version data".to_owned()))?;
        let patched = merge::patch(secret(&data)?, secret(patch.get().as_bytes())?);
        let patched =
            serde_json::value::to_raw_value(&patched).map_err(|error| Error::Internal(error.to_string()))?;
        self.add_version(&request, &written.path, &mut record, patched, &settings).await.inspect(|_| {
            self.announce_versions(("data-patch", "data", Some("data")), &written.path, &record, None);
        })
    }

    /// The caller holds the path's lock.
    async fn add_version(
        &self,
        request: &Request,
        path: &str,
        record: &mut Record,
        data: Box<RawValue>,
        settings: &Settings,
    ) -> Outcome {
        let dropped = record.add_version(Timestamp::now(), Attribution::of(request), settings);
        self.store.put_version(path, record, data, &dropped).await?;
        let Some((number, version)) = record.pick(None) else { return Ok(None) };
        Response::json(&record.describe(number, version)).map(Some)
    }

    async fn delete_newest(self: Arc<Self>, request: Request, wanted: Wanted) -> Outcome {
        self.available().await?;
        let _writing = self.store.lock(&wanted.path).await;
        let Some(mut record) = self.store.record(&wanted.path).await? else { return Ok(None) };
        let newest = record.current_version;
        self.mark_deleted(&request, &wanted.path, &mut record, &[newest]).await?;
        self.announce_versions(("data-delete", "data", None), &wanted.path, &record, None);
        Ok(None)
    }

    /// The caller holds the path's lock. What is deleted already stays as it is.
    pub(super) async fn mark_deleted(
        &self,
        request: &Request,
        path: &str,
        record: &mut Record,
        numbers: &[u64],
    ) -> Result<()> {
        let now = Timestamp::now();
        let by = Attribution::of(request);
        let mut changed = false;
        for number in numbers {
            let version = record.versions.get_mut(number).filter(|version| version.is_live(now));
            if let Some(version) = version {
                version.deletion_time = Some(now);
                version.deleted_by = Some(by.clone());
                changed = true;
            }
        }
        if changed {
            record.last_updated_by = Some(by);
            self.store.put(path, record).await?;
        }
        Ok(())
    }
}

/// What a read answers.
#[derive(serde::Serialize)]
struct Answer<'r> {
    data: &'r RawValue,
    metadata: Value,
}

impl Wanted {
    pub(super) fn number(&self) -> Option<u64> {
        u64::try_from(self.version).ok()
    }
}

/// Refuses a write that was made for another version than the newest.
fn check_and_set(options: Option<&Options>, record: &Record, settings: &Settings) -> Result<()> {
    let Some(cas) = options.and_then(|options| options.cas.as_ref()) else {
        let required = settings.cas_required || record.cas_required;
        return match required {
            true => Err(Error::refused("check-and-set parameter required for this call")),
            false => Ok(()),
        };
    };
    let cas = loosely::int(cas).map_err(|_| Error::refused("error parsing check-and-set parameter"))?;
    if u64::try_from(cas) != Ok(record.current_version) {
        return Err(Error::refused("check-and-set parameter did not match the current version"));
    }
    Ok(())
}
