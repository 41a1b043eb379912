//! What is asked of entities, of groups and of the aliases of each in the same way.

use domain::{
    Operation::{Delete, List, Read, Update},
    identity::{Directory, Draft},
};
use serde_json::Value;

use super::{
    changes::{answer, given},
    view::{Places, named},
};
use crate::{Error, answer::Answer, ask::Ask, endpoint::Operations, error::Result, fields::Fields};

/// One sort of what is kept, each of which has an id.
pub(super) trait Family: Sized + 'static {
    /// The parameters of a write.
    const FIELDS: &'static [&'static str];

    /// What can be done without naming one, with one by its id, and with all.
    const ANY: Operations = &[(Update, |ask| Box::pin(write::<Self>(ask)))];
    const BY_ID: Operations = &[
        (Read, |ask| Box::pin(read::<Self>(ask))),
        (Update, |ask| Box::pin(write_by_id::<Self>(ask))),
        (Delete, |ask| Box::pin(delete::<Self>(ask))),
    ];
    const IDS: Operations = &[(List, |ask| Box::pin(list::<Self>(ask)))];

    /// What one shall be.
    type Wish: Send;

    fn wish(ask: &Ask, fields: &Fields) -> Result<Self::Wish>;

    /// Makes one, or changes the one with an id, or another that it has to be; says what the caller is told of it.
    fn enter(wish: Self::Wish, draft: &mut Draft<'_>, id: Option<&str>) -> Result<Option<Value>>;

    /// One as it is shown.
    fn show(directory: &Directory, places: &Places<'_>, id: &str) -> Result<Value>;

    /// The ids of all, with something about each; none: there are none.
    fn list(directory: &Directory, places: &Places<'_>) -> Option<Value>;

    /// Removes one, if it is there.
    fn remove(draft: &mut Draft<'_>, id: &str);
}

/// A sort of which each has a name too.
pub(super) trait Named: Family {
    /// What can be done with one by its name, and with the names of all.
    const BY_NAME: Operations = &[
        (Read, |ask| Box::pin(read_named::<Self>(ask))),
        (Update, |ask| Box::pin(write_by_name::<Self>(ask))),
        (Delete, |ask| Box::pin(delete_named::<Self>(ask))),
    ];
    const NAMES: Operations = &[(List, |ask| Box::pin(list_names::<Self>(ask)))];

    /// The name that one shall have.
    fn name(wish: &mut Self::Wish) -> &mut Option<String>;

    /// The id of the one with a name.
    fn id(directory: &Directory, name: &str) -> Option<String>;

    fn names(directory: &Directory) -> impl Iterator<Item = String>;
}

async fn write<F: Family>(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let id = given(&fields, "id")?;
    enter::<F>(&ask, &fields, F::wish(&ask, &fields)?, id.as_deref(), &[]).await
}

/// The path says which one, whatever the body says.
async fn write_by_id<F: Family>(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    enter::<F>(&ask, &fields, F::wish(&ask, &fields)?, Some(ask.capture("id")), &["id"]).await
}

async fn write_by_name<F: Named>(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let mut wish = F::wish(&ask, &fields)?;
    *F::name(&mut wish) = Some(ask.capture("name").to_owned());
    enter::<F>(&ask, &fields, wish, None, &["name"]).await
}

async fn enter<F: Family>(
    ask: &Ask,
    fields: &Fields,
    wish: F::Wish,
    id: Option<&str>,
    captured: &[&str],
) -> Result<Answer> {
    let told = ask.active()?.identity.change(|draft| F::enter(wish, draft, id)).await?;
    Ok(told.map_or(Answer::Nothing, |told| answer(fields, F::FIELDS, captured, &told)))
}

async fn read<F: Family>(ask: Ask) -> Result<Answer> {
    look(&ask, |directory, places| F::show(directory, places, ask.capture("id")))
}

async fn read_named<F: Named>(ask: Ask) -> Result<Answer> {
    look(&ask, |directory, places| {
        let id = F::id(directory, ask.capture("name")).ok_or(Error::Nothing)?;
        F::show(directory, places, &id)
    })
}

async fn list<F: Family>(ask: Ask) -> Result<Answer> {
    look(&ask, |directory, places| F::list(directory, places).ok_or(Error::Nothing))
}

async fn list_names<F: Named>(ask: Ask) -> Result<Answer> {
    look(&ask, |directory, _| named(F::names(directory)).ok_or(Error::Nothing))
}

async fn delete<F: Family>(ask: Ask) -> Result<Answer> {
    change(&ask, |draft| F::remove(draft, ask.capture("id"))).await
}

async fn delete_named<F: Named>(ask: Ask) -> Result<Answer> {
    change(&ask, |draft| {
        if let Some(id) = F::id(draft.directory, ask.capture("name")) {
            F::remove(draft, &id);
        }
    })
    .await
}

/// Answers with what there is now.
fn look(ask: &Ask, look: impl FnOnce(&Directory, &Places<'_>) -> Result<Value>) -> Result<Answer> {
    let active = ask.active()?;
    let mounts = active.mounts.snapshot();
    let places = Places::of(&mounts, &active.namespace);
    Ok(Answer::data(&active.identity.read(|directory| look(directory, &places))?))
}

/// Makes a change that cannot be refused.
pub(super) async fn change(ask: &Ask, change: impl FnOnce(&mut Draft<'_>)) -> Result<Answer> {
    let plan = |draft: &mut Draft<'_>| {
        change(draft);
        Ok(())
    };
    ask.active()?.identity.change(plan).await?;
    Ok(Answer::Nothing)
}
