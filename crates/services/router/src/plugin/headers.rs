use std::collections::HashMap;

use wire::pb;

/// No plugin sees these, whatever its mount lets through.
const NEVER: [&str; 1] = ["x-vault-token"];

/// The headers of a request that a mount lets through to its plugin.
pub(crate) fn passed_through(
    headers: &HashMap<String, pb::Header>,
    allowed: &[String],
) -> HashMap<String, pb::Header> {
    if allowed.is_empty() {
        return HashMap::new();
    }
    let never = |name: &str| NEVER.iter().any(|never| never.eq_ignore_ascii_case(name));
    let passed = headers.iter().filter(|(name, _)| is_listed(allowed, name) && !never(name));
    passed.map(|(name, values)| (name.clone(), values.clone())).collect()
}

/// The headers of a plugin's answer that a mount lets through to the caller. A line break in one could forge another.
pub(crate) fn let_out(
    mut headers: HashMap<String, pb::Header>,
    allowed: &[String],
) -> HashMap<String, pb::Header> {
    headers.retain(|name, values| {
        is_listed(allowed, name) && !values.header.iter().any(|value| value.contains(['\r', '\n', '\0']))
    });
    headers
}

fn is_listed(allowed: &[String], name: &str) -> bool {
    allowed.iter().any(|each| each.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HashMap<String, pb::Header> {
        let pair = |(name, value): &(&str, &str)| {
            ((*name).to_owned(), pb::Header { header: vec![(*value).to_owned()] })
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn g7_only_listed_headers_pass_and_the_token_never_does() {
        let allowed = ["x-a".to_owned(), "X-Vault-Token".to_owned()];
        let passed =
            passed_through(&headers(&[("X-A", "1"), ("x-b", "2"), ("x-vault-token", "3")]), &allowed);
        assert_eq!(passed, headers(&[("X-A", "1")]));
        assert!(passed_through(&headers(&[("x-a", "1")]), &[]).is_empty());
    }

    #[test]
    fn g9_an_answers_header_cannot_hold_a_line_break() {
        let allowed = ["x-a".to_owned(), "x-b".to_owned()];
        let out = let_out(headers(&[("X-A", "fine"), ("X-B", "a\r\nSet-Cookie: b")]), &allowed);
        assert_eq!(out, headers(&[("X-A", "fine")]));
    }
}
