use std::sync::Arc;

use domain::{Operation::Update, Token, policy::Capability};
use wire::logical;

use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    core::Active,
    endpoint::Endpoint,
    error::Result,
    identity::Shown,
    token::{
        TokenKind, TokenRefusal,
        create::{create, create_chosen},
        draft::{Draft, Maker},
        role::Role,
        view,
        wish::Wish,
    },
};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "create",
        &[(Update, |ask| Box::pin(child(ask)))],
        "Makes a token that ends with the one that is sent with the request.",
    ),
    Endpoint::token(
        "create-orphan",
        &[(Update, |ask| Box::pin(orphan(ask)))],
        "Makes a token without a parent.",
    ),
    Endpoint::token(
        "create/:role",
        &[(Update, |ask| Box::pin(by_role(ask)))],
        "Makes a token as a role says.",
    ),
];

/// Custom ids look like none of ours.
const OURS: &str = "hvs.";

async fn child(ask: Ask) -> Result<Answer> {
    make(&ask, "auth/token/create".to_owned(), false, None).await
}

async fn orphan(ask: Ask) -> Result<Answer> {
    make(&ask, "auth/token/create-orphan".to_owned(), true, None).await
}

async fn by_role(ask: Ask) -> Result<Answer> {
    let name = ask.capture("role");
    let role = ask.active()?.tokens.role(name).await?;
    let role = role.ok_or_else(|| TokenRefusal::NoRole(name.to_owned()))?;
    make(&ask, format!("auth/token/create/{name}"), false, Some((name, &role))).await
}

async fn make(ask: &Ask, path: String, orphan: bool, role: Option<(&str, &Role)>) -> Result<Answer> {
    let active = ask.active()?;
    let wish = Wish::read(&ask.fields()?)?;
    let reach = ask.reach()?;
    let sudo = reach.is_root() || reach.capabilities(&path).has(Capability::Sudo);
    let limits = active.mounts.ttl_at(&path).ok_or(Error::UnsupportedPath)?;
    let caller = ask.caller()?;
    let maker = Maker { caller, active, sudo, path, orphan, role, limits };
    let Draft { mut entry, mut warnings } = maker.draft(&wish)?;
    if let Some(alias) = wish.entity_alias {
        entry.entity_id = entity(active, alias).await?;
    }
    if entry.parent.is_some() {
        caller.settle(active).await?;
    }
    let token = match wish.id.filter(|_| entry.kind == TokenKind::Service) {
        None => create(active, &entry).await?,
        Some(_) if !active.namespace.is_root() => return Err(TokenRefusal::ChosenBelow.into()),
        Some(chosen) => {
            check_chosen(&chosen, sudo)?;
            create_chosen(active, &chosen, &entry).await?;
            warnings.push(CHOSEN.to_owned());
            chosen
        }
    };
    let book = active.policies.book();
    let missing = entry.policies.iter().filter(|name| book.text(name).is_none());
    warnings.extend(missing.map(|name| format!("Policy {name:?} does not exist")));
    warnings.extend(wish.warning);
    Ok(Answer::Auth { auth: view::auth(active, token.expose(), &entry)?, warnings })
}

/// Who has that name at this mount.
async fn entity(active: &Arc<Active>, name: String) -> Result<String> {
    let snapshot = active.mounts.snapshot();
    let (_, mount, _) = snapshot.resolve("auth/token/create").ok_or(Error::UnsupportedPath)?;
    let alias = logical::Alias { name, ..logical::Alias::default() };
    let standing = active.identity.log_in(Shown::new(&mount.entry, alias, Vec::new())).await?;
    Ok(standing.entity_id().to_owned())
}

/// What whoever chooses a token is told.
const CHOSEN: &str = "Supplying a custom ID for the token makes it as hard to guess as that ID is; leave it out to get \
                      one that nobody can guess.";

fn check_chosen(token: &Token, sudo: bool) -> Result<(), TokenRefusal> {
    let text = token.expose();
    if !sudo {
        Err(TokenRefusal::Sudo("specify token id"))
    } else if text.starts_with(OURS) {
        Err(TokenRefusal::Prefix(OURS))
    } else if text.contains('.') {
        Err(TokenRefusal::Dot)
    } else if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
        // Nobody could send it.
        Err(TokenRefusal::Blank)
    } else {
        Ok(())
    }
}
