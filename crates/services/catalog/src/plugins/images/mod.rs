//! Plugins that are taken out of OCI images.
//!
//! No path of an image is ever used: the one file that is looked for goes into a file of ours, and gets its name in the
//! plugin directory when it hashes to what the configuration says.

mod candidate;
mod credentials;
mod error;
mod gate;
mod layer;
mod registry;
mod socks;

use std::time::Duration;

use domain::{DeclaredPlugin, PluginImage, PluginSource, Sha256, path_in_image};
use tokio::time::timeout;

use super::{directory::PluginDirectory, record::Program};
use crate::DownloadConfig;
use candidate::Candidate;
pub use error::{DownloadError, DownloadFailed};
use layer::{Budget, Seen, Wanted};
use registry::Registry;

/// A download that takes longer is given up.
const PATIENCE: Duration = Duration::from_secs(600);

/// Unpacked, the layers that are looked through may have so many times the bytes of the largest program.
const LAYERS: u64 = 4;

/// Downloads every program that is declared to come from an image and is not there already.
pub(super) async fn download(
    directory: &PluginDirectory,
    plugins: &[DeclaredPlugin],
    config: &DownloadConfig,
) -> Result<(), DownloadFailed> {
    for plugin in plugins {
        let PluginSource::Image(image) = &plugin.source else { continue };
        let download =
            Download { directory, image, sha256: plugin.sha256, command: plugin.command(), config };
        let done = timeout(PATIENCE, download.run()).await.unwrap_or(Err(DownloadError::TookTooLong));
        let Err(why) = done else { continue };
        let failed = DownloadFailed { plugin: plugin.command(), image: image.reference(), why: why.into() };
        if !config.may_be_missing {
            return Err(failed);
        }
        tracing::warn!("{failed}; the server starts without it");
    }
    Ok(())
}

/// One program on its way.
struct Download<'d> {
    directory: &'d PluginDirectory,
    image: &'d PluginImage,
    sha256: Sha256,
    command: String,
    config: &'d DownloadConfig,
}

impl Download<'_> {
    async fn run(&self) -> Result<(), DownloadError> {
        if self.is_there().await? {
            tracing::info!(command = self.command, "the plugin is there already and is not downloaded");
            return Ok(());
        }
        tracing::info!(image = self.image.reference(), "downloading a plugin");
        let registry = Registry::open(self.image, self.config).await?;
        let candidate = self.take(&registry).await.map_err(|error| match error {
            // Who makes the connections knows best why one broke.
            DownloadError::Registry(_) | DownloadError::Archive(_) => {
                registry.trouble().map_or(error, DownloadError::Connection)
            }
            error => error,
        })?;
        let command = self.command.clone();
        blocking(move || candidate.place(&command)).await?;
        tracing::info!(command = self.command, sha256 = %self.sha256, "a plugin was downloaded");
        Ok(())
    }

    async fn is_there(&self) -> Result<bool, DownloadError> {
        let (directory, sha256) = (self.directory.clone(), self.sha256);
        let program = Program { release: None, command: self.command.clone() };
        // Whatever is wrong with a file that is there: another one is put into its place.
        blocking(move || Ok(directory.hash(&program).is_ok_and(|found| found == sha256))).await
    }

    /// Looks through the layers, the uppermost first: what it says counts.
    async fn take(&self, registry: &Registry) -> Result<Candidate, DownloadError> {
        let manifest = registry.manifest().await?;
        let path = match &self.image.binary {
            Some(binary) => binary.clone(),
            None => registry.entry_point(&manifest).await?,
        };
        let path = path_in_image(&path).ok_or(DownloadError::NoPath(path))?;
        let mut wanted = Wanted { path, sha256: self.sha256, largest: self.config.largest };
        let mut budget = Budget::of(self.config.largest.saturating_mul(LAYERS));
        registry.expect(budget.left());
        for layer in manifest.layers.iter().rev() {
            let reader = registry.layer(layer).await?;
            let (packing, directory) = (layer::Packing::of(&layer.media_type)?, self.directory.clone());
            let looked = blocking(move || {
                let seen = layer::search(reader, packing, &wanted, &mut budget, &directory)?;
                Ok((seen, wanted, budget))
            });
            match looked.await? {
                (Seen::Taken(candidate), ..) => return Ok(candidate),
                (Seen::Removed, wanted, _) => return Err(DownloadError::Missing(wanted.path)),
                (Seen::Nothing, same, less) => (wanted, budget) = (same, less),
            }
        }
        Err(DownloadError::Missing(wanted.path))
    }
}

/// Files and archives are read and written where work may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, DownloadError> + Send + 'static,
) -> Result<T, DownloadError> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)?
}
