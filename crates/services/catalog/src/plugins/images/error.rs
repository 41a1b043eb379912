use std::{error::Error, io};

use domain::Sha256;
use oci_client::errors::OciDistributionError;
use rustix::io::Errno;

use super::gate::Trouble;
use crate::plugins::ArtifactError;

/// Who answers with a page is not repeated to its end.
const LONGEST: usize = 500;

/// A plugin that could not be downloaded.
#[derive(Debug, thiserror::Error)]
#[error("cannot download plugin {plugin} from {image}: {why}")]
pub struct DownloadFailed {
    /// What its file would be called.
    pub plugin: String,
    /// The image.
    pub image: String,
    /// Why not.
    pub why: Box<DownloadError>,
}

/// Why a plugin could not be downloaded.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// No connection was made, or one was cut.
    #[error(transparent)]
    Connection(Trouble),
    /// There is no port for what makes the connections.
    #[error("cannot listen on this machine: {0}")]
    Port(io::Error),
    /// The name is none that a registry could be asked for.
    #[error("{0}")]
    Reference(String),
    /// The registry says no, or something that is no answer.
    #[error("{0}")]
    Registry(String),
    /// The file with the names and passwords for registries cannot be used.
    #[error("{path} does not say how to log in to registries: {why}")]
    Credentials {
        /// Which file.
        path: String,
        /// Why not.
        why: String,
    },
    /// Neither the configuration nor the image says which file it is.
    #[error("the image does not say what it runs (ENTRYPOINT or CMD): set binary_name")]
    NoEntryPoint,
    /// It is called what no file in an image is called.
    #[error("{0:?} is not the path of a file inside the image")]
    NoPath(String),
    /// Layers are archives.
    #[error("a layer of the image is {0:?}, not a tar archive, plain or packed with gzip")]
    Packing(String),
    /// It is not what the manifest says.
    #[error("a layer of the image is no sound archive: {0}")]
    Archive(io::Error),
    /// An archive that would be written to where it has no business.
    #[error("a layer of the image has the path {0:?}, which leads out of the image")]
    Outside(String),
    /// Nothing is there.
    #[error("the image has no file {0:?}: set binary_name to the path of the plugin's program in it")]
    Missing(String),
    /// Something is there that is not a file.
    #[error("{path:?} in the image is {what}, not a file")]
    NotAFile {
        /// Where.
        path: String,
        /// What it is.
        what: &'static str,
    },
    /// The program is too large.
    #[error("the plugin's program has {size} bytes, at most {largest} are taken (plugin_download_max_size)")]
    TooLarge {
        /// What its archive says.
        size: u64,
        /// What is allowed.
        largest: u64,
    },
    /// The image is too large, or grows without end when it is unpacked.
    #[error(
        "the image has more than {0} bytes before the plugin's program is found, which is four times what a program \
         may have (plugin_download_max_size)"
    )]
    TooMuch(u64),
    /// Other bytes than were said.
    #[error("the plugin's program in the image has SHA256 {found}, the configuration says {expected}")]
    Mismatch {
        /// As configured.
        expected: Sha256,
        /// As found.
        found: Sha256,
    },
    /// It takes and takes.
    #[error("it took too long")]
    TookTooLong,
    /// The plugin directory.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// The system says no.
    #[error("cannot write to the plugin directory: {0}")]
    System(#[from] io::Error),
}

impl From<OciDistributionError> for DownloadError {
    fn from(error: OciDistributionError) -> Self {
        use OciDistributionError::{RegistryError, RequestError, ServerError, UnauthorizedError};
        let text = match error {
            RequestError(error) => told(error),
            RegistryError { envelope, url } => RegistryError { envelope, url: unsigned(url) }.to_string(),
            ServerError { code, url, message } => {
                ServerError { code, url: unsigned(url), message }.to_string()
            }
            UnauthorizedError { url } => UnauthorizedError { url: unsigned(url) }.to_string(),
            error => error.to_string(),
        };
        Self::Registry(text.chars().take(LONGEST).collect())
    }
}

/// What went wrong with a request, and why; without the address, since it may be one that was redirected to.
pub(super) fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let (mut text, mut source) = (error.to_string(), error.source());
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The address that a registry redirects to holds a signature in its query, by which anybody may read there.
fn unsigned(mut url: String) -> String {
    url.truncate(url.find('?').unwrap_or(url.len()));
    url
}

impl From<Errno> for DownloadError {
    fn from(error: Errno) -> Self {
        Self::System(error.into())
    }
}
