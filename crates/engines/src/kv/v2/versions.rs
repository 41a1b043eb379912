use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use tenon::{
    Error, Operation, Request, Result,
    framework::{Outcome, Path, field},
};

use super::{Kv, record::Attribution};

/// Versions of one key, by number.
#[derive(Deserialize)]
pub(super) struct Chosen {
    path: String,
    #[serde(default)]
    versions: Vec<i64>,
}

pub(super) fn delete_path() -> Path<Kv> {
    row(
        "delete/{path*}",
        "Marks versions as deleted.",
        "Deleted versions are no longer read; it can be undone.",
    )
    .on(&[Operation::Update], Kv::delete_versions)
}

pub(super) fn undelete_path() -> Path<Kv> {
    row("undelete/{path*}", "Brings deleted versions back.", "The versions can be read again.")
        .on(&[Operation::Update], Kv::undelete_versions)
}

pub(super) fn destroy_path() -> Path<Kv> {
    row("destroy/{path*}", "Destroys versions.", "The versions' data is removed for good.")
        .on(&[Operation::Update], Kv::destroy_versions)
}

fn row(pattern: &'static str, synopsis: &'static str, description: &'static str) -> Path<Kv> {
    Path::new(pattern)
        .help(synopsis, description)
        .field("path", field::string("Where the secret is."))
        .field("versions", field::comma_ints("The numbers of the versions."))
}

impl Kv {
    async fn delete_versions(self: Arc<Self>, request: Request, chosen: Chosen) -> Outcome {
        self.available().await?;
        let numbers = chosen.numbers("No version number provided")?;
        let _writing = self.store.lock(&chosen.path).await;
        let Some(mut record) = self.store.record(&chosen.path).await? else { return Ok(None) };
        self.mark_deleted(&request, &chosen.path, &mut record, &numbers).await?;
        let named = Some(("deleted_versions", numbers.as_slice()));
        self.announce_versions(("delete", "delete", None), &chosen.path, &record, named);
        Ok(None)
    }

    async fn undelete_versions(self: Arc<Self>, request: Request, chosen: Chosen) -> Outcome {
        self.available().await?;
        let numbers = chosen.numbers("No version number provided")?;
        let settings = self.store.settings().await?;
        let _writing = self.store.lock(&chosen.path).await;
        let Some(mut record) = self.store.record(&chosen.path).await? else { return Ok(None) };
        let deletion_time = record.deletion_time(Timestamp::now(), &settings);
        for number in &numbers {
            if let Some(version) = record.versions.get_mut(number).filter(|version| !version.destroyed) {
                version.deletion_time = deletion_time;
                version.deleted_by = None;
            }
        }
        record.last_updated_by =
            Some(Attribution { operation: "undelete".to_owned(), ..Attribution::of(&request) });
        self.store.put(&chosen.path, &record).await?;
        let named = Some(("undeleted_versions", numbers.as_slice()));
        self.announce_versions(("undelete", "undelete", Some("data")), &chosen.path, &record, named);
        Ok(None)
    }

    async fn destroy_versions(self: Arc<Self>, _: Request, chosen: Chosen) -> Outcome {
        self.available().await?;
        let mut numbers = chosen.numbers("no version number provided")?;
        let _writing = self.store.lock(&chosen.path).await;
        let Some(mut record) = self.store.record(&chosen.path).await? else { return Ok(None) };
        // Those that were destroyed before are destroyed again: their data may have outlived a crash.
        numbers.retain(|number| match record.versions.get_mut(number) {
            Some(version) => {
                version.destroyed = true;
                true
            }
            None => false,
        });
        self.store.put_destroyed(&chosen.path, &mut record, &numbers).await?;
        let named = Some(("destroyed_versions", numbers.as_slice()));
        self.announce_versions(("destroy", "destroy", None), &chosen.path, &record, named);
        Ok(None)
    }
}

impl Chosen {
    fn numbers(&self, none: &str) -> Result<Vec<u64>> {
        if self.versions.is_empty() {
            return Err(Error::refused(none));
        }
        Ok(self.versions.iter().filter_map(|number| u64::try_from(*number).ok()).collect())
    }
}
