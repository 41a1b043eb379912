//! What operators set beside mounts, policies and tokens: in memory for requests, stored before it counts.

mod cross_origin;
mod setting;
mod ui_headers;
mod versions;

pub(crate) use cross_origin::CrossOrigin;
pub(crate) use setting::Setting;
pub(crate) use ui_headers::{UiHeader, UiHeaders};
pub(crate) use versions::Versions;

use crate::{Config, error::Result, store::Store};

/// All of it.
#[derive(Debug)]
pub(crate) struct Settings {
    /// None: pages from elsewhere get no answer that a browser lets them see.
    pub(crate) cross_origin: Setting<Option<CrossOrigin>>,
    pub(crate) ui_headers: Setting<UiHeaders>,
    pub(crate) versions: Setting<Versions>,
}

impl Settings {
    pub(crate) async fn open(store: &Store, config: &Config) -> Result<Self> {
        let versions = Setting::open(store, "core/versions").await?;
        versions::note(&versions, config).await;
        Ok(Self {
            cross_origin: Setting::open(store, "core/cors").await?,
            ui_headers: Setting::open(store, "core/ui-headers").await?,
            versions,
        })
    }
}
