use std::{fmt, str::FromStr, time::Duration};

use domain::{Secret, UsernameTemplate, parse_duration};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sqlx::{
    ConnectOptions,
    postgres::{PgConnectOptions, PgSslMode},
};
use tenon::database::{Error, Result, Settings};

use super::scram;

/// How names are made up unless the settings say how.
const USERNAME_TEMPLATE: &str = r#"{{ printf "v-%s-%s-%s-%s" (.DisplayName | truncate 8) (.RoleName | truncate 8) (random 20) (unix_time) | truncate 63 }}"#;

/// How many connections there are unless the settings say how many.
const MAX_OPEN_CONNECTIONS: u32 = 4;

/// What may stand in a part of a URL as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// What a connection's settings mean.
pub(super) struct Config {
    pub(super) options: PgConnectOptions,
    pub(super) max_open_connections: u32,
    pub(super) max_connection_lifetime: Option<Duration>,
    pub(super) username_template: UsernameTemplate,
    scram: bool,
    /// What no error may repeat.
    pub(super) password: Secret<String>,
}

impl Config {
    /// Reads the settings; what they know beside this is for others.
    pub(super) fn read(settings: &Settings) -> Result<Self> {
        let template = match settings.text("username_template") {
            "" => USERNAME_TEMPLATE,
            template => template,
        };
        let username_template =
            template.parse().map_err(invalid("unable to initialize username template"))?;
        let scram = match settings.text("password_authentication") {
            "" | "password" => false,
            "scram-sha-256" => true,
            other => {
                return Err(failed(format!("'{other}' is not a valid password authentication type")));
            }
        };
        if !matches!(settings.text("auth_type"), "") {
            return Err(failed(
                "auth_type is for databases in Google's cloud, which this plugin cannot log in to",
            ));
        }
        let max_open_connections = match number(settings, "max_open_connections")? {
            None | Some(0) => MAX_OPEN_CONNECTIONS,
            Some(number) => number,
        };
        let max_connection_lifetime = duration(settings, "max_connection_lifetime")?;
        Ok(Self {
            options: options(settings)?,
            max_open_connections,
            max_connection_lifetime,
            username_template,
            scram,
            password: Secret::new(settings.text("password").to_owned()),
        })
    }

    /// A password as the database is told it.
    pub(super) fn stored_password(&self, password: &Secret<String>) -> Result<Secret<String>> {
        if !self.scram || scram::is_verifier(password.expose()) {
            return Ok(password.clone());
        }
        scram::verifier(password).map_err(|error| failed(error.to_string()))
    }
}

/// Nothing of how the database is reached is shown: it may hold a password.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("max_open_connections", &self.max_open_connections)
            .field("max_connection_lifetime", &self.max_connection_lifetime)
            .finish_non_exhaustive()
    }
}

fn failed(sentence: impl Into<String>) -> Error {
    Error::Failed(sentence.into())
}

fn invalid<E: fmt::Display>(what: &str) -> impl Fn(E) -> Error {
    move |error| failed(format!("{what}: {error}"))
}

fn options(settings: &Settings) -> Result<PgConnectOptions> {
    let url = settings.text("connection_url");
    if url.is_empty() {
        return Err(failed("connection_url cannot be empty"));
    }
    if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
        return Err(failed(
            "connection_url has to be a URL: postgresql://{{username}}:{{password}}@host:5432/database",
        ));
    }
    let filled = fill(url, settings);
    // What is wrong with it may well be the password.
    let mut options = PgConnectOptions::from_str(&filled)
        .map_err(|_| failed("connection_url is malformed, or asks for what this plugin does not know"))?
        // Statements hold passwords.
        .disable_statement_logging();
    if let ca @ [_, ..] = settings.text("tls_ca").as_bytes() {
        options = options.ssl_root_cert_from_pem(ca.to_vec());
        if !url.contains("sslmode=") {
            options = options.ssl_mode(PgSslMode::VerifyFull);
        }
    }
    match (settings.text("tls_certificate"), settings.text("private_key")) {
        ("", "") => Ok(options),
        ("", _) | (_, "") => {
            Err(failed("tls_certificate and private_key go together: give both, or neither"))
        }
        (certificate, key) => Ok(options.ssl_client_cert_from_pem(certificate).ssl_client_key_from_pem(key)),
    }
}

