use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use tenon::{
    Error, Result,
    database::{CredentialType, Settings},
};

use super::url;

/// What is stored of a connection. Passwords are in it, so it does not show itself.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) plugin_name: String,
    /// Empty: the one that the catalog chooses.
    pub(super) plugin_version: String,
    pub(super) verify_connection: bool,
    /// Roles that may use it, `*` stands for any text.
    pub(super) allowed_roles: Vec<String>,
    pub(super) root_credentials_rotate_statements: Vec<String>,
    pub(super) password_policy: String,
    #[serde(default)]
    pub(super) skip_static_role_import_rotation: bool,
    /// What the plugin knows it by, as the plugin has returned it.
    pub(super) connection_details: Map<String, Value>,
}

/// What a request says of it. The rest is for the plugin.
#[derive(Deserialize)]
pub(super) struct Wish {
    pub(super) name: String,
    plugin_name: Option<String>,
    plugin_version: Option<String>,
    verify_connection: Option<bool>,
    allowed_roles: Option<Vec<String>>,
    root_rotation_statements: Option<Vec<String>>,
    password_policy: Option<String>,
    skip_static_role_import_rotation: Option<bool>,
    rotation_period: Option<u64>,
    rotation_schedule: Option<String>,
    #[serde(rename = "rotation_window")]
    _rotation_window: Option<u64>,
    #[serde(rename = "disable_automated_rotation")]
    _disable_automated_rotation: Option<bool>,
    #[serde(flatten)]
    details: Map<String, Value>,
}

impl Config {
    /// A connection as a request wants it: a new one, or what was known with what the request says.
    ///
    /// # Errors
    /// What makes no sense.
    pub(super) fn wished(known: Option<Self>, wish: Wish) -> Result<Self> {
        let known = known.unwrap_or_else(|| Self {
            plugin_name: String::new(),
            plugin_version: String::new(),
            verify_connection: true,
            allowed_roles: Vec::new(),
            root_credentials_rotate_statements: Vec::new(),
            password_policy: String::new(),
            skip_static_role_import_rotation: false,
            connection_details: Map::new(),
        });
        if wish.rotation_period.is_some_and(|period| period > 0)
            || wish.rotation_schedule.is_some_and(|schedule| !schedule.is_empty())
        {
            return Err(Error::refused(
                "error registering rotation job: rotation manager capabilities are not supported; rotate with rotate-root",
            ));
        }
        let next = Self {
            plugin_name: wish.plugin_name.unwrap_or(known.plugin_name),
            plugin_version: wish.plugin_version.map_or(Ok(known.plugin_version), |text| version(&text))?,
            verify_connection: wish.verify_connection.unwrap_or(known.verify_connection),
            allowed_roles: wish.allowed_roles.unwrap_or(known.allowed_roles),
            root_credentials_rotate_statements: wish
                .root_rotation_statements
                .unwrap_or(known.root_credentials_rotate_statements),
            password_policy: wish.password_policy.unwrap_or(known.password_policy),
            skip_static_role_import_rotation: wish
                .skip_static_role_import_rotation
                .unwrap_or(known.skip_static_role_import_rotation),
            connection_details: known.connection_details.into_iter().chain(wish.details).collect(),
        };
        if next.plugin_name.is_empty() {
            return Err(Error::refused("empty plugin name"));
        }
        Ok(next)
    }

    /// What a reader sees: no secret.
    pub(super) fn view(&self) -> Value {
        let mut details = self.connection_details.clone();
        for secret in ["password", "private_key", "service_account_json"] {
            details.remove(secret);
        }
        if let Some(Value::String(url)) = details.get_mut("connection_url") {
            *url = url::without_password(url);
        }
        let builtin = self.plugin_version.ends_with("builtin");
        json!({
            "allowed_roles": self.allowed_roles,
            "connection_details": details,
            "disable_automated_rotation": false,
            "password_policy": self.password_policy,
            "plugin_name": self.plugin_name,
            "plugin_version": if builtin { "" } else { &self.plugin_version },
            "root_credentials_rotate_statements": self.root_credentials_rotate_statements,
            "rotation_period": 0,
            "rotation_schedule": "",
            "rotation_window": 0,
            "skip_static_role_import_rotation": self.skip_static_role_import_rotation,
            "verify_connection": self.verify_connection,
        })
    }

