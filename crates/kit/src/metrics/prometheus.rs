//! Prometheus' text format.

use std::{collections::BTreeMap, fmt::Write};

use metrics::Key;

use super::{memory::Everything, samples::Totals};

/// What has such a name is told in buckets, as no client of Vault knows it: so that the times of several hosts can be
/// added up. All else is told as Vault tells it, in shares.
const IN_BUCKETS: &str = "vault.plugin.";

/// The shares of all samples for which the value is told that they lie below.
const QUANTILES: [f64; 3] = [0.5, 0.9, 0.99];

/// Everything, sorted by names, each with its type once.
pub(super) fn render(all: &Everything) -> String {
    let mut families: BTreeMap<(String, &str), String> = BTreeMap::new();
    for (key, value) in &all.gauges {
        line(families.entry((name(key), "gauge")).or_default(), key, "", None, *value);
    }
    for (key, value) in &all.counters {
        line(families.entry((name(key), "counter")).or_default(), key, "", None, *value as f64);
    }
    for (key, totals, lately) in &all.samples {
        if key.name().starts_with(IN_BUCKETS) {
            buckets(families.entry((name(key), "histogram")).or_default(), key, totals);
            continue;
        }
        let lines = families.entry((name(key), "summary")).or_default();
        for share in QUANTILES {
            line(lines, key, "", Some(share), lately.quantile(share).unwrap_or(f64::NAN));
        }
        line(lines, key, "_sum", None, totals.sum());
        line(lines, key, "_count", None, totals.count() as f64);
    }
    let text = families.into_iter().map(|((name, kind), lines)| format!("# TYPE {name} {kind}\n{lines}\n"));
    text.collect()
}

fn buckets(lines: &mut String, key: &Key, totals: &Totals) {
    let count = totals.count() as f64;
    let bounds = totals.buckets().map(|(bound, below)| (bound.to_string(), below as f64));
    for (bound, below) in bounds.chain([("+Inf".to_owned(), count)]) {
        labelled(lines, key, "_bucket", Some(("le", bound)), below);
    }
    line(lines, key, "_sum", None, totals.sum());
    line(lines, key, "_count", None, count);
}

fn line(lines: &mut String, key: &Key, suffix: &str, quantile: Option<f64>, value: f64) {
    labelled(lines, key, suffix, quantile.map(|share| ("quantile", share.to_string())), value);
}

fn labelled(lines: &mut String, key: &Key, suffix: &str, more: Option<(&str, String)>, value: f64) {
    let labels = key.labels().map(|label| (clean(label.key()), escaped(label.value())));
    let more = more.map(|(name, value)| (name.to_owned(), value));
    let labels: Vec<String> = labels.chain(more).map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
    // Writing to a text does not fail.
    let _ = writeln!(lines, "{}{suffix}{labels} {value}", name(key));
}

fn name(key: &Key) -> String {
    clean(key.name())
}

/// Only these may be in a name, and no digit at its beginning, where ours have a word.
fn clean(name: &str) -> String {
    name.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter } else { '_' }).collect()
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use metrics::HistogramFn;

    use super::{
        super::samples::{Samples, Totals},
        *,
    };

    #[test]
    fn each_sort_of_count_is_told_in_its_form() {
        let samples = Samples::default();
        samples.record(2.0);
        let all = Everything {
            gauges: vec![(Key::from_name("vault.core.active"), 1.0)],
            counters: vec![
                (Key::from_parts("vault.plugin.seen", &[("plugin", "a\"b\\c\n")]), 3),
                (Key::from_parts("vault.plugin.seen", &[("plugin", "d")]), 4),
            ],
            samples: vec![(Key::from_name("vault.route.read.kv-"), samples.totals(), Totals::none())],
        };
        let expected = "\
# TYPE vault_core_active gauge
vault_core_active 1

# TYPE vault_plugin_seen counter
vault_plugin_seen{plugin=\"a\\\"b\\\\c\\n\"} 3
vault_plugin_seen{plugin=\"d\"} 4

# TYPE vault_route_read_kv_ summary
vault_route_read_kv_{quantile=\"0.5\"} NaN
vault_route_read_kv_{quantile=\"0.9\"} NaN
vault_route_read_kv_{quantile=\"0.99\"} NaN
vault_route_read_kv__sum 2
vault_route_read_kv__count 1

";
        assert_eq!(render(&all), expected);
    }

    #[test]
    fn what_plugins_take_is_told_in_buckets() {
        let samples = Samples::default();
        [0.5, 2.0, 1e9].into_iter().for_each(|value| samples.record(value));
        let key = Key::from_parts("vault.plugin.call_milliseconds", &[("plugin", "kv")]);
        let all =
            Everything { samples: vec![(key, samples.totals(), Totals::none())], ..Everything::default() };
        let text = render(&all);
        assert!(text.starts_with("# TYPE vault_plugin_call_milliseconds histogram\n"), "{text}");
        for (bound, below) in
            [("0.065536", 0), ("0.524288", 1), ("4.194304", 2), ("68719.476736", 2), ("+Inf", 3)]
        {
            let line =
                format!("vault_plugin_call_milliseconds_bucket{{plugin=\"kv\",le=\"{bound}\"}} {below}\n");
            assert!(text.contains(&line), "{line} in {text}");
        }
        assert!(text.contains("vault_plugin_call_milliseconds_count{plugin=\"kv\"} 3\n"), "{text}");
    }
}
