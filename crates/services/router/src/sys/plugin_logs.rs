//! What plugins write to their standard error.

use domain::{Operation::Read, PluginName, PluginType};
use futures::{Stream, TryStreamExt};
use serde_json::{Value, json, value::RawValue};
use tonic::Status;
use wire::{
    launcher::v1::{LogLine, LogsRequest},
    router::v1::{HeaderLine, Lines},
};

use super::{
    Unfit,
    plugin_events::{after, time},
    sse::{self, Happened},
};
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    core::Core,
    endpoint::{Captures, Endpoint},
    error::Result,
    fields::Fields,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::sudo(
    "plugins/logs/:type/*name",
    &[(Read, |ask| Box::pin(read(ask)))],
    "Tells the last lines of a plugin's log; level, version, limit and after choose them, follow goes on with what comes.",
)];

/// Whether what comes is asked for, too: then all lines come in a stream.
pub(super) fn follows(data: &[u8]) -> Result<bool> {
    Ok(Fields::parse(data)?.flag("follow")?.unwrap_or_default())
}

async fn read(ask: Ask) -> Result<Answer> {
    let request = request(&ask.captures, &ask.body, &[])?;
    if request.follow {
        return Ok(Answer::Nothing);
    }
    let lines = ask.core.clients.launcher.logs(request).await?.into_inner();
    let lines: Vec<Value> = lines.map_ok(|line| view(&line)).try_collect().await?;
    Ok(Answer::data(&json!({ "lines": lines })))
}

/// The lines that are asked for, and those to come.
pub(super) async fn follow(
    core: &Core,
    captures: &Captures,
    data: &[u8],
    headers: &[HeaderLine],
) -> Result<impl Stream<Item = Result<Lines, Status>> + Send + use<>> {
    let request = request(captures, data, headers)?;
    let lines = core.clients.launcher.logs(request).await?.into_inner();
    // Lines that nobody asked for leave gaps that are none.
    Ok(sse::events(lines.map_ok(|line| Happened { id: line.id, name: "log", data: view(&line) }), 0))
}

fn request(captures: &Captures, data: &[u8], headers: &[HeaderLine]) -> Result<LogsRequest> {
    let fields = Fields::parse(data)?;
    let plugin_type: PluginType = captures.get("type").parse().map_err(|_| Error::UnsupportedPath)?;
    let name: PluginName = captures.get("name").trim_end_matches('/').parse().map_err(Unfit::Name)?;
    let limit = match fields.number("limit")? {
        None => fields.number("lines")?,
        limit => limit,
    };
    Ok(LogsRequest {
        r#type: plugin_type.word().to_owned(),
        name: name.into(),
        version: fields.text("version")?.unwrap_or_default(),
        level: fields.text("level")?.unwrap_or_default().to_lowercase(),
        after: after(data, headers)?,
        limit: limit.unwrap_or_default().try_into().unwrap_or_default(),
        follow: fields.flag("follow")?.unwrap_or_default(),
    })
}

fn view(line: &LogLine) -> Value {
    let fields = serde_json::from_slice::<&RawValue>(&line.fields).ok();
    let mut view = json!({
        "id": line.id,
        "time": if line.said_at.is_empty() { time(line.time) } else { line.said_at.clone() },
        "level": line.level,
        "message": line.message,
        "module": line.module,
        "fields": fields,
        "version": line.version,
        "pid": line.pid,
        "mounts": line.mounts,
    });
    if line.more_mounts > 0 {
        view["more_mounts"] = line.more_mounts.into();
    }
    view
}
