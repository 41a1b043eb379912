use std::path::PathBuf;

use kit::config::{Config, Error, Problem, read_texts};

use crate::{
    policies::{as_json, document},
    print,
};

/// A configuration. Whatever it is, it means the same in both languages, wrong values and warnings included.
pub fn configurations(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let meaning = meaning(text);
    let Some(entries) = document(text) else {
        assert!(meaning.is_err(), "what cannot be read configures nothing");
        return;
    };
    for written in [print::hcl(&entries), as_json(&entries)].into_iter().flatten() {
        assert_eq!(self::meaning(&written), meaning, "it means something else when written as\n{written}");
    }
}

/// What a text configures and warns of, or what is wrong with it; without the lines.
fn meaning(text: &str) -> Result<(Config, Vec<String>), Vec<String>> {
    let sentences = |problems: Vec<Problem>| problems.into_iter().map(|problem| problem.text).collect();
    match read_texts(&[(PathBuf::from("fuzzed"), text.to_owned())], Vec::new()) {
        Ok((config, warnings)) => Ok((config, sentences(warnings))),
        Err(Error::Invalid(problems)) => Err(sentences(problems)),
        Err(other) => panic!("nothing else can go wrong with a text: {other}"),
    }
}
