//! An answer as rows of a table, and its fields one by one.

use serde_json::{Map, Value, json};

use super::go::{duration, member, plain, quoted};
use crate::client::{Auth, Secret, WrapInfo};

/// Everything that it tells.
pub fn of(secret: &Secret) -> Vec<Vec<String>> {
    let mut rows = Rows::default();
    rows.lease(secret);
    if let Some(auth) = &secret.auth {
        rows.auth(auth);
    }
    if let Some(wrap) = &secret.wrap_info {
        rows.wrap(wrap);
    }
    rows.0.extend(secret.data.as_ref().map(members).unwrap_or_default());
    rows.0
}

/// The members of an object, in order.
pub fn members(data: &Map<String, Value>) -> Vec<Vec<String>> {
    let mut rows: Vec<_> = data.iter().map(|(name, value)| vec![name.clone(), member(name, value)]).collect();
    rows.sort();
    rows
}

#[derive(Default)]
struct Rows(Vec<Vec<String>>);

impl Rows {
    fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push(vec![name.into(), value.into()]);
    }

    fn lease(&mut self, secret: &Secret) {
        if secret.lease_duration <= 0 {
            return;
        }
        if secret.lease_id.is_empty() {
            // Nothing can be renewed: this is how often to look again.
            return self.add("refresh_interval", duration(secret.lease_duration));
        }
        self.add("lease_id", &*secret.lease_id);
        self.add("lease_duration", duration(secret.lease_duration));
        self.add("lease_renewable", secret.renewable.to_string());
    }

    fn auth(&mut self, auth: &Auth) {
        if let Some(required) = &auth.mfa_requirement {
            return self.add("mfa_request_id", plain(&required["mfa_request_id"]));
        }
        self.add("token", &*auth.client_token);
        self.add("token_accessor", &*auth.accessor);
        self.add("token_duration", token_duration(auth));
        self.add("token_renewable", auth.renewable.to_string());
        self.add("token_policies", quoted(auth.token_policies.as_deref()));
        self.add("identity_policies", quoted(auth.identity_policies.as_deref()));
        self.add("policies", quoted(auth.policies.as_deref()));
        for (name, value) in auth.metadata.iter().flatten() {
            self.add(format!("token_meta_{name}"), plain(value));
        }
    }

    fn wrap(&mut self, wrap: &WrapInfo) {
        self.add("wrapping_token:", &*wrap.token);
        self.add("wrapping_accessor:", &*wrap.accessor);
        self.add("wrapping_token_ttl:", duration(wrap.ttl));
        self.add("wrapping_token_creation_time:", &*wrap.creation_time);
        self.add("wrapping_token_creation_path:", &*wrap.creation_path);
        if !wrap.wrapped_accessor.is_empty() {
            self.add("wrapped_accessor:", &*wrap.wrapped_accessor);
        }
    }
}

fn token_duration(auth: &Auth) -> String {
    if auth.lease_duration == 0 { "∞".to_owned() } else { duration(auth.lease_duration) }
}

/// One field by its name.
pub fn field(secret: &Secret, name: &str) -> Option<Value> {
    let of_wrap = || {
        let wrap = secret.wrap_info.as_ref()?;
        Some(match name {
            "wrapping_token" => json!(wrap.token),
            "wrapping_accessor" => json!(wrap.accessor),
            "wrapping_token_ttl" => json!(wrap.ttl),
            "wrapping_token_creation_time" => json!(wrap.creation_time),
            "wrapping_token_creation_path" => json!(wrap.creation_path),
            "wrapped_accessor" => json!(wrap.wrapped_accessor),
            _ => return None,
        })
    };
    let of_lease = || {
        Some(match name {
            "lease_duration" | "refresh_interval" => json!(secret.lease_duration),
            "lease_id" => json!(secret.lease_id),
            "request_id" => json!(secret.request_id),
            "renewable" => json!(secret.renewable),
            "data" => json!(secret.data.as_ref()?),
            _ => return None,
        })
    };
    let of_auth = secret.auth.as_ref().and_then(|auth| of_auth(auth, name));
    let of_data = || secret.data.as_ref()?.get(name).cloned();
    of_auth.or_else(of_wrap).or_else(of_data).or_else(of_lease)
}

fn of_auth(auth: &Auth, name: &str) -> Option<Value> {
    Some(match name {
        "token" => json!(auth.client_token),
        "token_accessor" => json!(auth.accessor),
        "token_duration" => json!(auth.lease_duration),
        "token_renewable" => json!(auth.renewable),
        "token_policies" => json!(auth.token_policies.as_deref().unwrap_or_default()),
        "identity_policies" => json!(auth.identity_policies.as_deref().unwrap_or_default()),
        "policies" => json!(auth.policies.as_deref().unwrap_or_default()),
        _ => return auth.metadata.as_ref()?.get(name.strip_prefix("token_meta_")?).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_secret_without_a_lease_tells_when_to_look_again() {
        let secret = secret(r#"{"lease_duration":2764800,"data":{"ttl":60,"a":"b"}}"#);
        let rows = [["refresh_interval", "768h"], ["a", "b"], ["ttl", "1m"]];
        assert_eq!(of(&secret), rows.map(|row| row.map(str::to_owned).to_vec()));
        assert_eq!(field(&secret, "a"), Some(json!("b")));
        assert_eq!(field(&secret, "b"), None);
    }

    #[test]
    fn a_token_without_an_end_lasts_for_ever() {
        let secret =
            secret(r#"{"auth":{"client_token":"t","policies":["a","b"],"metadata":{"username":"u"}}}"#);
        let rows = of(&secret);
        assert!(rows.contains(&vec!["token_duration".to_owned(), "∞".to_owned()]));
        assert!(rows.contains(&vec!["policies".to_owned(), r#"["a" "b"]"#.to_owned()]));
        assert_eq!(field(&secret, "token_meta_username"), Some(json!("u")));
    }

    #[test]
    fn an_answer_behind_a_token_tells_where_it_is() {
        let secret = secret(r#"{"wrap_info":{"token":"w","ttl":90}}"#);
        assert_eq!(of(&secret)[2], ["wrapping_token_ttl:", "1m30s"]);
        assert_eq!(field(&secret, "wrapping_token"), Some(json!("w")));
    }
}
