use std::path::Path;

use crate::{Cookie, Security, names};

/// The variables by which a host tells a plugin how to greet it: the cookie's and go-plugin's own.
///
/// The caller adds what the application wants (for Vault's plugins `VAULT_VERSION` and others), and takes care that no
/// other `PLUGIN_…` variable is inherited: a host that is itself a plugin would hand its own down.
pub fn environment(
    cookie: Cookie,
    versions: &[u32],
    security: impl Into<Security>,
    socket_dir: &Path,
) -> Vec<(String, String)> {
    let versions: Vec<String> = versions.iter().map(u32::to_string).collect();
    let pairs = [
        (cookie.key, cookie.value.to_owned()),
        (names::VERSIONS, versions.join(",")),
        (names::SOCKET_DIRECTORY, socket_dir.to_string_lossy().into_owned()),
        // For TCP only, but always set by Go's hosts.
        (names::MIN_PORT, "10000".to_owned()),
        (names::MAX_PORT, "25000".to_owned()),
    ];
    // By this a plugin knows that it is to make a certificate of its own.
    let certificate = match security.into() {
        Security::Mutual(identity) => Some((names::HOST_CERTIFICATE, identity.pem().to_owned())),
        Security::Shared(_) | Security::None => None,
    };
    pairs.into_iter().chain(certificate).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Identity;

    #[test]
    fn versions_are_listed_without_blanks_and_multiplexing_is_never_asked_for() {
        let identity = Identity::generate().unwrap();
        let variables = environment(Cookie::DATABASE, &[5, 6], &identity, Path::new("/run/p"));
        let get = |name: &str| variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(get("PLUGIN_PROTOCOL_VERSIONS"), Some("5,6"));
        assert_eq!(get("PLUGIN_UNIX_SOCKET_DIR"), Some("/run/p"));
        assert_eq!(get("VAULT_DATABASE_PLUGIN"), Some(Cookie::DATABASE.value));
        assert_eq!(get("PLUGIN_CLIENT_CERT"), Some(identity.pem()));
        assert_eq!(get("PLUGIN_MULTIPLEX_GRPC"), None);
        for security in [Security::Shared(identity), Security::None] {
            let variables = environment(Cookie::BACKEND, &[4], security, Path::new("/run/p"));
            assert!(variables.iter().all(|(name, _)| name != "PLUGIN_CLIENT_CERT"));
        }
    }
}
