use audit::{Options, Salt};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Where the records of devices are.
pub(super) const RECORDS: &str = "core/audit/devices/";

/// Where it is kept which headers are recorded.
pub(super) const HEADERS: &str = "core/audit/headers";

/// What stands for itself in the name of a record.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// What is stored about one device.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Record {
    /// With a slash at the end.
    pub(super) path: String,
    pub(super) r#type: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) options: Options,
    #[serde(default)]
    pub(super) local: bool,
    salt: [u8; 32],
}

/// A device as clients see it.
#[derive(Serialize)]
pub(super) struct View<'r> {
    description: &'r str,
    local: bool,
    options: &'r Options,
    path: &'r str,
    r#type: &'r str,
    /// Why it writes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    degraded: Option<&'r str>,
}

impl Record {
    pub(super) fn new(path: String, r#type: String, salt: [u8; 32]) -> Self {
        Self { path, r#type, description: String::new(), options: Options::new(), local: false, salt }
    }

    pub(super) fn salt(&self) -> Salt {
        Salt::new(&self.salt)
    }

    pub(super) fn view<'r>(&'r self, degraded: Option<&'r str>) -> View<'r> {
        View {
            description: &self.description,
            local: self.local,
            options: &self.options,
            path: &self.path,
            r#type: &self.r#type,
            degraded,
        }
    }
}

/// Where the record of a device is.
pub(super) fn key(path: &str) -> String {
    format!("{RECORDS}{}", utf8_percent_encode(path, PLAIN))
}