/// The URL with name and password in it.
fn fill(url: &str, settings: &Settings) -> String {
    let plain = settings.0.get("disable_escaping").is_some_and(is_true);
    let escape = |text: &str| {
        if plain { text.to_owned() } else { utf8_percent_encode(text, PLAIN).to_string() }
    };
    let password = escape(settings.text("password"));
    // One after the other, but no name is looked at for a placeholder.
    let parts = url.split("{{username}}").map(|part| part.replace("{{password}}", &password));
    parts.collect::<Vec<_>>().join(&escape(settings.text("username")))
}

fn is_true(value: &Value) -> bool {
    value.as_bool().unwrap_or_else(|| value.as_str().is_some_and(|text| text == "true" || text == "1"))
}

fn number(settings: &Settings, key: &str) -> Result<Option<u32>> {
    let malformed = || failed(format!("{key} has to be a number"));
    match settings.0.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => text.parse().map(Some).map_err(|_| malformed()),
        Some(value) => {
            let number = value.as_u64().and_then(|number| number.try_into().ok());
            number.map(Some).ok_or_else(malformed)
        }
    }
}

/// None: without an end.
fn duration(settings: &Settings, key: &str) -> Result<Option<Duration>> {
    let text = match settings.0.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let duration = parse_duration(&text).map_err(invalid(&format!("invalid {key}")))?;
    Ok(Some(duration).filter(|duration| !duration.is_zero()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(settings: Value) -> Result<Config> {
        Config::read(&Settings(serde_json::from_value(settings).unwrap()))
    }

    #[test]
    fn name_and_password_are_put_into_the_url() {
        let config = read(json!({
            "connection_url": "postgresql://{{username}}:{{password}}@db.test:6432/app?sslmode=disable",
            "username": "vault {{password}}",
            "password": "p@ss/w?rd",
            "max_open_connections": "7",
            "max_connection_lifetime": "5s",
        }))
        .unwrap();
        assert_eq!(config.options.get_username(), "vault {{password}}");
        assert_eq!(config.options.get_host(), "db.test");
        assert_eq!((config.options.get_port(), config.options.get_database()), (6432, Some("app")));
        assert_eq!(config.max_open_connections, 7);
        assert_eq!(config.max_connection_lifetime, Some(Duration::from_secs(5)));
        assert!(!format!("{config:?}").contains("p@ss"));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_without_showing_the_password() {
        let url = "postgresql://{{username}}:{{password}}@localhost/app";
        for (settings, sentence) in [
            (json!({}), "connection_url cannot be empty"),
            (json!({ "connection_url": "host=x password=hunter2" }), "has to be a URL"),
            (
                json!({ "connection_url": "postgresql://u:hunter2@x:port/", "password": "hunter2" }),
                "connection_url is malformed",
            ),
            (json!({ "connection_url": url, "username_template": "{{x}}" }), "initialize username template"),
            (json!({ "connection_url": url, "password_authentication": "md5" }), "'md5' is not a valid"),
            (json!({ "connection_url": url, "max_open_connections": "many" }), "has to be a number"),
            (json!({ "connection_url": url, "max_connection_lifetime": "ever" }), "max_connection_lifetime"),
            (json!({ "connection_url": url, "private_key": "x" }), "go together"),
            (json!({ "connection_url": url, "auth_type": "gcp_iam" }), "auth_type"),
        ] {
            let error = read(settings).unwrap_err().to_string();
            assert!(error.contains(sentence) && !error.contains("hunter2"), "{error}");
        }
    }
}
