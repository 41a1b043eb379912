use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::server::ParsedCertificate;

use crate::Excerpt;
use crate::names::CORE_VERSION;

/// What a plugin says about itself in its first line of output.
///
/// `CORE|APP|unix|PATH|grpc|CERTIFICATE`, and perhaps more that is ignored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The application version that the plugin chose of those offered.
    pub version: u32,
    /// The socket on which it listens.
    pub address: PathBuf,
    /// Its certificate, the only one to be believed from now on; none: it was not to announce one.
    pub certificate: Option<CertificateDer<'static>>,
}

/// What is wrong with a handshake line.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum HandshakeError {
    /// Not a handshake at all: log text, a usage message, a blank line.
    #[error(
        "the program printed {0} where a plugin prints its handshake; is it a plugin, and does it log to stderr only?"
    )]
    NotAHandshake(Excerpt),
    /// The first field is not a number.
    #[error("the plugin's handshake begins with {0}, which is no core protocol version")]
    CoreNotANumber(Excerpt),
    /// A core version that does not exist yet, or no longer.
    #[error(
        "the plugin speaks core protocol version {0}, this host speaks {CORE_VERSION}; rebuild the plugin with a current SDK"
    )]
    CoreVersion(i64),
    /// The second field is not a number.
    #[error("the plugin's handshake names {0} as its version, which is not a number")]
    VersionNotANumber(Excerpt),
    /// No version in common. A plugin then names its lowest.
    #[error("the plugin speaks protocol version {plugin}, this host speaks {}; rebuild the plugin with a current SDK", list(.host))]
    Version {
        /// What the plugin announced.
        plugin: i64,
        /// What the host had offered.
        host: Vec<u32>,
    },
    /// Neither a Unix socket nor TCP.
    #[error("the plugin listens on a network of type {0}; only unix sockets are supported")]
    Network(Excerpt),
    /// A TCP listener, which plugins use on Windows only.
    #[error("the plugin listens on TCP at {0}; only unix sockets are supported")]
    Tcp(Excerpt),
    /// No address, or one that is not an absolute path.
    #[error("the plugin names {0} as its socket, which is not an absolute path")]
    Address(Excerpt),
    /// A socket that others can reach, or that is not the plugin's own.
    #[error(
        "the plugin's socket {socket} is outside of its private directory {}; does it ignore PLUGIN_UNIX_SOCKET_DIR?", .directory.display()
    )]
    Outside {
        /// What the plugin announced.
        socket: Excerpt,
        /// Where it was told to listen.
        directory: PathBuf,
    },
    /// The protocol of old plugins, named or left out.
    #[error(
        "the plugin speaks the legacy net/rpc protocol; only gRPC plugins are supported; rebuild it with a current SDK"
    )]
    NetRpc,
    /// A protocol nobody knows.
    #[error("the plugin speaks the protocol {0}; only grpc is supported")]
    Protocol(Excerpt),
    /// No certificate, though the host has asked for mutual TLS.
    #[error("the plugin offers no certificate, so mutual TLS is impossible; rebuild it with a current SDK")]
    NoCertificate,
    /// Not base64 without padding.
    #[error("the plugin's certificate is not valid base64: {0}")]
    CertificateEncoding(base64::DecodeError),
    /// Base64 of something else.
    #[error("the plugin's certificate is not an X.509 certificate: {0}")]
    Certificate(rustls::Error),
}

impl Handshake {
    /// Reads a plugin's first line, and holds it against what the host had told the plugin.
    pub fn parse(line: &[u8], versions: &[u32], directory: &Path) -> Result<Self, HandshakeError> {
        Self::read(line, versions, directory, true)
    }

