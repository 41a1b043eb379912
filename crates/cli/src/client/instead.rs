//! What is printed of a request that is not sent.

use reqwest::Method;

use super::{Client, Failure, Request};

/// What the user wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// A command of curl that does the same.
    Curl,
    /// A policy that allows it.
    Policy,
}

/// Where a policy has to say `sudo`, too; `*` stands for one or more segments at the end, `+` for one.
const SUDO: &[&str] = &[
    "auth/token/accessors",
    "auth/token/revoke-orphan",
    "sys/audit",
    "sys/audit/*",
    "sys/auth/*",
    "sys/config/auditing/request-headers",
    "sys/config/auditing/request-headers/+",
    "sys/config/cors",
    "sys/config/ui/headers",
    "sys/config/ui/headers/+",
    "sys/internal/inspect/router/+",
    "sys/leases/lookup/*",
    "sys/leases/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/plugins/catalog/*",
    "sys/plugins/logs/*",
    "sys/plugins/pins/*",
    "sys/plugins/runtimes/catalog/*",
    "sys/plugins/upload/+",
    "sys/raw/*",
    "sys/remount",
    "sys/revoke-force/*",
    "sys/revoke-prefix/*",
    "sys/rotate",
    "sys/rotate/keyring",
    "sys/seal",
    "sys/step-down",
];

impl Instead {
    pub(super) fn of(self, request: &Request, client: &Client) -> Result<String, Failure> {
        match self {
            Self::Curl => curl(request, client),
            Self::Policy => Ok(policy(request)),
        }
    }
}

/// The token is asked for when that command runs, so that it stands nowhere.
fn curl(request: &Request, client: &Client) -> Result<String, Failure> {
    let settings = client.settings();
    let asked = format!("$({} print token)", settings.program);
    let mut words = vec!["curl".to_owned()];
    if settings.skip_verify {
        words.push("--insecure".to_owned());
    }
    if request.method != Method::GET {
        words.push(format!("-X {}", request.method));
    }
    let files = [
        ("cacert", &settings.ca_cert),
        ("capath", &settings.ca_path),
        ("cert", &settings.client_cert),
        ("key", &settings.client_key),
    ];
    for (option, path) in files {
        words.extend(path.as_ref().map(|path| format!("--{option} '{}'", quoted(&path.to_string_lossy()))));
    }
    for (name, value) in &client.headers(request)? {
        let value = if name == "x-vault-token" {
            asked.clone()
        } else {
            escaped(&String::from_utf8_lossy(value.as_bytes()))
        };
        words.push(format!("-H \"{}: {value}\"", canonical(name.as_str())));
    }
    if let Some(body) = &request.body {
        words.push(format!("-d '{}'", quoted(&body.to_string())));
    }
    words.push(format!("\"{}\"", escaped(client.url(request)?.as_str())));
    let whole = words.join(" ");
    // Whoever asks about a token may ask about the one that asks.
    let token = client.token().map(|token| token.expose().as_str()).filter(|token| !token.is_empty());
    Ok(token.map_or_else(|| whole.clone(), |token| whole.replace(token, &format!("'\"{asked}\"'"))))
}

/// For the inside of single quotes.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\"'\"'")
}

/// For the inside of double quotes.
fn escaped(text: &str) -> String {
    ['\\', '"', '$', '`']
        .iter()
        .fold(text.to_owned(), |text, special| text.replace(*special, &format!("\\{special}")))
}

/// A header's name as it is usually written.
fn canonical(name: &str) -> String {
    let word = |word: &str| match word {
        "ttl" => "TTL".to_owned(),
        "mfa" => "MFA".to_owned(),
        word => word.chars().take(1).map(|c| c.to_ascii_uppercase()).chain(word.chars().skip(1)).collect(),
    };
    name.split('-').map(word).collect::<Vec<String>>().join("-")
}

fn policy(request: &Request) -> String {
    let lists = request.query.iter().any(|(name, value)| name == "list" && value == "true");
    let capabilities = match &request.method {
        _ if lists => "\"list\"",
        &Method::POST | &Method::PUT => "\"create\", \"update\"",
        &Method::PATCH => "\"patch\"",
        &Method::DELETE => "\"delete\"",
        _ => "\"read\"",
    };
    let sudo = if SUDO.iter().any(|pattern| covers(pattern, &request.path)) { ", \"sudo\"" } else { "" };
    format!("path {:?} {{\n  capabilities = [{capabilities}{sudo}]\n}}", request.path)
}

fn covers(pattern: &str, path: &str) -> bool {
    let mut path = path.trim_end_matches('/').split('/');
    for wanted in pattern.split('/') {
        match (wanted, path.next()) {
            ("*", found) => return found.is_some(),
            (_, None) => return false,
            (wanted, Some(found)) if wanted != "+" && wanted != found => return false,
            _ => {}
        }
    }
    path.next().is_none()
}

#[cfg(test)]
mod tests {
    use domain::Token;
    use serde_json::json;

    use super::*;
    use crate::client::Settings;

    fn client(token: &str) -> Client {
        let settings = Settings {
            address: "http://h:1".to_owned(),
            program: "vault".to_owned(),
            instead: Some(Instead::Curl),
            ..Settings::default()
        };
        Client::new(settings, Some(Token::new(token.to_owned()))).unwrap()
    }

    fn shown(client: &Client, request: &Request) -> String {
        match client.ask(request) {
            Err(Failure::Instead(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_of_curl_asks_for_the_token_and_never_holds_it() {
        let client = client("hvs.hidden");
        let request = Request::put("secret/a", json!({"k": "it's"}));
        assert_eq!(
            shown(&client, &request),
            r#"curl -X PUT -H "X-Vault-Request: true" -H "X-Vault-Token: $(vault print token)" -H "Content-Type: application/json" -d '{"k":"it'"'"'s"}' "http://h:1/v1/secret/a""#
        );
        let about = Request::put("auth/token/lookup", json!({"token": "hvs.hidden"}));
        assert!(!shown(&client, &about).contains("hvs.hidden"));
    }

    #[test]
    fn a_policy_allows_what_was_asked() {
        assert_eq!(policy(&Request::list("secret/")), "path \"secret\" {\n  capabilities = [\"list\"]\n}");
        let sudo = policy(&Request::put("sys/auth/github", json!({})));
        assert_eq!(
            sudo,
            "path \"sys/auth/github\" {\n  capabilities = [\"create\", \"update\", \"sudo\"]\n}"
        );
    }

    #[test]
    fn patterns_cover_whole_segments_only() {
        for (pattern, path, is_covered) in [
            ("sys/auth/*", "sys/auth/a/b", true),
            ("sys/auth/*", "sys/auth", false),
            ("sys/audit", "sys/audit/", true),
            ("sys/audit", "sys/audits", false),
            ("sys/plugins/upload/+", "sys/plugins/upload/a/b", false),
        ] {
            assert_eq!(covers(pattern, path), is_covered, "{pattern} {path}");
        }
    }
}
