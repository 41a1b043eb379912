/// What sort of failure something is: the one word that crosses the border between services.
///
/// `wire` turns it into a gRPC code and back, the gateway into an HTTP status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The caller's input is wrong.
    Invalid,
    /// The caller may not, or did not say who they are.
    Denied,
    /// There is nothing here.
    NotFound,
    /// There is something here, but not this operation.
    Unsupported,
    /// The input is larger than allowed.
    TooLarge,
    /// The body is not of a type that this operation takes.
    MediaType,
    /// A quota is used up.
    Exhausted,
    /// A state that the request relies on has not been reached.
    Precondition,
    /// The barrier is sealed.
    Sealed,
    /// The storage or node takes no writes.
    ReadOnly,
    /// Not now: overloaded, starting, draining, no active node, plugin in backoff.
    Unavailable,
    /// It took longer than allowed.
    Timeout,
    /// Something beyond us that we asked failed.
    Upstream,
    /// Our own fault, or a plugin's.
    Internal,
}

impl Kind {
    /// Every kind, in the order of declaration.
    pub const ALL: [Self; 14] = [
        Self::Invalid,
        Self::Denied,
        Self::NotFound,
        Self::Unsupported,
        Self::TooLarge,
        Self::MediaType,
        Self::Exhausted,
        Self::Precondition,
        Self::Sealed,
        Self::ReadOnly,
        Self::Unavailable,
        Self::Timeout,
        Self::Upstream,
        Self::Internal,
    ];

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::Unsupported => "unsupported",
            Self::TooLarge => "too-large",
            Self::MediaType => "media-type",
            Self::Exhausted => "exhausted",
            Self::Precondition => "precondition",
            Self::Sealed => "sealed",
            Self::ReadOnly => "read-only",
            Self::Unavailable => "unavailable",
            Self::Timeout => "timeout",
            Self::Upstream => "upstream",
            Self::Internal => "internal",
        }
    }

    /// The kind of that word, if there is one.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}
