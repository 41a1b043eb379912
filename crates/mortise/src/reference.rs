//! `mortise reference`: all that can be configured, told by the code that reads it.

use domain::SandboxSettings;
use serde_json::Value;

/// Prints it, as docs/configuration.md ends with it.
#[expect(clippy::print_stdout, reason = "this is the answer of a command")]
pub fn print() {
    print!("{}", reference());
}

fn reference() -> String {
    format!("{}{}", kit::config::reference(), sandboxes())
}

/// What can be asked of a runtime; the words are those of the command that registers one.
fn sandboxes() -> String {
    let usual = serde_json::to_value(SandboxSettings::default()).unwrap_or_default();
    let rows = cli::sandbox_settings()
        .filter_map(|(field, says)| Some((field, says.trim_end_matches('.'), shown(usual.get(field)?))));
    let rows: String =
        rows.map(|(field, says, usual)| format!("| `{field}` | {says} | {usual} |\n")).collect();
    format!(
        "\n### Runtimes of type `sandbox`\n\nNot in a file: `sys/plugins/runtimes/catalog/sandbox/:name`, or `mortise plugin \
         runtime register`. No number limits nothing.\n\n| field | what it says | by itself |\n|---|---|---|\n{rows}"
    )
}

fn shown(usual: &Value) -> String {
    match usual {
        Value::Null => String::new(),
        Value::Array(all) if all.is_empty() => "none".to_owned(),
        Value::String(text) if text.is_empty() => String::new(),
        Value::Number(number) if number.as_u64() == Some(0) => "no limit".to_owned(),
        other => format!("`{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_ends_with_the_reference() {
        let page = include_str!("../../../docs/configuration.md");
        let (_, told) = page.split_once("`make reference` writes what follows. -->\n").unwrap();
        assert!(told == reference(), "docs/configuration.md is not what the code says: run `make reference`");
    }

    #[test]
    fn every_setting_of_a_sandbox_is_told_of() {
        let usual = serde_json::to_value(SandboxSettings::default()).unwrap();
        let told: Vec<_> = cli::sandbox_settings().map(|(field, _)| field).collect();
        for field in usual.as_object().unwrap().keys() {
            assert!(told.contains(&field.as_str()), "{field}");
        }
    }
}
