use domain::Operation;
use serde_json::{Map, Value, json};

use super::{Field, Path};

/// The paths as an OpenAPI document, relative to the mount.
pub(super) fn document<'e, S: Send + Sync + 'static>(rows: impl IntoIterator<Item = &'e Path<S>>) -> Value {
    let paths: Map<_, _> = rows.into_iter().filter_map(entry).collect();
    json!({
        "openapi": "3.0.2",
        "info": { "title": "Mortise", "description": "HTTP API of a plugin.", "version": env!("CARGO_PKG_VERSION") },
        "paths": paths,
        "components": { "schemas": {} },
    })
}

/// One row of the table; none for rows that take everything, since they document nothing.
fn entry<S: Send + Sync + 'static>(row: &Path<S>) -> Option<(String, Value)> {
    let path = format!("/{}", row.pattern.text().replace("...}", "}").replace("*}", "}"));
    if path.contains("{}") {
        return None;
    }
    let mut item = Map::new();
    item.insert("description".to_owned(), row.synopsis.into());
    let parameters: Vec<_> = row.pattern.names().map(|name| parameter(name, row.fields.get(name))).collect();
    if !parameters.is_empty() {
        item.insert("parameters".to_owned(), parameters.into());
    }
    for (operation, _) in &row.operations {
        if let Some(verb) = verb(*operation) {
            item.insert(verb.to_owned(), describe(row, *operation));
        }
    }
    Some((path, item.into()))
}

const fn verb(operation: Operation) -> Option<&'static str> {
    match operation {
        Operation::Read | Operation::List => Some("get"),
        Operation::Create | Operation::Update => Some("post"),
        Operation::Patch => Some("patch"),
        Operation::Delete => Some("delete"),
        _ => None,
    }
}

fn parameter(name: &str, field: Option<&Field>) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": field.map_or("", |field| field.about),
        "schema": { "type": "string" },
    })
}

fn describe<S: Send + Sync + 'static>(row: &Path<S>, operation: Operation) -> Value {
    let mut described = json!({
        "summary": row.synopsis,
        "responses": { "200": { "description": "OK" } },
    });
    let captured: Vec<_> = row.pattern.names().collect();
    let fields: Map<_, _> = row
        .fields
        .iter()
        .filter(|(name, _)| !captured.contains(name))
        .map(|(name, field)| ((*name).to_owned(), schema(*field)))
        .collect();
    if !fields.is_empty() && matches!(operation, Operation::Create | Operation::Update | Operation::Patch) {
        let media = match operation {
            Operation::Patch => "application/merge-patch+json",
            _ => "application/json",
        };
        described["requestBody"] =
            json!({ "content": { media: { "schema": { "type": "object", "properties": fields } } } });
    }
    described
}

fn schema(field: Field) -> Value {
    let (kind, items) = field.kind.schema();
    let mut schema = json!({ "type": kind, "description": field.about });
    if let Some(items) = items {
        schema["items"] = json!({ "type": items });
    }
    schema
}
