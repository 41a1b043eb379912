//! What a request may carry, and how loosely.

/// One field of a path.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    pub(super) kind: Kind,
    pub(super) about: &'static str,
}

/// What a field holds once it is put right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Int,
    Bool,
    Seconds,
    SignedSeconds,
    Map,
    List,
    CommaList,
    CommaInts,
    Pairs,
    Any,
}

impl Kind {
    /// The word for it in help texts.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Int => "int",
            Self::Bool => "bool",
            Self::Seconds | Self::SignedSeconds => "duration (sec)",
            Self::Map => "map",
            Self::List | Self::CommaList => "slice",
            Self::CommaInts => "slice of ints",
            Self::Pairs => "keypair",
            Self::Any => "any",
        }
    }

    /// The type in OpenAPI, and that of its items.
    pub(super) const fn schema(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::String => ("string", None),
            Self::Int => ("integer", None),
            Self::Bool => ("boolean", None),
            // Durations are numbers of seconds or texts such as `1h`.
            Self::Seconds | Self::SignedSeconds => ("string", None),
            Self::Map | Self::Pairs | Self::Any => ("object", None),
            Self::List | Self::CommaList => ("array", Some("string")),
            Self::CommaInts => ("array", Some("integer")),
        }
    }
}

macro_rules! fields {
    ($($(#[$doc:meta])* $name:ident => $kind:ident;)*) => {
        $($(#[$doc])* pub const fn $name(about: &'static str) -> Field {
            Field { kind: Kind::$kind, about }
        })*
    };
}

fields! {
    /// A text. Numbers count as their text.
    string => String;
    /// A whole number, also as a text.
    int => Int;
    /// `true` or `false`, also as a text or number.
    bool => Bool;
    /// A duration that is not negative: seconds, or a text such as `1h`. Read it as a number of seconds.
    seconds => Seconds;
    /// A duration that may be negative. Read it as a number of seconds.
    signed_seconds => SignedSeconds;
    /// A JSON object; its text reaches the handler unchanged.
    map => Map;
    /// A list of texts; a single text is a list of one.
    list => List;
    /// A list of texts, or one text with commas.
    comma_list => CommaList;
    /// A list of whole numbers, or one text with commas.
    comma_ints => CommaInts;
    /// A JSON object of texts, or a list of `key=value`.
    pairs => Pairs;
    /// Any JSON; its text reaches the handler unchanged.
    any => Any;
}
