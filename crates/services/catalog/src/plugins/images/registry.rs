use std::{
    io::{self, Read},
    time::Duration,
};

use bytes::Bytes;
use domain::PluginImage;
use oci_client::{
    Client, Reference,
    client::{ClientConfig, ClientProtocol},
    config::ConfigFile,
    errors::OciDistributionError,
    manifest::{OciDescriptor, OciImageManifest},
    secrets::RegistryAuth,
};
use tokio_stream::StreamExt;
use tokio_util::io::{StreamReader, SyncIoBridge};

use super::{
    DownloadError, credentials,
    error::told,
    gate::{Gate, Trouble},
};
use crate::DownloadConfig;

/// How long a registry may say nothing.
const SILENCE: Duration = Duration::from_secs(30);

/// As many bytes may come in before the first layer does: manifests, what they say of the image, tokens.
const TALK: u64 = 8 << 20;

/// As much may come in beside the bytes of the layers: what is around them on the way.
const AROUND: u64 = 64 << 20;

/// A registry that is asked for one image.
pub(super) struct Registry {
    client: Client,
    gate: Gate,
    image: Reference,
    login: RegistryAuth,
}

impl Registry {
    pub(super) async fn open(image: &PluginImage, config: &DownloadConfig) -> Result<Self, DownloadError> {
        let image = Reference::try_from(image.reference());
        let image = image.map_err(|error| DownloadError::Reference(error.to_string()))?;
        let login = credentials::of(&image, &config.logins)?;
        let gate = Gate::open(config.outbound.clone(), TALK).await.map_err(DownloadError::Port)?;
        let client = Client::try_from(ClientConfig {
            protocol: ClientProtocol::HttpsExcept(config.plain_http.clone()),
            read_timeout: Some(SILENCE),
            user_agent: concat!("mortise/", env!("CARGO_PKG_VERSION")),
            https_proxy: Some(gate.url()),
            http_proxy: Some(gate.url()),
            ..ClientConfig::default()
        })?;
        Ok(Self { client, gate, image, login })
    }

    /// Why there was no connection, if that is what went wrong.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.gate.trouble()
    }

    /// So many bytes of layers may come.
    pub(super) fn expect(&self, bytes: u64) {
        self.gate.expect(bytes.saturating_add(AROUND));
    }

    /// What the image for this machine consists of.
    pub(super) async fn manifest(&self) -> Result<OciImageManifest, DownloadError> {
        Ok(self.client.pull_image_manifest(&self.image, &self.login).await?.0)
    }

    /// What the image says that it runs.
    pub(super) async fn entry_point(&self, manifest: &OciImageManifest) -> Result<String, DownloadError> {
        let mut bytes = Vec::new();
        self.client.pull_blob(&self.image, &manifest.config, &mut bytes).await?;
        let file = serde_json::from_slice::<ConfigFile>(&bytes).map_err(OciDistributionError::from)?;
        let said = file.config.unwrap_or_default();
        let words = [said.entrypoint, said.cmd].into_iter().flatten();
        words.filter_map(|words| words.into_iter().next()).next().ok_or(DownloadError::NoEntryPoint)
    }

    /// The bytes of a layer, to be read where reading may block. They are not checked: what is taken out of them is.
    pub(super) async fn layer(
        &self,
        layer: &OciDescriptor,
    ) -> Result<impl Read + Send + use<>, DownloadError> {
        let size = u64::try_from(layer.size).unwrap_or_default();
        let stream = self.client.pull_blob_stream(&self.image, layer).await?.stream;
        let stream = stream.map(|bytes: io::Result<Bytes>| bytes.map_err(without_address));
        Ok(SyncIoBridge::new(StreamReader::new(stream)).take(size))
    }
}

fn without_address(error: io::Error) -> io::Error {
    match error.downcast::<reqwest::Error>() {
        Ok(error) => io::Error::other(told(error)),
        Err(error) => error,
    }
}
