use std::collections::BTreeMap;

use domain::{Operation::Update, Token};
use serde_json::{Value, json};

use crate::{
    answer::Answer, ask::Ask, core::Active, endpoint::Endpoint, error::Result, fields::Fields, reach::Reach,
    sys::Unfit, token::Found,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "capabilities-self",
        &[(Update, |ask| Box::pin(of_caller(ask)))],
        "Tells what the caller may do at some paths.",
    )
    .on_top(),
    Endpoint::token(
        "capabilities",
        &[(Update, |ask| Box::pin(of_token(ask)))],
        "Tells what the holder of a token may do at some paths.",
    )
    .on_top(),
    Endpoint::token(
        "capabilities-accessor",
        &[(Update, |ask| Box::pin(of_accessor(ask)))],
        "Tells what the holder of the token with an accessor may do at some paths.",
    )
    .on_top(),
];

async fn of_caller(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    answer(&fields, &ask.reach()?, &["token"])
}

async fn of_token(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let token = fields.text("token")?.filter(|token| !token.is_empty()).ok_or(Unfit::NoToken)?;
    let active = ask.active()?;
    let found = active.find_token(&Token::new(token)).await?.ok_or(Unfit::BadToken)?;
    answer(&fields, &reach(&found, active)?, &["token"])
}

async fn of_accessor(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let accessor = fields.text("accessor")?.unwrap_or_default();
    let active = ask.active()?;
    let found = active.find_by_accessor(&accessor).await?.ok_or(Unfit::BadAccessor)?;
    answer(&fields, &reach(&found, active)?, &["accessor"])
}

/// What somebody else may do here. Who belongs to a namespace below may do nothing, whatever their policies say.
fn reach(found: &Found, active: &Active) -> Result<Reach> {
    let at = if found.home.namespace.path.contains(&active.namespace.path) { active } else { &found.home };
    Reach::of(found, &at.namespace)
}

fn answer(fields: &Fields, reach: &Reach, also: &[&str]) -> Result<Answer> {
    let paths = match fields.list("paths")?.filter(|paths| !paths.is_empty()) {
        Some(paths) => paths,
        None => fields.list("path")?.unwrap_or_default(),
    };
    let mut data: BTreeMap<&str, Value> = BTreeMap::new();
    for path in &paths {
        data.insert(path, json!(reach.words(path.strip_prefix('/').unwrap_or(path))));
    }
    if let [only] = paths.as_slice() {
        data.insert("capabilities", data[only.as_str()].clone());
    }
    if data.is_empty() {
        return Err(Unfit::NoPaths.into());
    }
    Ok(match fields.unknown_warning(&[&["paths", "path"], also].concat()) {
        None => Answer::data(&data),
        Some(warning) => Answer::warned(&data, warning),
    })
}
