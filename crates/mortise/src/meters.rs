//! What this process counts, as requests may see it.

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
