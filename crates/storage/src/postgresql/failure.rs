use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{config::ConfigError, schema::SchemaError};
use crate::Error;

/// What the database said, or why it said nothing. How it is reached is no part of it: that holds a password.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Why(Arc<str>);

/// What a failed statement, or a connection that was not made, says about what to do next.
#[derive(Clone, Debug)]
pub(super) enum Failure {
    /// The connection is gone, and nobody knows whether the statement took place.
    Lost(Why),
    /// There is no connection, and nothing was asked.
    Unreached(Why),
    /// Undone, for another transaction's sake: it may be begun again.
    Again(Why),
    /// Undone, for want of room.
    Full(Why),
    /// Undone, for a reason that lies in what was asked.
    Refused(Why),
}

impl Failure {
    pub(super) const fn why(&self) -> &Why {
        match self {
            Self::Lost(why)
            | Self::Unreached(why)
            | Self::Again(why)
            | Self::Full(why)
            | Self::Refused(why) => why,
        }
    }

    /// The same of a connection that was to be made: what it was made for has not begun.
    pub(super) fn unreached(self) -> Self {
        Self::Unreached(self.why().clone())
    }

    /// Nobody knows yet what became of a write.
    pub(super) fn in_doubt() -> Self {
        Self::Lost(Why("a write was under way when the connection was lost".into()))
    }

    /// Whether the same could go well another time.
    pub(super) const fn is_passing(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unreached(_) | Self::Again(_))
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let sqlx::Error::Database(refusal) = &error else {
            let why = Why(error.to_string().into());
            return match error {
                sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => Self::Lost(why),
                _ => Self::Refused(why),
            };
        };
        let code = refusal.code().unwrap_or_default();
        let why = Why(format!("{} (SQLSTATE {code})", refusal.message()).into());
        match &*code {
            // Serialisation failure, deadlock.
            "40001" | "40P01" => Self::Again(why),
            "53100" => Self::Full(why),
            // Completion unknown; too many connections; ended or not yet open for connections; a standby, which was
            // the primary or will be it.
            "40003" | "53300" | "57P01" | "57P02" | "57P03" | "57P05" | "25006" => Self::Lost(why),
            code if code.starts_with("08") => Self::Lost(why),
            _ => Self::Refused(why),
        }
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        match error {
            SchemaError::Sql(error) => error.into(),
            other => Self::Refused(Why(other.to_string().into())),
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Refused(Why(error.to_string().into()))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Lost(why) | Failure::Unreached(why) | Failure::Again(why) => {
                Self::Unreachable(Box::new(why))
            }
            Failure::Full(why) => Self::Full(Box::new(why)),
            Failure::Refused(why) => Self::backend(why),
        }
    }
}

/// What takes longer counts as lost: a server that is cut off answers nothing, not even that it is gone.
pub(super) async fn within<T>(
    patience: Duration,
    work: impl Future<Output = sqlx::Result<T>>,
) -> Result<T, Failure> {
    let late = |_| Failure::Lost(Why(format!("no answer within {patience:?}").into()));
    timeout(patience, work).await.map_err(late)?.map_err(Failure::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_that_broke_says_nothing_of_its_statement() {
        let broken = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(Failure::from(sqlx::Error::from(broken)), Failure::Lost(_)));
        assert!(matches!(Failure::from(sqlx::Error::RowNotFound), Failure::Refused(_)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_is_lost() {
        let never = std::future::pending::<sqlx::Result<()>>();
        let late = within(Duration::from_secs(5), never).await.unwrap_err();
        assert!(matches!(&late, Failure::Lost(why) if why.to_string() == "no answer within 5s"));
        assert_eq!(Error::from(late).kind(), domain::Kind::Unavailable);
    }
}
