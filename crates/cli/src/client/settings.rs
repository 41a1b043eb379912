use std::{fmt, path::PathBuf, time::Duration};

use super::Instead;
use crate::{Error, environment::Environment, error::Result, given::Given};

const ADDRESS: &str = "https://127.0.0.1:8200";
const TIMEOUT: Duration = Duration::from_secs(60);

/// How a server is reached, by flags, and by variables where there are none.
#[derive(Clone, Default)]
pub struct Settings {
    /// Where it is.
    pub address: String,
    /// Where paths begin.
    pub namespace: Option<String>,
    /// A file of authorities.
    pub ca_cert: Option<PathBuf>,
    /// A folder of such.
    pub ca_path: Option<PathBuf>,
    /// Our certificate.
    pub client_cert: Option<PathBuf>,
    /// Its key.
    pub client_key: Option<PathBuf>,
    /// What the server's certificate has to name, if not where the server is.
    pub server_name: Option<String>,
    /// Any certificate will do.
    pub skip_verify: bool,
    /// What the server is reached by; what it holds may be a password.
    pub proxy: Option<String>,
    /// The answer is put behind a token for so long.
    pub wrap_ttl: Option<String>,
    /// Further headers; what they hold may be secret.
    pub headers: Vec<(String, String)>,
    /// How long an answer may take.
    pub timeout: Duration,
    /// How often a request is sent again after a failure that may pass.
    pub max_retries: u32,
    /// What is printed in the place of sending anything.
    pub instead: Option<Instead>,
    /// The name of this program.
    pub program: String,
}

impl Settings {
    /// Those that the user gave.
    ///
    /// # Errors
    /// When a value is none of its kind.
    pub fn of(given: &Given<'_>, environment: &Environment, program: &str) -> Result<Self> {
        let text = |flag: &str, variable: &str| {
            given
                .text(flag)
                .or_else(|| environment.get(variable))
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        let path = |flag: &str, variable: &str| text(flag, variable).map(PathBuf::from);
        Ok(Self {
            address: text("address", "ADDR").unwrap_or_else(|| ADDRESS.to_owned()),
            namespace: text("namespace", "NAMESPACE"),
            ca_cert: path("ca-cert", "CACERT"),
            ca_path: path("ca-path", "CAPATH"),
            client_cert: path("client-cert", "CLIENT_CERT"),
            client_key: path("client-key", "CLIENT_KEY"),
            server_name: text("tls-server-name", "TLS_SERVER_NAME"),
            skip_verify: given.truth("tls-skip-verify").map_or_else(|| environment.on("SKIP_VERIFY"), Ok)?,
            proxy: environment.get("PROXY_ADDR").or_else(|| environment.get("HTTP_PROXY")).map(str::to_owned),
            wrap_ttl: wrap_ttl(text("wrap-ttl", "WRAP_TTL"))?,
            headers: headers(given, environment)?,
            timeout: environment.duration("CLIENT_TIMEOUT")?.unwrap_or(TIMEOUT),
            max_retries: environment.number("MAX_RETRIES")?.unwrap_or_default(),
            instead: instead(given),
            program: program.to_owned(),
        })
    }
}

fn wrap_ttl(text: Option<String>) -> Result<Option<String>> {
    let Some(text) = text else { return Ok(None) };
    match domain::parse_duration(&text) {
        Ok(duration) if duration.is_zero() => Ok(None),
        Ok(duration) => Ok(Some(format!("{}s", duration.as_secs()))),
        Err(error) => Err(Error::local(format!("-wrap-ttl is no duration: {error}"))),
    }
}

fn instead(given: &Given<'_>) -> Option<Instead> {
    if given.on("output-curl-string") {
        return Some(Instead::Curl);
    }
    given.on("output-policy").then_some(Instead::Policy)
}

fn headers(given: &Given<'_>, environment: &Environment) -> Result<Vec<(String, String)>> {
    let mut headers: Vec<(String, String)> = Vec::new();
    for (name, value) in given.pairs("header")? {
        if name.to_ascii_lowercase().starts_with("x-vault-") {
            return Err(Error::local(format!(
                "-header {name}: headers that begin with X-Vault- have flags of their own"
            )));
        }
        headers.push((name, value));
    }
    let mut factors = given.list("mfa");
    if factors.is_empty() {
        factors.extend(environment.get("MFA").map(str::to_owned));
    }
    headers.extend(factors.into_iter().map(|factor| ("X-Vault-MFA".to_owned(), factor)));
    if given.on("policy-override") {
        headers.push(("X-Vault-Policy-Override".to_owned(), "true".to_owned()));
    }
    Ok(headers)
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("namespace", &self.namespace).finish_non_exhaustive()
    }
}
