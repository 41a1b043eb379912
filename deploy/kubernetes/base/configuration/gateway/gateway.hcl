# Speaks HTTP.

listener "tcp" {
  address               = "0.0.0.0:8200"
  tls_cert_file         = "/var/lib/mortise/listener/tls.crt"
  tls_key_file          = "/var/lib/mortise/listener/tls.key"
  tls_min_version       = "tls12"
  max_request_size      = 33554432
  max_request_duration  = "90s"
}

log_level  = "info"
log_format = "json"

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true

internal {
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
  router    = "mortise-node.mortise.svc:8302"
}
