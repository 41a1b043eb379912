use domain::Operation::{Delete, Read, Update};
use serde_json::{Value, json};

use super::Unfit;
use crate::{answer::Answer, ask::Ask, endpoint::Endpoint, error::Result};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "loggers",
        &[
            (Read, |ask| Box::pin(all(ask))),
            (Update, |ask| Box::pin(set(ask))),
            (Delete, |ask| Box::pin(reset(ask))),
        ],
        "Tells and sets how much all parts of the server log, until it is started again.",
    ),
    Endpoint::token(
        "loggers/:name",
        &[
            (Read, |ask| Box::pin(one(ask))),
            (Update, |ask| Box::pin(set(ask))),
            (Delete, |ask| Box::pin(reset(ask))),
        ],
        "Tells and sets how much one part of the server logs, until it is started again.",
    ),
];

async fn all(ask: Ask) -> Result<Answer> {
    Ok(Answer::data(&ask.core.config.loggers.levels()))
}

async fn one(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name");
    let levels = ask.core.config.loggers.levels();
    Ok(Answer::data(
        &levels.get(name).map_or_else(|| json!({}), |level| json!({ name: Value::from(*level) })),
    ))
}

async fn set(ask: Ask) -> Result<Answer> {
    let level = ask.fields()?.text("level")?.unwrap_or_default();
    if level.is_empty() {
        return Err(Unfit::NoLevel.into());
    }
    let name = named(&ask)?;
    ask.core.config.loggers.set(name, &level).map_err(|_| Unfit::Level(level))?;
    Ok(Answer::Nothing)
}

async fn reset(ask: Ask) -> Result<Answer> {
    ask.core.config.loggers.reset(named(&ask)?);
    Ok(Answer::Nothing)
}

/// The part that is meant; none: all of them.
fn named(ask: &Ask) -> Result<Option<&str>, Unfit> {
    let name = ask.capture("name");
    if name.is_empty() {
        return Ok(None);
    }
    let known = ask.core.config.loggers.levels().contains_key(name);
    if known { Ok(Some(name)) } else { Err(Unfit::Logger(name.to_owned())) }
}