    /// The same; a plugin that was not to announce a certificate is not asked for one.
    pub(crate) fn read(
        line: &[u8],
        versions: &[u32],
        directory: &Path,
        announces: bool,
    ) -> Result<Self, HandshakeError> {
        let text = str::from_utf8(line).map_err(|_| HandshakeError::NotAHandshake(Excerpt::new(line)))?;
        let fields: Vec<&str> = text.trim().split('|').collect();
        let [core, version, network, address, rest @ ..] = fields.as_slice() else {
            return Err(HandshakeError::NotAHandshake(Excerpt::new(line)));
        };
        check_core(core)?;
        let version = check_version(version, versions)?;
        let address = check_address(network, address)?;
        check_protocol(rest.first().copied().unwrap_or_default())?;
        let certificate = rest.get(1).copied().unwrap_or_default();
        let certificate = announces.then(|| check_certificate(certificate)).transpose()?;
        check_inside(&address, directory)?;
        Ok(Self { version, address, certificate })
    }
}

fn check_core(field: &str) -> Result<(), HandshakeError> {
    match field.parse() {
        Ok(CORE_VERSION) => Ok(()),
        Ok(other) => Err(HandshakeError::CoreVersion(other)),
        // Text before the first bar is far more often a log line that holds bars than a broken handshake.
        Err(_) => Err(HandshakeError::CoreNotANumber(excerpt(field))),
    }
}

fn check_version(field: &str, offered: &[u32]) -> Result<u32, HandshakeError> {
    let plugin: i64 = field.parse().map_err(|_| HandshakeError::VersionNotANumber(excerpt(field)))?;
    let known = offered.iter().copied().find(|version| i64::from(*version) == plugin);
    known.ok_or_else(|| HandshakeError::Version { plugin, host: offered.to_vec() })
}

fn check_address(network: &str, address: &str) -> Result<PathBuf, HandshakeError> {
    match network {
        "unix" if address.starts_with('/') => Ok(PathBuf::from(address)),
        "unix" => Err(HandshakeError::Address(excerpt(address))),
        "tcp" => Err(HandshakeError::Tcp(excerpt(address))),
        other => Err(HandshakeError::Network(excerpt(other))),
    }
}

fn check_protocol(field: &str) -> Result<(), HandshakeError> {
    match field {
        "grpc" => Ok(()),
        "" | "netrpc" => Err(HandshakeError::NetRpc),
        other => Err(HandshakeError::Protocol(excerpt(other))),
    }
}

fn check_certificate(field: &str) -> Result<CertificateDer<'static>, HandshakeError> {
    if field.is_empty() {
        return Err(HandshakeError::NoCertificate);
    }
    let der = STANDARD_NO_PAD.decode(field).map_err(HandshakeError::CertificateEncoding)?;
    let certificate = CertificateDer::from(der);
    ParsedCertificate::try_from(&certificate).map_err(HandshakeError::Certificate)?;
    Ok(certificate)
}

/// Exactly in the directory: neither below it nor around a corner.
fn check_inside(address: &Path, directory: &Path) -> Result<(), HandshakeError> {
    let plain = address.components().all(|part| !matches!(part, Component::ParentDir));
    let inside = plain && address.file_name().is_some() && address.parent() == Some(directory);
    inside.then_some(()).ok_or_else(|| HandshakeError::Outside {
        socket: Excerpt::new(address.as_os_str().as_encoded_bytes()),
        directory: directory.to_owned(),
    })
}

fn excerpt(field: &str) -> Excerpt {
    Excerpt::new(field.as_bytes())
}

