use std::time::Duration;

use bytes::Bytes;
use domain::Kind;
use futures::{Stream, StreamExt, stream};
use tokio::time::{Instant, sleep};
use tonic::{Status, codegen::BoxStream};
use wire::{
    catalog::v1::{Chunk, FetchRequest, PluginsSeam},
    failure_of,
};

use crate::{Result, error::from_catalog};

/// The pause before the catalog is asked again.
const PAUSE: Duration = Duration::from_millis(200);

/// A program on its way from the catalog. When the way breaks, it goes on where it was.
pub struct Transfer {
    catalog: PluginsSeam,
    /// Its offset grows with what has arrived.
    wanted: FetchRequest,
    arriving: Option<BoxStream<Chunk>>,
    /// Of the whole, once that is known.
    size: u64,
    patience: Duration,
    /// Since when nothing has arrived, if the way broke.
    cut: Option<Instant>,
}

/// What came of asking for more.
enum Piece {
    Some(Bytes),
    End,
    /// The way broke, or those behind it are not ready yet.
    Cut(Status),
}

impl Transfer {
    /// Nothing is asked yet.
    pub const fn new(catalog: PluginsSeam, wanted: FetchRequest, patience: Duration) -> Self {
        Self { catalog, wanted, arriving: None, size: 0, patience, cut: None }
    }

    /// The bytes from the offset on.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> {
        stream::try_unfold(self, async |mut transfer| {
            Ok(transfer.next().await?.map(|piece| (piece, transfer)))
        })
    }

    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            match self.piece().await? {
                Piece::Some(bytes) => {
                    self.wanted.offset += bytes.len() as u64;
                    self.cut = None;
                    return Ok(Some(bytes));
                }
                Piece::End => return Ok(None),
                Piece::Cut(status) => {
                    self.arriving = None;
                    let since = *self.cut.get_or_insert_with(Instant::now);
                    if since.elapsed() >= self.patience {
                        return Err(from_catalog(status));
                    }
                    tracing::debug!(
                        plugin = self.wanted.name,
                        arrived = self.wanted.offset,
                        "a transfer was cut off"
                    );
                    sleep(PAUSE).await;
                }
            }
        }
    }

    async fn piece(&mut self) -> Result<Piece> {
        let arriving = match &mut self.arriving {
            Some(arriving) => arriving,
            none => match self.catalog.fetch(self.wanted.clone()).await {
                Ok(reply) => none.insert(reply.into_inner()),
                Err(status) => return self.judged(status),
            },
        };
        match arriving.next().await {
            Some(Ok(chunk)) => {
                self.size = chunk.size;
                Ok(Piece::Some(chunk.data))
            }
            Some(Err(status)) => self.judged(status),
            None if self.wanted.offset < self.size => {
                Ok(Piece::Cut(Status::unavailable("the catalog ended in the middle of a plugin's program")))
            }
            None => Ok(Piece::End),
        }
    }

    /// Whether a failure is of the way or of what was asked.
    fn judged(&self, status: Status) -> Result<Piece> {
        // Our own services always say more than a code.
        let of_the_way = status.details().is_empty();
        // A catalog that was started again is sealed at first. Before anything broke, that is an answer.
        let starting = self.cut.is_some() && failure_of(&status).kind == Kind::Sealed;
        if of_the_way || starting { Ok(Piece::Cut(status)) } else { Err(from_catalog(status)) }
    }
}
