use std::fmt::Write;

use serde_json::{Value, json};

use super::{Engine, Path, openapi};
use crate::{Response, Result};

/// The help of one path.
pub(super) fn of_path<S: Send + Sync + 'static>(row: &Path<S>, path: &str) -> Result<Response> {
    let mut text = format!(
        "Request:        {path}\nMatching Route: {}\n\n{}\n\n",
        row.pattern.text(),
        or_none(row.synopsis)
    );
    if !row.fields.is_empty() {
        text.push_str("## PARAMETERS\n\n");
        for (name, field) in &row.fields {
            let _ = write!(text, "    {name} ({})\n\n        {}\n\n", field.kind.word(), field.about);
        }
    }
    let _ = writeln!(text, "## DESCRIPTION\n\n{}", or_none(row.description));
    response(text, openapi::document([row]))
}

/// The help of the whole engine.
pub(super) fn of_engine<S: Send + Sync + 'static>(engine: &Engine<S>) -> Result<Response> {
    let mut text = format!("## DESCRIPTION\n\n{}\n\n## PATHS\n\n", or_none(engine.about));
    text.push_str(
        "These are the paths. Ask for the help of any path that one of them takes to see more.\n\n",
    );
    for row in &engine.paths {
        let _ = write!(text, "    {}\n        {}\n\n", row.pattern.text(), or_none(row.synopsis));
    }
    response(text, openapi::document(&engine.paths))
}

fn or_none(text: &str) -> &str {
    if text.is_empty() { "<no help>" } else { text.trim() }
}

fn response(help: String, openapi: Value) -> Result<Response> {
    Response::json(&json!({ "help": help, "see_also": null, "openapi": openapi }))
}
