use std::time::Duration;

use bytes::Bytes;
use domain::{Kind, Operation, Token};
use tokio::time::timeout;
use wire::{
    Failure,
    launcher::v1::{Call, LauncherSeam},
    pb,
};

use super::{failure::error_of, inspect::Data, reply::refuse_errors, request::salted, send::retold};
use crate::{
    Error,
    error::Result,
    identity::told,
    mounts::{Mount, Mounts},
};

/// How long a plugin may take to renew or revoke something.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks a plugin to renew or to revoke what it has issued. That is the host's own request: nobody else stands behind it.
pub(crate) async fn ask_issuer(
    launcher: &LauncherSeam,
    mounts: &Mounts,
    mount: &Mount,
    operation: Operation,
    request: pb::Request,
) -> Result<Option<Box<pb::Response>>> {
    let request = pb::Request {
        operation: operation.word().to_owned(),
        mount_point: mount.entry.path.to_string(),
        mount_type: mount.entry.plugin.clone(),
        client_token: salted(&mount.entry.uuid, &Token::new(String::new())),
        ..filled(request)
    };
    let person = told(mounts, &request.entity_id);
    let call = Call { mount: mount.entry.uuid.clone(), request: Some(Box::new(request)), person };
    let answer = async {
        mounts.make_ready(mount).await?;
        retold(mounts, mount, || {
            let (launcher, call) = (launcher.clone(), call.clone());
            async move { launcher.handle(call).await }
        })
        .await
    };
    let reply = timeout(PATIENCE, answer).await.map_err(|_| too_slow())??;
    let error = error_of(reply.err);
    let Some(response) = reply.response else { return error.map_or(Ok(None), Err) };
    refuse_errors(error, &Data::of(&response.data)?)?;
    Ok(Some(response))
}

/// What was never said is an empty object: Go's side refuses an empty text.
fn filled(mut request: pb::Request) -> pb::Request {
    let secret = request.secret.as_mut().map(|secret| &mut secret.internal_data);
    let auth = request.auth.as_mut().map(|auth| &mut auth.internal_data);
    for json in [Some(&mut request.data), secret, auth].into_iter().flatten() {
        if json.is_empty() {
            *json = Bytes::from_static(b"{}");
        }
    }
    request
}

fn too_slow() -> Error {
    let seconds = PATIENCE.as_secs();
    Error::Below(Failure::new(Kind::Timeout, format!("the plugin did not answer within {seconds} seconds")))
}
