use base64::{Engine, engine::general_purpose::STANDARD};
use domain::Operation::{Delete, List, Read, Update};
use serde_json::json;

use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, policies::PolicyRefusal};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token("policies/acl/", &[(List, |ask| Box::pin(list(ask)))], "Lists the policies."),
    Endpoint::token(
        "policies/acl/*name",
        &[
            (Read, |ask| Box::pin(read(ask, "policy"))),
            (Update, |ask| Box::pin(write(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, writes and deletes a policy.",
    ),
    Endpoint::token(
        "policy",
        &[(Read, |ask| Box::pin(list_twice(ask)))],
        "Lists the policies, as older clients ask for them.",
    )
    .on_top(),
    Endpoint::token(
        "policy/",
        &[(List, |ask| Box::pin(list_twice(ask)))],
        "Lists the policies, as older clients ask for them.",
    )
    .on_top(),
    Endpoint::token(
        "policy/*name",
        &[
            (Read, |ask| Box::pin(read(ask, "rules"))),
            (Update, |ask| Box::pin(write_rules(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Reads, writes and deletes a policy, as older clients do.",
    )
    .on_top(),
];

async fn list(ask: Ask) -> Result<Answer> {
    let book = ask.active()?.policies.book();
    Ok(Answer::data(&json!({ "keys": book.names() })))
}

async fn list_twice(ask: Ask) -> Result<Answer> {
    let book = ask.active()?.policies.book();
    Ok(Answer::data(&json!({ "keys": book.names(), "policies": book.names() })))
}

async fn read(ask: Ask, member: &str) -> Result<Answer> {
    let name = ask.capture("name").to_lowercase();
    let book = ask.active()?.policies.book();
    let text = book.text(&name).ok_or(Error::Nothing)?;
    Ok(Answer::data(&json!({ "name": name, member: text })))
}

async fn write(ask: Ask) -> Result<Answer> {
    let text = ask.fields()?.text("policy")?;
    put(&ask, text, None).await
}

async fn write_rules(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let text = fields.text("policy")?.filter(|text| !text.is_empty());
    match (text, fields.text("rules")?) {
        (None, Some(rules)) => {
            put(&ask, Some(rules), Some("'rules' is deprecated, please use 'policy' instead")).await
        }
        (text, _) => put(&ask, text, None).await,
    }
}

async fn put(ask: &Ask, text: Option<String>, warning: Option<&str>) -> Result<Answer> {
    let given = ask.capture("name");
    let name = given.to_lowercase();
    let text = text.filter(|text| !text.is_empty()).ok_or(PolicyRefusal::Empty)?;
    ask.active()?.policies.put(&name, plain(text)).await?;
    let renamed = (name != given).then(|| format!("policy name was converted to {name}"));
    let warnings: Vec<String> = renamed.into_iter().chain(warning.map(str::to_owned)).collect();
    Ok(if warnings.is_empty() { Answer::Nothing } else { Answer::warnings(warnings) })
}

async fn delete(ask: Ask) -> Result<Answer> {
    let name = ask.capture("name").to_lowercase();
    ask.active()?.policies.delete(&name).await?;
    Ok(Answer::Nothing)
}

/// Texts may be sent in base64.
pub(super) fn plain(text: String) -> String {
    let decoded = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded.unwrap_or(text)
}
