# Keeps: the encrypted storage and the plugin catalog.

storage "sqlite" {
  path = "/var/lib/mortise/data/mortise.db"
}

plugin_directory = "/usr/local/lib/mortise/plugins"
log_level  = "info"
log_format = "json"

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true

internal {
  address   = "127.0.0.1:8300"
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
}
