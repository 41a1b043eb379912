use std::{borrow::Cow, fmt, sync::Arc};

use goplugin::log::LogLine;
use serde_json::{Map, Value};

use crate::entry::Entry;

/// Shorter values are words like `true`: to hide these would spoil every text and protect nothing.
const SHORTEST: usize = 6;

/// What a plugin was given and may not be repeated to anybody: the values of its environment and its arguments. Programs
/// do repeat them, most of all when they do not like them.
#[derive(Clone)]
pub struct Masks(Arc<[String]>);

impl Masks {
    /// What was registered with a plugin.
    pub fn of(entry: &Entry) -> Self {
        let env = entry.env.iter().filter_map(|setting| Some(setting.split_once('=')?.1));
        // `-password=hunter2`
        let args = entry.args.iter().map(|arg| arg.split_once('=').map_or(arg.as_str(), |(_, value)| value));
        let mut values: Vec<_> = env.chain(args).filter(|value| value.len() >= SHORTEST).collect();
        // One value may hold another.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into_iter().map(String::from).collect())
    }

    /// These, and more.
    pub fn and<'v>(&self, more: impl IntoIterator<Item = &'v str>) -> Self {
        let more = more.into_iter().filter(|value| value.len() >= SHORTEST).map(String::from);
        let mut values: Vec<_> = self.0.iter().cloned().chain(more).collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        Self(values.into())
    }

    /// A line without any of it, whatever it says it in.
    pub fn hide_in(&self, line: LogLine) -> LogLine {
        if self.0.is_empty() {
            return line;
        }
        let LogLine { level, message, fields, module } = line;
        let text = |text: String| self.hide(text).into_owned();
        let fields = fields.into_iter().map(|(name, value)| (text(name), self.hide_in_value(value)));
        LogLine { level, message: text(message), fields: fields.collect(), module: module.map(text) }
    }

    fn hide_in_value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.hide(text).into_owned().into(),
            Value::Array(all) => all.into_iter().map(|each| self.hide_in_value(each)).collect(),
            Value::Object(all) => all
                .into_iter()
                .map(|(name, each)| (self.hide(name).into_owned(), self.hide_in_value(each)))
                .collect::<Map<_, _>>()
                .into(),
            // A password may be a number.
            Value::Number(number) => match self.hide(number.to_string()) {
                text if text.contains('*') => text.into_owned().into(),
                _ => Value::Number(number),
            },
            Value::Null | Value::Bool(_) => value,
        }
    }

    /// The text without any of it.
    pub fn hide<'t>(&self, text: impl Into<Cow<'t, str>>) -> Cow<'t, str> {
        self.0.iter().fold(text.into(), |text, value| {
            if text.contains(value) { text.replace(value, "***").into() } else { text }
        })
    }
}

impl fmt::Debug for Masks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Masks")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn l3_what_a_plugin_was_given_is_hidden_and_nothing_else() {
        let mut entry = Entry::named("kv");
        entry.env = ["TOKEN=hunter22", "LONG=hunter22=more", "DEBUG=true", "odd"].map(String::from).into();
        entry.args = ["-password=hush-hush".to_owned(), "plain-secret".to_owned()].into();
        let masks = Masks::of(&entry);
        let said = "hunter22 hunter22=more -password=hush-hush plain-secret true odd";
        assert_eq!(masks.hide(said), "*** *** -password=*** *** true odd");
        assert!(matches!(masks.hide("nothing"), Cow::Borrowed(_)));
        assert_eq!(format!("{masks:?}"), "Masks");
    }

    #[test]
    fn l3_no_part_of_a_line_tells_it() {
        let mut entry = Entry::named("kv");
        entry.env = ["TOKEN=hunter22".to_owned(), "PIN=12345678".to_owned()].into();
        let line = r#"{"@level":"info","@message":"a hunter22","@module":"m-hunter22","hunter22":{"x":["hunter22",12345678]},"n":9}"#;
        let hidden = Masks::of(&entry).hide_in(goplugin::log::parse(line.as_bytes()));
        let shown = format!("{hidden:?}");
        assert!(!shown.contains("hunter22") && !shown.contains("12345678"), "{shown}");
        assert_eq!(hidden.message, "a ***");
        assert!(hidden.fields.contains(&("n".to_owned(), 9.into())));
    }
}
