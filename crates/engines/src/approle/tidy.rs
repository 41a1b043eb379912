use std::sync::Arc;

use jiff::Timestamp;
use tenon::{
    Prefix, Request, Response, Result,
    framework::{NoInput, Outcome},
};

use super::{
    Approle,
    secret_id::SecretId,
    store::{ROLES, secret_ids_of, stored_secret_id_key},
};

impl Approle {
    pub(super) async fn tidy(self: Arc<Self>, request: Request, _: NoInput) -> Outcome {
        let mount = Arc::clone(&self);
        tokio::spawn(async move {
            if let Err(error) = mount.remove_expired(()).await {
                tracing::warn!(%error, "secret ids whose time is over are not all removed");
            }
        });
        let told = "Tidy operation successfully started. Any information from the operation will be printed to \
                    Vault's server logs.";
        Response::warning(told).with_status(202, &request.id).map(Some)
    }

    /// Removes the secret ids whose time is over.
    pub(super) async fn remove_expired(self: Arc<Self>, (): ()) -> Result<()> {
        let roles: Prefix = ROLES.parse()?;
        let now = Timestamp::now();
        for name in self.host.storage.list(&roles).await? {
            let Some(role) = self.role(&name).await? else { continue };
            for hash in self.host.storage.list(&secret_ids_of(&role)?).await? {
                let _turn = self.secret_ids.lock(&hash).await;
                let secret = self.load::<SecretId>(&stored_secret_id_key(&role, &hash)?).await?;
                if let Some(secret) = secret.filter(|secret| secret.is_expired(now)) {
                    self.host.storage.commit(self.removal(&role, &hash, &secret)?).await?;
                }
            }
        }
        Ok(())
    }
}
