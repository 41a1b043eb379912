//! Documents written down again, in both languages.

use std::fmt::Write;

use domain::document::{Entry, Node, Value};

/// As HCL; none: it holds what only JSON can say.
pub fn hcl(entries: &[Entry]) -> Option<String> {
    let mut text = String::new();
    for (at, entry) in entries.iter().enumerate() {
        // Blocks may share a name, arguments may not.
        let is_block = matches!(entry.node.value, Value::Table(_));
        if !is_block && entries[..at].iter().any(|earlier| earlier.name == entry.name) {
            return None;
        }
        let sign = if is_block { "" } else { " =" };
        writeln!(text, "{}{sign} {}", quoted(&entry.name), hcl_value(&entry.node)?).unwrap();
    }
    Some(text)
}

fn hcl_value(node: &Node) -> Option<String> {
    Some(match &node.value {
        Value::Null => return None,
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => quoted(text),
        Value::List(items) => {
            let items: Option<Vec<String>> = items.iter().map(hcl_value).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Table(entries) => format!("{{\n{}}}", hcl(entries)?),
    })
}

/// With every character escaped that could mean something.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            quoted.push(character);
        } else {
            write!(quoted, "\\U{:08x}", u32::from(character)).unwrap();
        }
    }
    quoted + "\""
}

/// As JSON.
pub fn json(entries: &[Entry]) -> String {
    let members = entries.iter().map(|entry| {
        let name = serde_json::to_string(&entry.name).unwrap();
        format!("{name}: {}", json_value(&entry.node))
    });
    format!("{{{}}}", members.collect::<Vec<_>>().join(",\n"))
}

fn json_value(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => number.to_string(),
        Value::Text(text) => serde_json::to_string(text).unwrap(),
        Value::List(items) => format!("[{}]", items.iter().map(json_value).collect::<Vec<_>>().join(", ")),
        Value::Table(entries) => json(entries),
    }
}

/// Whether two documents say the same, wherever it stands in them.
pub fn same(one: &[Entry], other: &[Entry]) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|(a, b)| a.name == b.name && same_value(&a.node.value, &b.node.value))
}

fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Table(one), Value::Table(other)) => same(one, other),
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same_value(&a.value, &b.value))
        }
        _ => one == other,
    }
}
