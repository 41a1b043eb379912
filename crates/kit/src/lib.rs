//! How every service begins and ends: configuration, logs, TLS, shutdown.
