use std::time::Duration;

use domain::Pauses;

use super::{
    problem::Place,
    setting::Setting,
    stanza::Stanza,
    tree::{Node, Value},
};

/// A whole number of 0 to 100, with or without its sign: `20`, `"20%"`.
struct Percent(u32);

impl Setting for Percent {
    const ALLOWED: &'static str = "a percentage of 0 to 100, such as \"20%\"";

    fn read(value: &Value) -> Option<Self> {
        let (Value::Number(text) | Value::Text(text)) = value else { return None };
        let percent = text.strip_suffix('%').unwrap_or(text).parse().ok()?;
        (percent <= 100).then_some(Self(percent))
    }
}

/// How often something may happen.
struct Count(u32);

impl Setting for Count {
    const ALLOWED: &'static str = "a whole number of 0 to 1000";

    fn read(value: &Value) -> Option<Self> {
        let (Value::Number(text) | Value::Text(text)) = value else { return None };
        text.parse().ok().filter(|count| *count <= 1000).map(Self)
    }
}

/// A time that is not nothing.
struct Time(Duration);

impl Setting for Time {
    const ALLOWED: &'static str = "a duration of more than nothing, such as \"250ms\" or \"30s\"";

    fn read(value: &Value) -> Option<Self> {
        Duration::read(value).filter(|time| !time.is_zero()).map(Self)
    }
}

/// When and how plugins that ended are started again; of several stanzas each later one changes what it names.
pub(super) fn read(top: &mut Stanza<'_>) -> Pauses {
    let stanzas = top.all("plugin_restart");
    stanzas.into_iter().fold(Pauses::default(), |pauses, node| stanza(node, pauses, top))
}

fn stanza(node: Node, before: Pauses, top: &mut Stanza<'_>) -> Pauses {
    let place = node.place.clone();
    let Some(mut stanza) = Stanza::of("plugin_restart", node, top.problems) else { return before };
    let mut time = |key, or| stanza.last(key).map_or(or, |Time(time)| time);
    let pauses = Pauses {
        first: time("first_pause", before.first),
        longest: time("longest_pause", before.longest),
        longest_blameless: time("longest_pause_blameless", before.longest_blameless),
        healthy: time("healthy_after", before.healthy),
        grace: time("stop_grace", before.grace),
        ..before
    };
    let mut count = |key, or| stanza.last(key).map_or(or, |Count(count)| count);
    let pauses = Pauses {
        forgiven: count("forgiven", before.forgiven),
        breaker: count("breaker_threshold", before.breaker),
        ..pauses
    };
    let pauses = Pauses { jitter: stanza.last("jitter").map_or(before.jitter, |Percent(it)| it), ..pauses };
    stanza.finish(&[]);
    check_order(&pauses, &place, top);
    pauses
}

fn check_order(pauses: &Pauses, place: &Place, top: &mut Stanza<'_>) {
    if pauses.first > pauses.longest {
        let text = format!(
            "`first_pause` is {:?}, which is more than `longest_pause`, {:?}",
            pauses.first, pauses.longest
        );
        top.problems.error(place, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Error, read_texts};

    fn read(text: &str) -> Result<Pauses, Vec<String>> {
        match read_texts(&[("a.hcl".into(), text.to_owned())], Vec::new()) {
            Ok((config, _)) => Ok(config.plugin_restart),
            Err(Error::Invalid(problems)) => Err(problems.iter().map(ToString::to_string).collect()),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_not_said_stays_as_it_is() {
        assert_eq!(read(""), Ok(Pauses::default()));
        let text = "plugin_restart {\n forgiven = 1\n first_pause = \"50ms\"\n jitter = \"35%\"\n}\n\
                    plugin_restart {\n breaker_threshold = 2\n stop_grace = \"5s\"\n}";
        let pauses = Pauses {
            forgiven: 1,
            first: Duration::from_millis(50),
            jitter: 35,
            breaker: 2,
            grace: Duration::from_secs(5),
            ..Pauses::default()
        };
        assert_eq!(read(text), Ok(pauses));
    }

    #[test]
    fn wrong_values_are_refused_with_their_line_and_what_is_allowed() {
        let refused = |line: &str| read(&format!("plugin_restart {{\n{line}\n}}")).unwrap_err();
        for (line, said) in [
            ("jitter = 101", "a.hcl:2: `jitter` is 101; allowed: a percentage of 0 to 100, such as \"20%\""),
            ("forgiven = -1", "a.hcl:2: `forgiven` is -1; allowed: a whole number of 0 to 1000"),
            (
                "longest_pause = 0",
                "a.hcl:2: `longest_pause` is 0; allowed: a duration of more than nothing, such as \"250ms\" or \"30s\"",
            ),
            (
                "first_pause = \"1m\"",
                "a.hcl:1: `first_pause` is 60s, which is more than `longest_pause`, 30s",
            ),
        ] {
            assert_eq!(refused(line), [said]);
        }
    }
}
