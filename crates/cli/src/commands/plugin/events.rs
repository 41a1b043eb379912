use super::follow::{Event, Events};
use crate::{
    client::Request,
    error::{Doing, Result},
    session::Session,
};

/// Follows a stream until it ends, or so many events have come.
pub(super) fn until(
    session: &Session<'_>,
    request: &Request,
    count: Option<i64>,
    mut each: impl FnMut(&Event) -> Result<()>,
) -> Result<()> {
    let doing = || format!("Error following {}", request.path);
    let mut stream = session.client()?.follow(request).doing(doing)?;
    let (mut events, mut seen) = (Events::default(), 0);
    while let Some(piece) = stream.next().doing(doing)? {
        for event in events.feed(&piece) {
            each(&event)?;
            seen += 1;
            if count == Some(seen) {
                return Ok(());
            }
        }
    }
    Ok(())
}
