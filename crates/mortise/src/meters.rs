//! What this process counts, as requests may see it.

use bytes::Bytes;
use kit::metrics::Metrics;
use serde_json::Value;

/// What this process counts.
#[derive(Clone, Debug)]
pub struct Meters(pub Metrics);

impl router::Meters for Meters {
    fn json(&self) -> Value {
        self.0.json()
    }

    fn prometheus(&self) -> Option<String> {
        self.0.prometheus()
    }
}

/// Of a launcher that has a process of its own.
impl launcher::Meters for Meters {
    fn told(&self, prometheus: bool) -> Bytes {
        match prometheus {
            true => self.0.prometheus().unwrap_or_default().into(),
            false => self.0.json().to_string().into(),
        }
    }
}
