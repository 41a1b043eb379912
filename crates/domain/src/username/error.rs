/// Why a text is no template for usernames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUsernameTemplate {
    /// An action that does not end, or ends too early.
    #[error("the template is malformed: {0}")]
    Malformed(String),
    /// A part of Go's templates that usernames do not need.
    #[error("templates of usernames know no {0:?}: only values, functions and pipelines")]
    NotKnown(String),
    /// Neither `.DisplayName` nor `.RoleName`.
    #[error("there is no field {0:?}: a template may use .DisplayName and .RoleName")]
    NoSuchField(String),
    /// No such function.
    #[error("function {0:?} not defined")]
    NoSuchFunction(String),
    /// A function with other arguments than it takes.
    #[error("wrong arguments for {function}: it takes {takes}")]
    Arguments {
        /// Which function.
        function: &'static str,
        /// What it takes.
        takes: &'static str,
    },
    /// A length that makes no sense.
    #[error("{function}: the length must be > {above}, but is {found}")]
    Length {
        /// Which function.
        function: &'static str,
        /// The largest that is too small.
        above: i64,
        /// What was written.
        found: i64,
    },
    /// A format of `printf` that it does not know.
    #[error("printf: {0}")]
    Format(String),
    /// It is, or makes, something much too long.
    #[error("the template is too long, or makes too much: nothing in it may have more than {0} bytes")]
    TooLong(usize),
}

/// The source of random bytes has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system gives no random bytes")]
pub struct NoRandomness;
