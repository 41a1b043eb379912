use std::time::Duration;

use domain::Operation::{Delete, List, Read, Update};
use serde_json::{Value, json};

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    fields::{Fields, WrittenDuration},
    quotas::{QuotaRefusal, RateLimit},
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "quotas/config",
        &[(Read, |ask| Box::pin(config(ask))), (Update, |ask| Box::pin(configure(ask)))],
        "Tells and sets which paths no quota is for, and what is told of quotas.",
    ),
    Endpoint::token("quotas/rate-limit/", &[(List, |ask| Box::pin(list(ask)))], "Lists the quotas."),
    Endpoint::token(
        "quotas/rate-limit/:name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, sets and removes a quota: how often each client may ask below a path.",
    ),
];

async fn config(ask: Ask) -> Result<Answer> {
    Ok(Answer::data(&*ask.active()?.shared.quotas.settings.now()))
}

async fn configure(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let exempt = fields.list("rate_limit_exempt_paths")?;
    let absolute = fields.list("absolute_rate_limit_exempt_paths")?;
    let recorded = fields.flag("enable_rate_limit_audit_logging")?;
    let told = fields.flag("enable_rate_limit_response_headers")?;
    let change = ask.active()?.shared.quotas.settings.change(|settings| {
        let mut settings = settings.clone();
        settings.rate_limit_exempt_paths = exempt.unwrap_or(settings.rate_limit_exempt_paths);
        settings.absolute_rate_limit_exempt_paths = absolute.or(settings.absolute_rate_limit_exempt_paths);
        settings.enable_rate_limit_audit_logging =
            recorded.unwrap_or(settings.enable_rate_limit_audit_logging);
        settings.enable_rate_limit_response_headers =
            told.unwrap_or(settings.enable_rate_limit_response_headers);
        Ok(settings)
    });
    change.await?;
    Ok(Answer::Nothing)
}

async fn list(ask: Ask) -> Result<Answer> {
    let rules = ask.active()?.shared.quotas.rules.now();
    let names: Vec<&String> = rules.iter().map(|(name, _)| name).collect();
    Answer::keys(&names)
}

async fn read(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name");
    let rules = ask.active()?.shared.quotas.rules.now();
    let rule = rules.get(name).ok_or(Error::Nothing)?;
    Ok(Answer::data(&json!({
        "type": "rate-limit",
        "name": name,
        "path": rule.path,
        "role": "",
        "rate": number(rule.rate),
        "secondary_rate": 0,
        "group_by": "ip",
        "interval": rule.interval.as_secs(),
        "block_interval": rule.block_interval.as_secs(),
        "inheritable": rule.inheritable,
    })))
}

/// A whole number without a point, as Go writes it.
fn number(rate: f64) -> Value {
    if rate.fract() == 0.0 { json!(rate as u64) } else { json!(rate) }
}

async fn write(ask: Ask) -> Result<Answer> {
    let active = ask.active()?;
    let fields = ask.fields()?;
    let name = ask.capture("name");
    let rule = rule(&fields)?;
    let place = active.shared.namespaces.lead(&rule.path)?;
    if !place.is_some_and(|(there, rest)| rest.is_empty() || there.mounts.snapshot().resolve(rest).is_some())
    {
        return Err(QuotaRefusal::Mount(rule.path).into());
    }
    let change = active.shared.quotas.change(|rules| match rules.rival(name, &rule.path) {
        Some(rival) => Err(QuotaRefusal::Rival(rival.to_owned()).into()),
        None => Ok(rules.with(name.to_owned(), rule)),
    });
    change.await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name");
    ask.active()?.shared.quotas.change(|rules| Ok(rules.without(name))).await?;
    Ok(Answer::Nothing)
}

fn rule(fields: &Fields) -> Result<RateLimit> {
    let given = |name| Ok::<_, Error>(fields.text(name)?.unwrap_or_default());
    if !given("role")?.is_empty() {
        return Err(QuotaRefusal::Role.into());
    }
    if !matches!(given("group_by")?.as_str(), "" | "ip")
        || !matches!(given("secondary_rate")?.as_str(), "" | "0")
    {
        return Err(QuotaRefusal::GroupBy.into());
    }
    let rate: f64 = given("rate")?.parse().map_err(|_| QuotaRefusal::Rate)?;
    if !(0.001..=f64::from(u32::MAX)).contains(&rate) {
        return Err(QuotaRefusal::Rate.into());
    }
    let interval = duration(fields, "interval", QuotaRefusal::Interval)?.unwrap_or(Duration::from_secs(1));
    if interval.as_secs() == 0 {
        return Err(QuotaRefusal::Interval.into());
    }
    Ok(RateLimit {
        path: given("path")?.trim_start_matches('/').to_owned(),
        rate,
        interval,
        block_interval: duration(fields, "block_interval", QuotaRefusal::Block)?.unwrap_or_default(),
        inheritable: fields.flag("inheritable")?.unwrap_or(false),
    })
}

fn duration(fields: &Fields, name: &str, refusal: QuotaRefusal) -> Result<Option<Duration>> {
    match fields.duration(name)? {
        None => Ok(None),
        Some(WrittenDuration { value, .. }) => value.map(Some).map_err(|_| refusal.into()),
    }
}
