use domain::{Kind, Operation};
use opentelemetry::KeyValue;
use uuid::Uuid;

/// The longest name that a span tells.
const LONGEST: usize = 128;

/// What a span may tell beside what its work is. Each is one of few, a number, or a name that an operator gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// The request's id, as its answer, the audit log and the server's log have it.
    Request(&'a str),
    /// What is asked for.
    Operation(Operation),
    /// The id of the namespace that is meant.
    Namespace(&'a str),
    /// The accessor of the mount that is meant.
    Mount(&'a str),
    /// The name of its plugin.
    Plugin(&'a str),
    /// The version of that.
    Version(&'a str),
    /// Whether the mount had to be set up first.
    WaitedForStart(bool),
    /// How many values are written and deleted.
    Writes(usize),
    /// How many calls of a mount were under way, of which one asked.
    Candidates(usize),
    /// What the client is answered.
    Status(u16),
    /// How a gRPC call ended.
    Grpc(i32),
}

/// In what way work failed. Never why: texts of errors stay in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// In this way.
    Kind(Kind),
    /// With this status, which says that it was not the client's mistake.
    Status(u16),
    /// With this code of gRPC.
    Grpc(i32),
    /// A plugin answered with an error.
    Plugin,
}

impl Attribute<'_> {
    /// As it is told; none: this is no name.
    pub(crate) fn told(self) -> Option<KeyValue> {
        Some(match self {
            Self::Request(id) => {
                KeyValue::new("mortise.request.id", Uuid::try_parse(id).ok()?.hyphenated().to_string())
            }
            Self::Operation(operation) => KeyValue::new("mortise.operation", operation.word()),
            Self::Namespace(id) => KeyValue::new("mortise.namespace.id", name(id)?),
            Self::Mount(accessor) => KeyValue::new("mortise.mount.accessor", name(accessor)?),
            Self::Plugin(plugin) => KeyValue::new("mortise.plugin.name", name(plugin)?),
            Self::Version(version) => KeyValue::new("mortise.plugin.version", name(version)?),
            Self::WaitedForStart(waited) => KeyValue::new("mortise.plugin.waited_for_start", waited),
            Self::Writes(writes) => KeyValue::new("mortise.storage.writes", number(writes)),
            Self::Candidates(calls) => KeyValue::new("mortise.plugin.calls_in_flight", number(calls)),
            Self::Status(status) => KeyValue::new("http.response.status_code", i64::from(status)),
            Self::Grpc(code) => KeyValue::new("rpc.grpc.status_code", i64::from(code)),
        })
    }
}

impl Failed {
    pub(crate) fn told(self) -> KeyValue {
        const KEY: &str = "error.type";
        match self {
            Self::Kind(kind) => KeyValue::new(KEY, kind.word()),
            Self::Status(status) => KeyValue::new(KEY, status.to_string()),
            Self::Grpc(code) => KeyValue::new(KEY, code.to_string()),
            Self::Plugin => KeyValue::new(KEY, "plugin"),
        }
    }
}

fn number(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Nothing else looks like the names of plugins, of their versions, and of accessors.
fn name(text: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._+-".contains(&byte);
    let is_name = !text.is_empty() && text.len() <= LONGEST && text.bytes().all(fits);
    is_name.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(attribute: Attribute<'_>) -> Option<String> {
        attribute.told().map(|told| told.value.to_string())
    }

    #[test]
    fn a_text_that_is_no_name_is_not_told() {
        for odd in ["", "secret/data/db", "hvs.a b", "p@ss", "a=b", "päss", &"a".repeat(LONGEST + 1)] {
            for attribute in [Attribute::Mount(odd), Attribute::Plugin(odd), Attribute::Version(odd)] {
                assert_eq!(told(attribute), None, "{odd:?}");
            }
        }
        assert_eq!(told(Attribute::Version("v1.2.3+builtin")).as_deref(), Some("v1.2.3+builtin"));
    }

    #[test]
    fn what_is_no_id_of_a_request_is_not_told() {
        let id = "8b9ad2ab-8f41-4a5c-ba37-7f7e3f1c7b5e";
        assert_eq!(told(Attribute::Request(id)).as_deref(), Some(id));
        assert_eq!(told(Attribute::Request("hvs.CAESIJ")), None);
    }
}