/// `4`, or `3 and 4`, or `3, 4 and 5`.
fn list(versions: &[u32]) -> String {
    let words: Vec<String> = versions.iter().map(u32::to_string).collect();
    match words.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "none".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Identity;

    fn certificate() -> String {
        STANDARD_NO_PAD.encode(Identity::generate().unwrap().der())
    }

    fn parse(line: &str) -> Result<Handshake, HandshakeError> {
        Handshake::parse(line.as_bytes(), &[4, 5], Path::new("/run/p"))
    }

    fn refusal(line: &str) -> String {
        parse(line).unwrap_err().to_string()
    }

    #[test]
    fn a_good_line_is_read() {
        let certificate = certificate();
        for line in [
            format!("1|5|unix|/run/p/plugin1|grpc|{certificate}"),
            format!("  01|+5|unix|/run/p/plugin1|grpc|{certificate}|true|more|of it\r\n"),
        ] {
            let handshake = parse(&line).unwrap();
            assert_eq!((handshake.version, handshake.address), (5, PathBuf::from("/run/p/plugin1")));
            assert_eq!(STANDARD_NO_PAD.encode(handshake.certificate.unwrap()), certificate);
        }
    }

    #[test]
    fn each_mistake_is_told_apart() {
        let cases = [
            ("", r#"the program printed "" where a plugin prints its handshake"#),
            ("starting up...", r#"printed "starting up...""#),
            ("1|5|unix", "where a plugin prints its handshake"),
            ("one|5|unix|/run/p/a|grpc|", r#"begins with "one""#),
            ("2|5|unix|/run/p/a|grpc|", "core protocol version 2, this host speaks 1"),
            ("1|x|unix|/run/p/a|grpc|", r#"names "x" as its version"#),
            ("1|3|unix|/run/p/a|grpc|", "protocol version 3, this host speaks 4 and 5"),
            ("1|-5|unix|/run/p/a|grpc|", "protocol version -5"),
            ("1|5|UNIX|/run/p/a|grpc|", r#"network of type "UNIX""#),
            ("1|5|tcp|127.0.0.1:1|grpc|", r#"listens on TCP at "127.0.0.1:1""#),
            ("1|5|unix||grpc|", r#"names "" as its socket"#),
            ("1|5|unix|a/b|grpc|", r#"names "a/b" as its socket"#),
            ("1|5|unix|/run/p/a", "legacy net/rpc protocol"),
            ("1|5|unix|/run/p/a|netrpc|", "legacy net/rpc protocol"),
            ("1|5|unix|/run/p/a|soap|", r#"speaks the protocol "soap""#),
            ("1|5|unix|/run/p/a|grpc|", "offers no certificate"),
            ("1|5|unix|/run/p/a|grpc", "offers no certificate"),
            ("1|5|unix|/run/p/a|grpc|MII=", "not valid base64"),
            ("1|5|unix|/run/p/a|grpc|MIIB", "not an X.509 certificate"),
        ];
        for (line, sentence) in cases {
            assert!(refusal(line).contains(sentence), "{line}: {}", refusal(line));
        }
    }

    #[test]
    fn a_socket_elsewhere_is_refused() {
        let certificate = certificate();
        for path in ["/tmp/plugin1", "/run/p", "/run/p/x/y", "/run/p/../p/y", "/run/p/..", "/"] {
            let line = format!("1|5|unix|{path}|grpc|{certificate}");
            assert!(refusal(&line).contains("outside of its private directory /run/p"), "{path}");
        }
    }

    #[test]
    fn an_old_plugin_announces_no_certificate() {
        let read =
            |announces| Handshake::read(b"1|4|unix|/run/p/a|grpc|", &[4], Path::new("/run/p"), announces);
        assert_eq!(read(false).unwrap().certificate, None);
        assert_eq!(read(true).unwrap_err(), HandshakeError::NoCertificate);
    }

    proptest! {
        #[test]
        fn l6_no_line_is_too_strange_to_be_refused(line in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Handshake::parse(&line, &[5], Path::new("/run/p")).is_err());
        }

        #[test]
        fn fields_of_any_content_never_pass_unchecked(
            fields in prop::collection::vec("(1|5|unix|tcp|/run/p/a|grpc|[ -~]{0,9})", 0..9)
        ) {
            // No field can hold a certificate here, so nothing may get through.
            prop_assert!(parse(&fields.join("|")).is_err());
        }
    }
}
