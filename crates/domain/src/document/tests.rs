use proptest::prelude::*;

use super::*;

fn problem(text: &str) -> Problem {
    parse(text).unwrap_err()
}

/// All names of a document with their lines, in order.
fn lines(text: &str) -> Vec<(String, usize)> {
    fn collect(entries: &[Entry], found: &mut Vec<(String, usize)>) {
        for entry in entries {
            found.push((entry.name.clone(), entry.node.line));
            collect(&entry.node.tables().unwrap_or_default().into_iter().cloned().collect::<Vec<_>>(), found);
        }
    }
    let mut found = Vec::new();
    collect(&parse(text).unwrap(), &mut found);
    found
}

#[test]
fn several_arguments_may_share_the_line_of_their_block() {
    let shared = parse(r#"listener "tcp" { address = "127.0.0.1:1" tls_disable = true }"#).unwrap();
    let apart = parse(r#"{"listener": {"tcp": {"address": "127.0.0.1:1", "tls_disable": true}}}"#).unwrap();
    let inner = |entries: &[Entry]| -> Vec<(String, Value)> {
        let tcp = entries[0].node.tables().unwrap()[0];
        let entries = tcp.node.tables().unwrap().into_iter();
        entries.map(|entry| (entry.name.clone(), entry.node.value.clone())).collect()
    };
    assert_eq!(inner(&shared), inner(&apart));
}

#[test]
fn every_value_knows_its_line() {
    let expected = |names: &[(&str, usize)]| -> Vec<(String, usize)> {
        names.iter().map(|(name, line)| ((*name).to_owned(), *line)).collect()
    };
    let hcl = "a = 1\n\nb \"c\" {\n  d = [\n    1\n  ]\n}\ne = <<X\nlong\nX\nf = 2\n";
    assert_eq!(lines(hcl), expected(&[("a", 1), ("b", 3), ("c", 3), ("d", 4), ("e", 8), ("f", 11)]));
    let json = "{\n\"a\": 1,\n\"b\": [{\"c\": \n2}, {\n\"d\": null}],\n\n\"e\": \"\"}";
    assert_eq!(lines(json), expected(&[("a", 2), ("b", 3), ("c", 4), ("d", 5), ("e", 7)]));
}

#[test]
fn a_problem_names_its_line() {
    for (text, line) in [
        ("a = 1\nb = ]", 2),
        ("a = 1\n\na = 2", 3),
        ("{\n\"a\" 1}", 2),
        ("{\"a\": 1,\n\"b\": \"\\ud800\"}", 2),
        ("a = 1 + 1", 1),
    ] {
        assert_eq!(problem(text).line(), line, "{text}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for text in [
        "a = ".to_owned() + &"[".repeat(100_000),
        "a ".to_owned() + &"{ a ".repeat(100_000),
        "a ".repeat(100_000) + "{}",
        "{\"a\":".to_owned() + &"[".repeat(100) + &"]".repeat(100) + "}",
    ] {
        assert!(matches!(problem(&text), Problem::Deep { line: 1 }));
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn nothing_that_looks_like_hcl_breaks_the_reader(text in "[a-c\"\\{\\}\\[\\]<=,#/*\\\\$0-9\\- \n]*") {
        let _ = parse(&text);
    }

    #[test]
    fn nothing_that_looks_like_json_breaks_the_reader(text in "[\\{\\}\\[\\]\":,a0tn \n]*") {
        let _ = parse(&format!("{{{text}"));
    }
}
