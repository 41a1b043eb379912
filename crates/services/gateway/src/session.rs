use rustls::{HandshakeKind, ServerConnection};
use wire::pb;

/// What plugins are told of a TLS session, in the words of Go's TLS. Methods that log in by certificate read the client's
/// chain from it, and verify it themselves.
pub fn state_of(session: &ServerConnection) -> pb::ConnectionState {
    let protocol = session.alpn_protocol().map(String::from_utf8_lossy).unwrap_or_default();
    let suite = session.negotiated_cipher_suite().map(|suite| u16::from(suite.suite()));
    let certificates = session.peer_certificates().unwrap_or_default().iter();
    let certificates: Vec<_> =
        certificates.map(|der| pb::Certificate { asn1_data: der.to_vec().into() }).collect();
    pb::ConnectionState {
        version: session.protocol_version().map_or(0, |version| u16::from(version).into()),
        handshake_complete: true,
        did_resume: session.handshake_kind() == Some(HandshakeKind::Resumed),
        cipher_suite: suite.unwrap_or_default().into(),
        negotiated_protocol_is_mutual: !protocol.is_empty(),
        negotiated_protocol: protocol.into_owned(),
        server_name: session.server_name().unwrap_or_default().to_owned(),
        // Without a certificate the chain has to be absent: Go fails on an empty one.
        peer_certificates: (!certificates.is_empty()).then_some(pb::CertificateChain { certificates }),
        ..pb::ConnectionState::default()
    }
}
