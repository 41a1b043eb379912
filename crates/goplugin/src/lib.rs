//! go-plugin's handshake, mutual TLS, broker and stdio, both ends of it.
