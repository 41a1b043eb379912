use jiff::Timestamp;
use metrics::Key;
use serde_json::{Map, Value, json};

use super::{INTERVAL, samples::Totals};

/// What was counted in one interval.
#[derive(Clone, Debug)]
pub(super) struct Interval {
    pub(super) begun: Timestamp,
    pub(super) gauges: Vec<(Key, f64)>,
    /// Those that were raised, and by how much.
    pub(super) counters: Vec<(Key, u64)>,
    pub(super) samples: Vec<(Key, Sampled)>,
}

/// The samples of an interval, and the least and the most of them.
#[derive(Clone, Debug)]
pub(super) struct Sampled {
    pub(super) totals: Totals,
    pub(super) bounds: (f64, f64),
}

/// Many numbers, as Vault tells of them.
struct Summed {
    count: u64,
    sum: f64,
    bounds: (f64, f64),
    deviation: f64,
}

impl Summed {
    fn view(&self, key: &Key) -> Value {
        json!({
            "Name": key.name(),
            "Count": self.count,
            "Rate": self.sum / INTERVAL.as_secs_f64(),
            "Sum": self.sum,
            "Min": self.bounds.0,
            "Max": self.bounds.1,
            "Mean": self.sum / self.count.max(1) as f64,
            "Stddev": self.deviation,
            "Labels": labels(key),
        })
    }
}

impl Interval {
    /// As clients of Vault read it; sorted by names.
    pub(super) fn view(&self, host: Option<&str>) -> Value {
        let gauges = self
            .gauges
            .iter()
            .map(|(key, value)| json!({ "Name": of_host(key, host), "Value": value, "Labels": labels(key) }));
        let counters = self.counters.iter().map(|(key, count)| {
            // Raised by one each time.
            let summed = Summed { count: *count, sum: *count as f64, bounds: (1.0, 1.0), deviation: 0.0 };
            summed.view(key)
        });
        let samples = self.samples.iter().map(|(key, Sampled { totals, bounds })| {
            let (count, sum, deviation) = (totals.count(), totals.sum(), totals.deviation());
            Summed { count, sum, bounds: *bounds, deviation }.view(key)
        });
        json!({
            "Timestamp": self.begun.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string(),
            "Gauges": sorted(gauges.collect()),
            "Points": [],
            "Counters": sorted(counters.collect()),
            "Samples": sorted(samples.collect()),
        })
    }
}

fn sorted(mut views: Vec<Value>) -> Vec<Value> {
    views.sort_by(|one, other| one["Name"].as_str().cmp(&other["Name"].as_str()));
    views
}

/// A gauge belongs to one host: its name stands after the first word.
fn of_host(key: &Key, host: Option<&str>) -> String {
    match (host, key.name().split_once('.')) {
        (Some(host), Some((first, rest))) => format!("{first}.{host}.{rest}"),
        _ => key.name().to_owned(),
    }
}

fn labels(key: &Key) -> Map<String, Value> {
    key.labels().map(|label| (label.key().to_owned(), label.value().into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_gauges_are_named_after_the_host() {
        let interval = Interval {
            begun: Timestamp::UNIX_EPOCH,
            gauges: vec![(Key::from_name("vault.core.active"), 1.0)],
            counters: vec![(Key::from_parts("vault.b.c", &[("k", "v")]), 3)],
            samples: Vec::new(),
        };
        let view = interval.view(Some("node"));
        assert_eq!(view["Gauges"][0]["Name"], "vault.node.core.active");
        assert_eq!(interval.view(None)["Gauges"][0]["Name"], "vault.core.active");
        let counter = &view["Counters"][0];
        assert_eq!((&counter["Labels"], &counter["Count"]), (&json!({"k": "v"}), &json!(3)));
        assert_eq!((&counter["Sum"], &counter["Mean"]), (&json!(3.0), &json!(1.0)));
        assert_eq!(view["Timestamp"], "1970-01-01 00:00:00 +0000 UTC");
    }
}
