use std::{sync::Arc, time::Duration};

use domain::format_go_duration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenon::{
    Request, Response, Result,
    framework::{NoInput, Outcome, Path, field},
};

use super::{super::announce::announce, Kv};

/// What holds for every key of the mount.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    /// Zero: the default.
    pub(super) max_versions: u32,
    pub(super) cas_required: bool,
    /// In seconds. Negative: never, whatever the keys say. Zero: only if the key says so.
    pub(super) delete_version_after: i64,
}

/// A change of the settings; what is absent stays.
#[derive(Deserialize)]
pub(super) struct Change {
    max_versions: Option<u32>,
    cas_required: Option<bool>,
    delete_version_after: Option<i64>,
}

pub(super) fn path() -> Path<Kv> {
    Path::new("config")
        .help(
            "The settings of the whole mount.",
            "Settings that hold for every key unless the key has its own.",
        )
        .field("max_versions", field::int("How many versions of a key are kept. Zero: 10."))
        .field("cas_required", field::bool("Whether every write has to name the version that it replaces."))
        .field(
            "delete_version_after",
            field::signed_seconds(
                "After how long a version is deleted. Zero: only if the key says so. Negative: never.",
            ),
        )
        .read(Kv::read_settings)
        .on(&[tenon::Operation::Update], Kv::write_settings)
}

impl Kv {
    async fn read_settings(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        self.available().await?;
        let settings = self.store.settings().await?;
        Response::json(&json!({
            "cas_required": settings.cas_required,
            "delete_version_after": signed(settings.delete_version_after),
            "max_versions": settings.max_versions,
        }))
        .map(Some)
    }

    async fn write_settings(self: Arc<Self>, _: Request, change: Change) -> Outcome {
        self.available().await?;
        if change.is_empty() {
            return Ok(None);
        }
        self.store.change_settings(|settings| change.apply(settings)).await?;
        let path = "config".to_owned();
        announce(&*self.system, (2, "config-write"), path.clone(), Some(path), None);
        Ok(None)
    }
}

impl Change {
    const fn is_empty(&self) -> bool {
        self.max_versions.is_none() && self.cas_required.is_none() && self.delete_version_after.is_none()
    }

    fn apply(&self, settings: &mut Settings) {
        settings.max_versions = self.max_versions.unwrap_or(settings.max_versions);
        settings.cas_required = self.cas_required.unwrap_or(settings.cas_required);
        // Every negative duration says the same: never.
        settings.delete_version_after =
            self.delete_version_after.map_or(settings.delete_version_after, |seconds| seconds.max(-1));
    }
}

/// A number of seconds as Go writes durations.
fn signed(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    format!("{sign}{}", format_go_duration(Duration::from_secs(seconds.unsigned_abs())))
}

/// A number of seconds as Go writes durations.
pub(super) fn go_duration(seconds: u64) -> String {
    format_go_duration(Duration::from_secs(seconds))
}

/// The settings as they are stored.
pub(super) fn parse(stored: Option<&[u8]>) -> Result<Settings> {
    stored.map_or_else(|| Ok(Settings::default()), super::store::decode)
}
