use std::fmt;

use serde_json::{Map, Value};

use super::CredentialType;

/// The key under which a plugin says what kinds of credentials it can make.
const SUPPORTED: &str = "supported_credential_types";

/// How a connection reaches its database: whatever the plugin knows, passwords included. Shows only its keys.
#[derive(Clone, Default, PartialEq)]
pub struct Settings(pub Map<String, Value>);

impl Settings {
    /// The text under a key; empty if there is none.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// What kinds of credentials the plugin says that it can make. One that says nothing makes passwords.
    pub fn supported_credential_types(&self) -> Vec<CredentialType> {
        let Some(words) = self.0.get(SUPPORTED).and_then(Value::as_array) else {
            return vec![CredentialType::Password];
        };
        words.iter().filter_map(|word| word.as_str()?.parse().ok()).collect()
    }

    /// Says what kinds of credentials the plugin can make.
    pub fn set_supported_credential_types(&mut self, types: &[CredentialType]) {
        self.0.insert(SUPPORTED.to_owned(), types.iter().map(|kind| kind.word()).collect());
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(value: Value) -> Settings {
        Settings(serde_json::from_value(value).unwrap())
    }

    #[test]
    fn t10_settings_show_their_keys_only() {
        let settings = settings(json!({ "password": "hunter2", "connection_url": "postgres://u:hunter2@h" }));
        assert_eq!(format!("{settings:?}"), r#"{"connection_url", "password"}"#);
    }

    #[test]
    fn a_plugin_that_says_nothing_makes_passwords() {
        assert_eq!(settings(json!({})).supported_credential_types(), [CredentialType::Password]);
        let mut said = settings(json!({}));
        said.set_supported_credential_types(&[CredentialType::RsaPrivateKey]);
        assert_eq!(said.supported_credential_types(), [CredentialType::RsaPrivateKey]);
    }
}
