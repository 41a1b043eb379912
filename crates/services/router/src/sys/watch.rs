//! What is told for as long as somebody reads it.

use futures::{StreamExt, stream::BoxStream};
use tonic::Status;
use wire::router::v1::{HeaderLine, Lines, Request};

use super::{ENDPOINTS, Unfit, monitor, plugin_events, plugin_logs};
use crate::{
    Error,
    core::Core,
    endpoint::{Captures, find},
    error::Result,
    mounts::SYSTEM,
};

/// Something that is told without end, as it was asked for.
pub(crate) struct Watch {
    what: &'static str,
    captures: Captures,
    data: bytes::Bytes,
    headers: Vec<HeaderLine>,
}

impl Watch {
    /// What a request wants to see; whether it may is decided elsewhere.
    pub(crate) fn of(request: &Request) -> Result<Self> {
        let rest = request.path.strip_prefix(SYSTEM).ok_or(Error::UnsupportedPath)?;
        let (endpoint, captures) = find(ENDPOINTS, rest).ok_or(Error::UnsupportedPath)?;
        let (data, headers) = (request.data.clone(), request.headers.clone());
        Ok(Self { what: endpoint.pattern, captures, data, headers })
    }

    /// What is told from now on.
    pub(crate) async fn begin(self, core: &Core) -> Result<BoxStream<'static, Result<Lines, Status>>> {
        let Self { what, captures, data, headers } = self;
        match what {
            "monitor" => {
                let wish = monitor::wish(&data)?;
                let lines = core.config.loggers.watch(&wish.level, &wish.format);
                let lines = lines.map_err(|_| Unfit::MonitorLevel)?;
                Ok(lines.map(|text| Ok(Lines { text })).boxed())
            }
            "plugins/events" => Ok(plugin_events::follow(core, &data, &headers).await?.boxed()),
            "plugins/logs/:type/*name" if plugin_logs::follows(&data)? => {
                Ok(plugin_logs::follow(core, &captures, &data, &headers).await?.boxed())
            }
            _ => Err(Error::UnsupportedOperation),
        }
    }
}
