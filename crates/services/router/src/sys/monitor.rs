use domain::Operation::Read;

use super::Unfit;
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, fields::Fields};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "monitor",
    &[(Read, |ask| Box::pin(monitor(ask)))],
    "Tells what the server logs, for as long as it is listened to.",
)];

const LEVELS: [&str; 7] = ["trace", "debug", "info", "notice", "warn", "warning", "error"];
const FORMATS: [&str; 2] = ["standard", "json"];

/// What somebody wants to see of the log.
#[derive(Debug)]
pub(super) struct MonitorWish {
    pub(super) level: String,
    pub(super) format: String,
}

/// What a request says that it wants to see.
pub(super) fn wish(data: &[u8]) -> Result<MonitorWish> {
    let fields = Fields::parse(data)?;
    let given = |name, usual: &str| {
        let text = fields.text(name)?.filter(|text| !text.is_empty());
        Ok::<_, crate::Error>(text.map_or_else(|| usual.to_owned(), |text| text.to_lowercase()))
    };
    let (level, format) = (given("log_level", "info")?, given("log_format", "standard")?);
    if !LEVELS.contains(&level.as_str()) {
        return Err(Unfit::MonitorLevel.into());
    }
    if !FORMATS.contains(&format.as_str()) {
        return Err(Unfit::MonitorFormat.into());
    }
    Ok(MonitorWish { level, format })
}

/// Whether it may be. The lines themselves come in a stream.
async fn monitor(ask: Ask) -> Result<Answer> {
    wish(&ask.body)?;
    Ok(Answer::Nothing)
}
