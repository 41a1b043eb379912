# Speaks HTTP: to operators who unseal this node, and to those who watch it.

listener "tcp" {
  address       = "0.0.0.0:8200"
  tls_cert_file = "/var/lib/mortise/certificates/tls.crt"
  tls_key_file  = "/var/lib/mortise/certificates/tls.key"
}

log_level  = "info"
log_format = "json"

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true

internal {
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
  router    = "127.0.0.1:8302"
}
