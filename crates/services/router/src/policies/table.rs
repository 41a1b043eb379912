use std::{fmt, sync::Arc};

use domain::policy::Policy;
use futures::{StreamExt, TryStreamExt, stream};
use tokio::sync::{Mutex, watch};

use super::{
    Book, PolicyRefusal,
    book::{ALWAYS, Page, Pages, ROOT, WRAPPING},
    record::{RECORDS, Record, key, name},
};
use crate::{Error, core::is_passing, error::Result, store::Store};

/// How many records are read at the same time.
const AT_ONCE: usize = 64;

/// All policies, and the only way to change them. A change is stored before it counts.
pub(crate) struct Policies {
    store: Store,
    book: watch::Sender<Arc<Book>>,
    /// Whether there are those who may do everything.
    has_root: bool,
    /// Changes take turns; requests do not come here.
    turn: Mutex<()>,
}

impl Policies {
    /// Reads all records. A damaged one is a policy with which nothing is allowed, not an error.
    pub(crate) async fn open(store: Store, has_root: bool) -> Result<Self> {
        let names = store.list(RECORDS).await?;
        let reads = names.into_iter().map(|encoded| read(&store, name(&encoded)));
        let pages: Pages = stream::iter(reads).buffer_unordered(AT_ONCE).try_collect().await?;
        let book = watch::Sender::new(Arc::new(Book::new(pages, has_root)));
        Ok(Self { store, book, has_root, turn: Mutex::new(()) })
    }

    /// All of them as they are now; a request reads one from start to end.
    pub(crate) fn book(&self) -> Arc<Book> {
        self.book.borrow().clone()
    }

    /// Stores a policy, new or changed.
    pub(crate) async fn put(&self, name: &str, text: String) -> Result<()> {
        if name == ROOT || name == WRAPPING {
            return Err(PolicyRefusal::Update(name.to_owned()).into());
        }
        let policy: Policy = text.parse().map_err(PolicyRefusal::Text)?;
        let _turn = self.turn.lock().await;
        let record = Record { text };
        self.store.write(key(name), &record).await?;
        let page = Arc::new(Page { text: record.text, policy: Some(policy) });
        self.publish(|pages| pages.insert(name.to_owned(), page));
        Ok(())
    }

    /// Removes a policy, if there is one.
    pub(crate) async fn delete(&self, name: &str) -> Result<()> {
        match name {
            ALWAYS => return Err(PolicyRefusal::DeleteDefault.into()),
            ROOT | WRAPPING => return Err(PolicyRefusal::Delete(name.to_owned()).into()),
            _ => {}
        }
        let _turn = self.turn.lock().await;
        self.store.delete(key(name)).await?;
        self.publish(|pages| pages.remove(name));
        Ok(())
    }

    fn publish(&self, change: impl FnOnce(&mut Pages) -> Option<Arc<Page>>) {
        let mut pages = self.book().pages.clone();
        change(&mut pages);
        self.book.send_replace(Arc::new(Book::new(pages, self.has_root)));
    }
}

async fn read(store: &Store, name: String) -> Result<(String, Arc<Page>)> {
    let page = match store.read::<Record>(&key(&name)).await {
        Ok(Some(record)) => Page::of(record.text),
        Ok(None) | Err(Error::Damaged { .. }) => Page { text: String::new(), policy: None },
        Err(Error::Below(failure)) if !is_passing(failure.kind) => Page { text: String::new(), policy: None },
        Err(error) => return Err(error),
    };
    if page.policy.is_none() {
        tracing::error!(
            policy = name,
            "a policy is damaged; its holders may do nothing until it is written anew"
        );
    }
    Ok((name, Arc::new(page)))
}

impl fmt::Debug for Policies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policies").field("book", &self.book.borrow()).finish_non_exhaustive()
    }
}
