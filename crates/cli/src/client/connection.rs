use std::{
    fs,
    net::{SocketAddr, ToSocketAddrs},
    path::{Path, PathBuf},
};

use reqwest::{Certificate, Identity, Proxy, Url, redirect};

use super::{Failure, Settings};

/// A client that believes and shows what it was told to.
pub(super) fn open(settings: &Settings) -> Result<reqwest::Client, Failure> {
    let mut http = reqwest::Client::builder().redirect(redirect::Policy::custom(once_and_no_lower));
    let trusted = authorities(settings)?;
    if !trusted.is_empty() {
        http = http.tls_certs_only(trusted);
    }
    if let Some(identity) = identity(settings)? {
        http = http.identity(identity);
    }
    if settings.skip_verify {
        http = http.tls_danger_accept_invalid_certs(true);
    }
    if let Some(proxy) = &settings.proxy {
        let proxy = Proxy::all(proxy.as_str());
        http = http.proxy(proxy.map_err(|_| Failure::Unfit("VAULT_PROXY_ADDR is no address".to_owned()))?);
    }
    if let Some(name) = &settings.server_name {
        http = http.resolve_to_addrs(name, &addresses(&settings.address)?);
    }
    http.build().map_err(|error| Failure::Unfit(format!("cannot set up TLS: {error}")))
}

/// A standby sends elsewhere, once, and never from TLS to none.
fn once_and_no_lower(attempt: redirect::Attempt<'_>) -> redirect::Action {
    let lower = attempt.previous().last().is_some_and(|from| from.scheme() == "https")
        && attempt.url().scheme() != "https";
    if attempt.previous().len() > 1 || lower { attempt.stop() } else { attempt.follow() }
}

fn authorities(settings: &Settings) -> Result<Vec<Certificate>, Failure> {
    let files: Vec<PathBuf> = match (&settings.ca_cert, &settings.ca_path) {
        (Some(file), _) => vec![file.clone()],
        (None, Some(folder)) => files_in(folder)?,
        (None, None) => return Ok(Vec::new()),
    };
    let mut all = Vec::new();
    for file in files {
        let found = Certificate::from_pem_bundle(&read(&file)?);
        all.extend(
            found.map_err(|error| {
                Failure::Unfit(format!("{} holds no certificates: {error}", file.display()))
            })?,
        );
    }
    if all.is_empty() {
        return Err(Failure::Unfit(
            "the authorities that the server may be certified by are none: look at -ca-cert".to_owned(),
        ));
    }
    Ok(all)
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Failure::Unfit(format!("cannot read {}: {error}", folder.display()));
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>();
    Ok(paths.map_err(unreadable)?.into_iter().filter(|path| path.is_file()).collect())
}

fn identity(settings: &Settings) -> Result<Option<Identity>, Failure> {
    let (certificate, key) = match (&settings.client_cert, &settings.client_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        _ => {
            return Err(Failure::Unfit(
                "a certificate and its key belong together: give -client-cert and -client-key".to_owned(),
            ));
        }
    };
    let pem = [read(certificate)?, read(key)?].join(&b'\n');
    let identity = Identity::from_pem(&pem);
    identity
        .map(Some)
        .map_err(|_| Failure::Unfit("-client-cert and -client-key are no certificate and its key".to_owned()))
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::Unfit(format!("cannot read {}: {error}", path.display())))
}

/// Where a server is that its certificate calls otherwise.
fn addresses(address: &str) -> Result<Vec<SocketAddr>, Failure> {
    let url = Url::parse(address)
        .map_err(|error| Failure::Unfit(format!("{} is no address: {error}", shown(address))))?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let found = (host, url.port_or_known_default().unwrap_or(8200)).to_socket_addrs();
    found
        .map(Iterator::collect)
        .map_err(|error| Failure::Unreachable { address: shown(address), why: error.to_string() })
}

/// An address without what could be a password in it.
pub(super) fn shown(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) if !url.cannot_be_a_base() => shown_url(&url).trim_end_matches('/').to_owned(),
        _ if address.contains('@') => "the address".to_owned(),
        _ => format!("{address:?}"),
    }
}

/// Likewise, of something at an address.
pub(super) fn shown_url(url: &Url) -> String {
    let mut url = url.clone();
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_hidden = is_plain || (url.set_username("").is_ok() && url.set_password(None).is_ok());
    if is_hidden { url.into() } else { "the address".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        assert_eq!(shown("https://me:hidden@h:8200/"), "https://h:8200");
        assert_eq!(shown("me:hidden@h"), "the address");
    }

    #[test]
    fn certificates_that_are_none_are_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        fs::write(&file, "nonsense").unwrap();
        let settings = Settings { ca_path: Some(folder.path().into()), ..Settings::default() };
        assert!(open(&settings).is_err());
        let alone = Settings { client_cert: Some(file), ..Settings::default() };
        assert!(open(&alone).unwrap_err().to_string().contains("-client-key"));
    }
}