    /// What the operator is told beside the success.
    pub(super) fn warning(&self) -> Option<&'static str> {
        url::has_password(self.detail("connection_url")).then_some(
            "Password found in connection_url, use a templated url to enable root rotation and prevent read access to \
             password information.",
        )
    }

    /// A text among the details; empty if it is none.
    pub(super) fn detail(&self, name: &str) -> &str {
        self.connection_details.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The same with another password of the root user.
    pub(super) fn with_password(&self, password: &str) -> Self {
        let mut next = self.clone();
        next.connection_details.insert("password".to_owned(), password.into());
        next
    }

    /// What the plugin is given.
    pub(super) fn settings(&self) -> Settings {
        Settings(self.connection_details.clone())
    }

    /// Whether a role may use it.
    pub(super) fn allow(&self, role: &str) -> Result<()> {
        if self.allowed_roles.iter().any(|pattern| domain::matches_glob(pattern, role)) {
            return Ok(());
        }
        Err(Error::refused(format!("{role:?} is not an allowed role")))
    }

    /// Whether its plugin makes such credentials.
    pub(super) fn support(&self, kind: CredentialType) -> Result<()> {
        if self.settings().supported_credential_types().contains(&kind) {
            return Ok(());
        }
        Err(Error::refused(format!("unsupported credential_type: {:?}", kind.word())))
    }
}

fn version(text: &str) -> Result<String> {
    if text.is_empty() {
        return Ok(String::new());
    }
    let version: domain::PluginVersion = text
        .parse()
        .map_err(|_| Error::refused(format!("version {text:?} is not a valid semantic version")))?;
    Ok(version.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(body: Value) -> Wish {
        serde_json::from_value(body).unwrap()
    }

    fn config(body: Value) -> Config {
        Config::wished(None, wish(body)).ok().unwrap()
    }

    #[test]
    fn what_no_field_is_called_is_for_the_plugin() {
        let config = config(json!({
            "name": "pg", "plugin_name": "p", "max_open_connections": 4, "username": "u", "tls": { "a": [1] },
        }));
        let details = Value::Object(config.connection_details);
        assert_eq!(details, json!({ "max_open_connections": 4, "username": "u", "tls": { "a": [1] } }));
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let known = config(json!({ "name": "pg", "plugin_name": "p", "username": "u", "password": "x" }));
        let next = Config::wished(
            Some(known),
            wish(json!({ "name": "pg", "allowed_roles": ["a"], "username": "v" })),
        );
        let next = next.ok().unwrap();
        assert_eq!((next.plugin_name.as_str(), next.detail("username")), ("p", "v"));
        assert_eq!((next.detail("password"), next.allowed_roles.as_slice()), ("x", &["a".to_owned()][..]));
    }

    #[test]
    fn t10_a_reader_sees_no_secret() {
        let config = config(json!({
            "name": "pg", "plugin_name": "p", "password": "hunter2", "private_key": "hunter2",
            "service_account_json": "hunter2", "connection_url": "postgresql://u:hunter2@h/db",
        }));
        let view = config.view();
        assert!(!view.to_string().contains("hunter2"));
        assert_eq!(view["connection_details"], json!({ "connection_url": "postgresql://u:xxxxx@h/db" }));
        assert!(config.warning().is_some());
    }

    #[test]
    fn roles_are_allowed_by_name_and_by_pattern() {
        let allowed = |roles: Value, role: &str| {
            config(json!({ "name": "pg", "plugin_name": "p", "allowed_roles": roles })).allow(role).is_ok()
        };
        assert!(allowed(json!(["*"]), "any"));
        assert!(allowed(json!(["a", "read-*"]), "read-all"));
        assert!(!allowed(json!([]), "a") && !allowed(json!(["a"]), "ab"));
    }
}
