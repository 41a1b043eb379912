//! The names of the environment variables that both ends agree on.

/// The application versions that the host offers, separated by commas.
pub(crate) const VERSIONS: &str = "PLUGIN_PROTOCOL_VERSIONS";
/// The host's certificate, as PEM. Asks for mutual TLS.
pub(crate) const HOST_CERTIFICATE: &str = "PLUGIN_CLIENT_CERT";
/// Where sockets are made.
pub(crate) const SOCKET_DIRECTORY: &str = "PLUGIN_UNIX_SOCKET_DIR";
/// Asks for one socket for everything. We never ask, and decline when asked.
pub(crate) const MULTIPLEX: &str = "PLUGIN_MULTIPLEX_GRPC";
/// The lowest port of a plugin that listens on TCP.
pub(crate) const MIN_PORT: &str = "PLUGIN_MIN_PORT";
/// The highest port of a plugin that listens on TCP.
pub(crate) const MAX_PORT: &str = "PLUGIN_MAX_PORT";

/// The name under which the health service knows a plugin.
pub(crate) const HEALTH: &str = "plugin";
/// The only core version of the protocol.
pub(crate) const CORE_VERSION: i64 = 1;
