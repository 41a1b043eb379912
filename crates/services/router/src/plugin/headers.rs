use std::collections::HashMap;

use wire::{pb, router::v1::HeaderLine};

/// No plugin sees these, whatever its mount lets through: they carry tokens. The gateway takes them out already, but the
/// list of a mount is kept here.
const NEVER: [&str; 3] = ["x-vault-token", "authorization", "proxy-authorization"];

/// The headers of a request that a mount lets through to its plugin, spelled as Go spells them.
pub(crate) fn passed_through(lines: &[HeaderLine], allowed: &[String]) -> HashMap<String, pb::Header> {
    let mut passed: HashMap<String, pb::Header> = HashMap::new();
    if allowed.is_empty() {
        return passed;
    }
    for line in lines {
        let name = String::from_utf8_lossy(&line.name);
        if is_listed(allowed, &name) && !carries_token(&name) {
            let value = String::from_utf8_lossy(&line.value).into_owned();
            passed.entry(go_spelling(&name)).or_default().header.push(value);
        }
    }
    passed
}

/// In whatever spelling: some take an underscore for a hyphen.
fn carries_token(name: &str) -> bool {
    let name = name.replace('_', "-");
    NEVER.iter().any(|never| never.eq_ignore_ascii_case(&name))
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

/// `x-vault-request` as `X-Vault-Request`.
fn go_spelling(name: &str) -> String {
    let mut spelled = name.to_owned();
    let mut at_start = true;
    // Header names are ASCII, so a letter's size does not change.
    for at in 0..spelled.len() {
        if at_start && let Some(letter) = spelled.get_mut(at..=at) {
            letter.make_ascii_uppercase();
        }
        at_start = spelled.as_bytes().get(at) == Some(&b'-');
    }
    spelled
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
        let carriers = [
            "X-Vault-Token",
            "x-vault-token",
            "X_Vault_Token",
            "Authorization",
            "AUTHORIZATION",
            "Proxy_Authorization",
        ];
        let line =
            |name: &'static str, value: &'static str| HeaderLine { name: name.into(), value: value.into() };
        let mut all = carriers.map(|name| line(name, "hvs.canary")).to_vec();
        all.extend([line("x-a", "1"), line("x-b", "2"), line("x-a", "3")]);
        // Whatever an operator lists, in whatever spelling.
        let mut allowed = carriers.map(str::to_lowercase).to_vec();
        allowed.extend(carriers.map(str::to_owned));
        allowed.push("x-a".to_owned());
        let values = vec!["1".to_owned(), "3".to_owned()];
        assert_eq!(
            passed_through(&all, &allowed),
            HashMap::from([("X-A".to_owned(), pb::Header { header: values })])
        );
        assert!(passed_through(&all, &[]).is_empty());
    }

    #[test]
    fn g9_an_answers_header_cannot_hold_a_line_break() {
        let allowed = ["x-a".to_owned(), "x-b".to_owned()];
        let out = let_out(headers(&[("X-A", "fine"), ("X-B", "a\r\nSet-Cookie: b")]), &allowed);
        assert_eq!(out, headers(&[("X-A", "fine")]));
    }
}
