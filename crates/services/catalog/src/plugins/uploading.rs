use std::sync::Arc;

use domain::Sha256;
use wire::catalog::v1::{PlaceRequest, UploadPiece, UploadRequest, UploadState};

use super::{PluginError, PluginsService, UploadError, upload::Uploads};
use crate::Error;

impl PluginsService {
    pub(super) async fn take_piece(&self, piece: UploadPiece) -> Result<UploadState, Error> {
        let UploadPiece { sha256, offset, data } = piece;
        let received =
            self.with_upload(&sha256, move |uploads, sha256| uploads.add(sha256, offset, &data)).await?;
        Ok(UploadState { received })
    }

    pub(super) async fn upload_state(&self, request: UploadRequest) -> Result<UploadState, Error> {
        let received = self.with_upload(&request.sha256, |uploads, sha256| uploads.received(sha256)).await?;
        Ok(UploadState { received })
    }

    pub(super) async fn place(&self, request: PlaceRequest) -> Result<(), Error> {
        let command = request.command.clone();
        self.with_upload(&request.sha256, move |uploads, sha256| uploads.place(sha256, &command)).await?;
        tracing::info!(command = request.command, "a plugin was uploaded");
        Ok(())
    }

    pub(super) async fn forget_upload(&self, request: UploadRequest) -> Result<(), Error> {
        self.with_upload(&request.sha256, |uploads, sha256| uploads.give_up(sha256)).await
    }

    /// One after the other, where work may block.
    async fn with_upload<T: Send + 'static>(
        &self,
        sha256: &[u8],
        work: impl FnOnce(Uploads, Sha256) -> Result<T, UploadError> + Send + 'static,
    ) -> Result<T, Error> {
        self.check_unsealed()?;
        let sha256 = Sha256::try_from(sha256).map_err(PluginError::from)?;
        let uploads = self.uploads.clone();
        let turn = Arc::clone(&self.uploading).lock_owned().await;
        let done = tokio::task::spawn_blocking(move || {
            // It ends with the work, which goes on when nobody waits for it any more.
            let _turn = turn;
            work(uploads, sha256)
        });
        let done = done.await;
        Ok(done.map_err(::storage::Error::backend)??)
    }
}
