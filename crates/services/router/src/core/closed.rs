use crate::Error;

/// Why what was known during one opening of the barrier counts no more.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Closed {
    /// The barrier is closed, or what is behind it is not read yet.
    Sealed,
    /// This node is not the active one any more.
    SteppedDown,
}

impl From<Closed> for Error {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Sealed => Self::Sealed,
            Closed::SteppedDown => Self::SteppedDown,
        }
    }
}
