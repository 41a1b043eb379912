//! Asking the server.

mod answer;
mod connection;
mod failure;
mod instead;
mod request;
mod secret;
mod settings;

use std::{fmt, thread, time::Duration};

use domain::Token;
use reqwest::{
    Method, Url,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use tokio::runtime::Runtime;

pub use self::{
    answer::Answer,
    failure::{Failure, Refusal},
    instead::Instead,
    request::Request,
    secret::{Auth, Secret, WrapInfo},
    settings::Settings,
};

/// Why a text is no address.
type ParseError = <Url as std::str::FromStr>::Err;

/// How long is waited between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// A server, and who asks it.
pub struct Client {
    http: reqwest::Client,
    runtime: Runtime,
    settings: Settings,
    token: Option<Token>,
}

/// What a server sends without an end, in the order in which it arrives.
pub struct Stream<'c> {
    runtime: &'c Runtime,
    response: reqwest::Response,
}

impl Client {
    /// One that has not asked anything yet.
    ///
    /// # Errors
    /// When certificates cannot be read, or an address is none.
    pub fn new(settings: Settings, token: Option<Token>) -> Result<Self, Failure> {
        let http = connection::open(&settings)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::Unfit(format!("cannot start: {error}")))?;
        Ok(Self { http, runtime, settings, token })
    }

    /// How it was set up.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Where the server is, as it may be shown.
    pub fn address(&self) -> String {
        connection::shown(&self.settings.address)
    }

    /// Who asks.
    pub const fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    /// Sends a request, and again if it may be sent again; what is not a success is a failure.
    ///
    /// # Errors
    /// What the server refused, or why it did not answer.
    pub fn ask(&self, request: &Request) -> Result<Answer, Failure> {
        if let Some(instead) = self.settings.instead.filter(|_| !request.always) {
            return Err(Failure::Instead(instead.of(request, self)?));
        }
        let mut left = self.settings.max_retries;
        loop {
            let answered = self.runtime.block_on(self.once(request));
            match answered {
                Err(failure) if left > 0 && failure.is_passing() => thread::sleep(PAUSE),
                answered => return answered,
            }
            left -= 1;
        }
    }

    /// Sends a request whose answer has no end.
    ///
    /// # Errors
    /// What the server refused, or why it did not answer.
    pub fn follow(&self, request: &Request) -> Result<Stream<'_>, Failure> {
        if let Some(instead) = self.settings.instead {
            return Err(Failure::Instead(instead.of(request, self)?));
        }
        let response = self.runtime.block_on(self.send(request))?;
        Ok(Stream { runtime: &self.runtime, response })
    }

    async fn once(&self, request: &Request) -> Result<Answer, Failure> {
        let sent = tokio::time::timeout(self.settings.timeout, async {
            let response = self.send(request).await?;
            let status = response.status().as_u16();
            let body = response.bytes().await.map_err(Failure::broken)?;
            Ok(Answer { status, body })
        });
        sent.await.map_err(|_| Failure::Late(self.settings.timeout))?
    }

    async fn send(&self, request: &Request) -> Result<reqwest::Response, Failure> {
        let url = self.url(request)?;
        let mut sent = self.http.request(request.method.clone(), url.clone()).headers(self.headers(request)?);
        if let Some(body) = &request.body {
            sent = sent.body(body.to_string());
        }
        let response =
            sent.send().await.map_err(|error| Failure::unreachable(&self.settings.address, error))?;
        let status = response.status();
        if status.is_success() || request.bears.contains(&status.as_u16()) {
            return Ok(response);
        }
        let body = response.bytes().await.map_err(Failure::broken)?;
        let namespace = self.settings.namespace.clone();
        let answer = Answer { status: status.as_u16(), body };
        Err(Refusal { method: request.method.clone(), url, namespace, answer }.into())
    }

    /// Where a request goes.
    fn url(&self, request: &Request) -> Result<Url, Failure> {
        let address = &self.settings.address;
        let unfit = |error| Failure::Unfit(format!("{} is no address: {error}", connection::shown(address)));
        let mut url = request.url(address).map_err(unfit)?;
        // What the certificate is compared with is the name in the address.
        let renamed = self.settings.server_name.as_deref().filter(|_| url.scheme() == "https");
        renamed.map_or(Ok(()), |name| url.set_host(Some(name))).map_err(unfit)?;
        Ok(url)
    }

    /// What goes with a request; the token is marked as a secret.
    fn headers(&self, request: &Request) -> Result<HeaderMap, Failure> {
        let mut headers = HeaderMap::new();
        let mut add = |name: &str, value: &str, is_secret: bool| -> Result<(), Failure> {
            let unfit = || {
                Failure::Unfit(format!(
                    "the value for the header {name} has characters that no header may have"
                ))
            };
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unfit())?;
            let mut value = HeaderValue::from_str(value).map_err(|_| unfit())?;
            value.set_sensitive(is_secret);
            headers.append(name, value);
            Ok(())
        };
        add("X-Vault-Request", "true", false)?;
        for (name, value) in self.settings.headers.iter().chain(&request.headers) {
            add(name, value, true)?;
        }
        if let Some(namespace) = &self.settings.namespace {
            add("X-Vault-Namespace", namespace, false)?;
        }
        if let Some(ttl) = self.settings.wrap_ttl.as_ref().filter(|_| !request.plain) {
            add("X-Vault-Wrap-TTL", ttl, false)?;
        }
        if let Some(token) = request.token.as_ref().or(self.token.as_ref()).filter(|_| !request.anonymous) {
            add("X-Vault-Token", token.expose(), true)?;
        }
        if request.body.is_some() {
            let kind = if request.method == Method::PATCH {
                "application/merge-patch+json"
            } else {
                "application/json"
            };
            add(CONTENT_TYPE.as_str(), kind, false)?;
        }
        Ok(headers)
    }
}

impl Stream<'_> {
    /// What came next; nothing when the server has ended it.
    ///
    /// # Errors
    /// When it broke off.
    pub fn next(&mut self) -> Result<Option<bytes::Bytes>, Failure> {
        self.runtime.block_on(self.response.chunk()).map_err(Failure::broken)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &connection::shown(&self.settings.address))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}
