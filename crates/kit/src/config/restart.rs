use std::time::Duration;

use domain::Pauses;

use super::{
    key::{Block, Key, Usual},
    problem::Place,
    setting::{Setting, Shown},
    stanza::Stanza,
    tree::{Node, Value},
};
use crate::Service;

const BLOCK: Block = Block::new(
    "plugin_restart",
    "`plugin_restart`",
    "What happens when a plugin crashes again and again. A request that needs it is answered at once with 503, the last \
     exit and the last lines.",
)
.read_by(&[Service::Launcher]);

const FORGIVEN: Usual<Count> = Key::new("forgiven", "crashes after which it is started at once")
    .usually(|| Count(Pauses::default().forgiven));

const FIRST_PAUSE: Usual<Time> =
    Key::new("first_pause", "how long it pauses after the next one; each further pause is twice as long")
        .usually(|| Time(Pauses::default().first));

const LONGEST_PAUSE: Usual<Time> =
    Key::new("longest_pause", "the longest pause").usually(|| Time(Pauses::default().longest));

const LONGEST_PAUSE_BLAMELESS: Usual<Time> =
    Key::new("longest_pause_blameless", "the longest pause when it was killed from outside")
        .usually(|| Time(Pauses::default().longest_blameless));

const JITTER: Usual<Percent> = Key::new("jitter", "how much shorter a pause may be by chance")
    .usually(|| Percent(Pauses::default().jitter));

const BREAKER_THRESHOLD: Usual<Count> =
    Key::new("breaker_threshold", "crashes after which one request at a time tries it")
        .usually(|| Count(Pauses::default().breaker));

const HEALTHY_AFTER: Usual<Time> =
    Key::new("healthy_after", "how long it has to run for its crashes to be forgotten")
        .usually(|| Time(Pauses::default().healthy));

const STOP_GRACE: Usual<Time> =
    Key::new("stop_grace", "how long it has to end when it is asked to, before it is killed")
        .usually(|| Time(Pauses::default().grace));

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

impl Shown for Percent {
    fn shown(&self) -> String {
        format!("{}%", self.0)
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

impl Shown for Count {
    fn shown(&self) -> String {
        self.0.to_string()
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

impl Shown for Time {
    fn shown(&self) -> String {
        self.0.shown()
    }
}

/// When and how plugins that ended are started again; of several stanzas each later one changes what it names.
pub(super) fn read(top: &mut Stanza<'_>) -> Pauses {
    let stanzas = top.blocks("plugin_restart");
    stanzas.into_iter().fold(Pauses::default(), |pauses, node| stanza(node, pauses, top))
}

fn stanza(node: Node, before: Pauses, top: &mut Stanza<'_>) -> Pauses {
    let place = node.place.clone();
    let Some(mut stanza) = Stanza::of(&BLOCK, node, top.problems) else { return before };
    let mut time = |key, or| stanza.set(key).map_or(or, |Time(time)| time);
    let pauses = Pauses {
        first: time(&FIRST_PAUSE, before.first),
        longest: time(&LONGEST_PAUSE, before.longest),
        longest_blameless: time(&LONGEST_PAUSE_BLAMELESS, before.longest_blameless),
        healthy: time(&HEALTHY_AFTER, before.healthy),
        grace: time(&STOP_GRACE, before.grace),
        ..before
    };
    let mut count = |key, or| stanza.set(key).map_or(or, |Count(count)| count);
    let pauses = Pauses {
        forgiven: count(&FORGIVEN, before.forgiven),
        breaker: count(&BREAKER_THRESHOLD, before.breaker),
        ..pauses
    };
    let pauses = Pauses { jitter: stanza.set(&JITTER).map_or(before.jitter, |Percent(it)| it), ..pauses };
    stanza.finish();
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
