use std::{borrow::Cow, fmt, sync::Arc};

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
}
