use hcl_edit::{
    Span,
    expr::{Expression, ObjectKey},
    parser::parse_body,
    structure::{Block, Body, Structure},
};

use super::{
    problem::Problem,
    tree::{Entry, Lines, Node, Value},
};

/// Reads HCL.
pub(crate) fn parse(lines: &Lines<'_>) -> Result<Vec<Entry>, Problem> {
    let body = parse_body(lines.text).map_err(|error| Problem {
        place: lines.line(error.location().line()),
        text: format!("this is not HCL: {}", error.message()),
    })?;
    Ok(entries(lines, &body))
}

fn entries(lines: &Lines<'_>, body: &Body) -> Vec<Entry> {
    body.iter().map(|structure| entry(lines, structure)).collect()
}

fn entry(lines: &Lines<'_>, structure: &Structure) -> Entry {
    match structure {
        Structure::Attribute(attribute) => {
            let place = lines.at(attribute.span().unwrap_or_default().start);
            let value = value(lines, &attribute.value);
            Entry { key: attribute.key.as_str().to_owned(), node: Node { place, value } }
        }
        Structure::Block(block) => labelled(lines, block),
    }
}

/// A block; each of its labels becomes one level of the tree.
fn labelled(lines: &Lines<'_>, block: &Block) -> Entry {
    let place = lines.at(block.span().unwrap_or_default().start);
    let inner = Value::Table(entries(lines, &block.body));
    let value = block.labels.iter().rev().fold(inner, |value, label| {
        let node = Node { place: place.clone(), value };
        Value::Table(vec![Entry { key: label.as_str().to_owned(), node }])
    });
    Entry { key: block.ident.as_str().to_owned(), node: Node { place, value } }
}

fn value(lines: &Lines<'_>, expression: &Expression) -> Value {
    match expression {
        Expression::Null(_) => Value::Null,
        Expression::Bool(value) => Value::Bool(*value.value()),
        Expression::Number(number) => Value::Number(number.value().to_string()),
        Expression::String(text) => Value::Text(text.value().clone()),
        Expression::HeredocTemplate(heredoc) => Value::Text(heredoc.template.to_string()),
        Expression::Parenthesis(inner) => value(lines, inner.inner()),
        Expression::Array(list) => Value::List(list.iter().map(|item| node(lines, item)).collect()),
        Expression::Object(object) => Value::Table(
            object
                .iter()
                .filter_map(|(key, value)| Some(Entry { key: name(key)?, node: node(lines, value.expr()) }))
                .collect(),
        ),
        _ => Value::Expression,
    }
}

fn node(lines: &Lines<'_>, expression: &Expression) -> Node {
    let place = lines.at(expression.span().unwrap_or_default().start);
    Node { place, value: value(lines, expression) }
}

fn name(key: &ObjectKey) -> Option<String> {
    match key {
        ObjectKey::Ident(ident) => Some(ident.as_str().to_owned()),
        ObjectKey::Expression(expression) => expression.as_str().map(str::to_owned),
    }
}
