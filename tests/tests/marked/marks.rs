//! Texts that can be found wherever they got to, and told from one another.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{BuildHasher, Hasher, RandomState},
};

use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD, Engine};

/// How many digits tell a mark from the others.
const DIGITS: usize = 7;

/// How much of what lies around a mark is shown.
const AROUND: usize = 90;

/// All marks of one run: each is a text that nothing else holds, and says which field it was put into.
pub struct Marks {
    run: String,
    fields: Vec<String>,
    /// What the server gave out itself, which has to stay as secret.
    learned: BTreeMap<String, String>,
}

/// What bytes mean.
type Reading = dyn Fn(&[u8]) -> Vec<u8>;

/// How a text may be written down.
struct Spelling {
    name: &'static str,
    text: Vec<u8>,
    /// What follows the text, in clear.
    read: Box<Reading>,
}

/// A mark where it was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leak {
    pub field: String,
    pub output: String,
    pub spelling: &'static str,
    pub around: String,
}

impl Marks {
    pub fn new() -> Self {
        let run = format!("mk{:016x}", RandomState::new().build_hasher().finish());
        Self { run, fields: Vec::new(), learned: BTreeMap::new() }
    }

    /// A mark for this field of that request.
    pub fn mark(&mut self, field: impl Into<String>) -> String {
        self.fields.push(field.into());
        format!("{}{:0DIGITS$}", self.run, self.fields.len() - 1)
    }

    /// Something secret that the server gave out.
    pub fn learn(&mut self, field: impl Into<String>, secret: &str) {
        assert!(secret.len() >= 16, "too short to be looked for");
        self.learned.insert(secret.to_owned(), field.into());
    }

    pub fn count(&self) -> usize {
        self.fields.len() + self.learned.len()
    }

    /// The marks that are in an output, each once.
    pub fn find(&self, output: &str, text: &[u8]) -> BTreeSet<Leak> {
        let mut leaks = BTreeMap::new();
        let mut note = |field: &str, spelling, at: usize| {
            let around = &text[at.saturating_sub(AROUND)..(at + AROUND).min(text.len())];
            leaks.entry(field.to_owned()).or_insert_with(|| Leak {
                field: field.to_owned(),
                output: output.to_owned(),
                spelling,
                around: String::from_utf8_lossy(around).replace(char::is_control, " "),
            });
        };
        for spelling in spellings(&self.run) {
            for at in places(text, &spelling.text) {
                let rest = (spelling.read)(&text[at + spelling.text.len()..]);
                let number = std::str::from_utf8(rest.get(..DIGITS).unwrap_or_default()).ok();
                let field = number.and_then(|number| self.fields.get(number.parse::<usize>().ok()?));
                note(field.map_or("a mark that was cut", String::as_str), spelling.name, at);
            }
        }
        for (secret, field) in &self.learned {
            for spelling in spellings(secret) {
                places(text, &spelling.text).for_each(|at| note(field, spelling.name, at));
            }
        }
        leaks.into_values().collect()
    }
}

/// A text in clear, which it also is in JSON and in URLs, in hex, and in base64 wherever it begins there.
fn spellings(text: &str) -> Vec<Spelling> {
    let hex: String = text.bytes().map(|byte| format!("{byte:02x}")).collect();
    let of_hex = |rest: &[u8]| {
        let pairs =
            rest.chunks(2).map_while(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        pairs.take(DIGITS).collect()
    };
    let mut all = vec![
        Spelling { name: "in clear", text: text.into(), read: Box::new(<[u8]>::to_vec) },
        Spelling { name: "in hex", text: hex.to_uppercase().into(), read: Box::new(of_hex) },
        Spelling { name: "in hex", text: hex.into(), read: Box::new(of_hex) },
    ];
    for engine in [&BASE64_STANDARD_NO_PAD, &BASE64_URL_SAFE_NO_PAD] {
        for before in 0..3 {
            let padded = format!("{}{text}", "-".repeat(before));
            // Whole groups of it only: at either end they depend on what is there.
            let (from, to) = (before.div_ceil(3) * 3, padded.len() / 3 * 3);
            let cut = padded.len() - to;
            let read = move |rest: &[u8]| {
                let group = engine.decode(rest.get(..12).unwrap_or_default()).unwrap_or_default();
                group.get(cut..).unwrap_or_default().to_vec()
            };
            let text = engine.encode(&padded[from..to]).into();
            all.push(Spelling { name: "in base64", text, read: Box::new(read) });
        }
    }
    all
}

/// Where a text is found in another one.
fn places<'t>(text: &'t [u8], wanted: &'t [u8]) -> impl Iterator<Item = usize> + 't {
    let last = text.len().saturating_sub(wanted.len() - 1);
    let first = wanted[0];
    let mut from = 0;
    std::iter::from_fn(move || {
        while from < last {
            let at = from + text[from..last].iter().position(|byte| *byte == first)?;
            from = at + 1;
            if text[at..].starts_with(wanted) {
                return Some(at);
            }
        }
        None
    })
}

#[test]
fn a_mark_is_found_however_it_is_written() {
    let mut marks = Marks::new();
    marks.mark("another");
    let mark = marks.mark("the one");
    marks.learn("the key", "0123456789abcdef");
    let hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
    for text in [format!("a {mark} b"), hex.clone(), hex.to_uppercase()] {
        let found = marks.find("there", text.as_bytes());
        assert!(found.iter().all(|leak| leak.field == "the one") && found.len() == 1, "{text}: {found:?}");
    }
    for before in ["", "x", "xy", "xyz"] {
        let text = BASE64_STANDARD_NO_PAD.encode(format!("{before}{mark} and more"));
        let found = marks.find("there", format!("\"{text}\"").as_bytes());
        assert_eq!(found.iter().map(|leak| &*leak.field).collect::<Vec<_>>(), ["the one"], "{text}");
    }
    let found = marks.find("there", b"the key is 0123456789abcdef");
    assert_eq!(found.first().unwrap().field, "the key");
    assert!(marks.find("there", b"nothing at all").is_empty());
}
