//! What is told for as long as somebody reads it.

use std::sync::Arc;

use futures::{StreamExt, stream::BoxStream};
use tonic::Status;
use wire::router::v1::{Lines, Request};

use super::{ENDPOINTS, Unfit, monitor, notices, plugin_events, plugin_logs};
use crate::{Error, asked::Asked, core::Core, endpoint::find, error::Result, mounts::SYSTEM};

/// What a request wants to hear from now on. That it may is decided already.
pub(crate) async fn watch(
    core: &Arc<Core>,
    request: Request,
) -> Result<BoxStream<'static, Result<Lines, Status>>> {
    let mut asked = Asked::new(request)?;
    let active = core.active().await?;
    let active = active.shared.namespaces.enter(&mut asked.request)?;
    let rest = asked.path().strip_prefix(SYSTEM).ok_or(Error::UnsupportedPath)?;
    let (endpoint, captures) = find(ENDPOINTS, rest).ok_or(Error::UnsupportedPath)?;
    let (data, headers) = (&asked.request.data, &asked.request.headers);
    match endpoint.pattern {
        "monitor" => {
            let wish = monitor::wish(data)?;
            let lines = core.config.loggers.watch(&wish.level, &wish.format);
            let lines = lines.map_err(|_| Unfit::MonitorLevel)?;
            Ok(lines.map(|text| Ok(Lines { text })).boxed())
        }
        "plugins/events" => Ok(plugin_events::follow(core, data, headers).await?.boxed()),
        "plugins/logs/:type/*name" if plugin_logs::follows(data)? => {
            Ok(plugin_logs::follow(core, &captures, data, headers).await?.boxed())
        }
        "events/subscribe/*type" => {
            Ok(notices::follow(core, &active, &captures, data, asked.token.clone()).await?.boxed())
        }
        _ => Err(Error::UnsupportedOperation),
    }
}
