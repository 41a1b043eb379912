//! What a token holds in namespaces below its own. It ends with the token, as what it holds at home does.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, future::BoxFuture, stream};
use wire::catalog::v1::Write;

use super::{
    Caller, SaltedId,
    records::{self, Children},
    revoke::{self, revoke_tree},
};
use crate::{core::Active, cubbyhole::Shelf, error::Result};

/// How many tokens are ended at the same time.
const AT_ONCE: usize = 16;

impl Caller {
    /// Whether the token belongs to another namespace than the one that is asked.
    pub(crate) fn is_abroad(&self, active: &Active) -> bool {
        self.home.namespace.uuid != active.namespace.uuid
    }

    /// Stores something in a namespace that ends with the token.
    pub(crate) async fn add_belonging(&self, active: &Active, belonging: Write) -> Result<()> {
        self.settle(active).await?;
        self.home.tokens.add_belonging(&self.id, &active.store, belonging).await
    }

    /// The caller is about to hold something in a namespace, which has to end with the token.
    pub(crate) async fn settle(&self, active: &Active) -> Result<()> {
        if self.is_abroad(active) {
            active.guests.admit(&self.id, &self.home.namespace).await
        } else {
            Ok(())
        }
    }
}

/// Ends the tokens that a dead token has in the namespaces below its own, or lets them go.
pub(super) async fn end_children(home: &Active, id: &SaltedId, children: Children) -> Result<()> {
    for host in hosts(home, id)? {
        end_children_in(&host, id, children).await?;
    }
    Ok(())
}

/// Ends all that a dead token holds in the namespaces below its own.
pub(super) async fn end_holdings(home: &Active, id: &SaltedId) -> Result<()> {
    for host in hosts(home, id)? {
        end_holdings_in(&host, id).await?;
    }
    Ok(())
}

/// Ends what is left of guests whose token has ended.
pub(super) async fn tidy(host: &Arc<Active>) -> Result<()> {
    for id in host.guests.all() {
        if !host.is_alive(&id).await? {
            end_children_in(host, &id, Children::Die).await?;
            end_holdings_in(host, &id).await?;
        }
    }
    Ok(())
}

/// The namespaces in which a token is a guest.
fn hosts(home: &Active, id: &SaltedId) -> Result<Vec<Arc<Active>>> {
    let mut below = home.shared.namespaces.in_use_below(&home.namespace.path)?;
    below.retain(|active| active.guests.home(id).is_some());
    Ok(below)
}

/// Boxed, because a child may have children of its own further below.
fn end_children_in<'a>(
    host: &'a Arc<Active>,
    id: &'a SaltedId,
    children: Children,
) -> BoxFuture<'a, Result<()>> {
    Box::pin(async move {
        let folder = records::children(id);
        loop {
            let names = host.store.page(&folder, String::new()).await?;
            if names.is_empty() {
                return Ok(());
            }
            let ends = names.into_iter().map(|name| end_child(host, &folder, name, children));
            stream::iter(ends).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
        }
    })
}

async fn end_child(host: &Active, folder: &str, name: String, children: Children) -> Result<()> {
    match (SaltedId::parse(&name), children) {
        (Some(child), Children::Die) => revoke_tree(host, child).await?,
        (Some(child), Children::Stay) => drop(revoke::orphan(host, &child).await?),
        (None, _) => {}
    }
    // There may be no such token, only its name among the children.
    host.store.delete(format!("{folder}{name}")).await
}

async fn end_holdings_in(host: &Arc<Active>, id: &SaltedId) -> Result<()> {
    host.leases.revoke_of_token(id).await?;
    Shelf::of(&host.store, id).clear().await?;
    host.guests.forget(id).await
}
