# Decides: who may ask what, and where it goes.

api_addr          = "https://mortise.mortise.svc:8200"
default_lease_ttl = "768h"
max_lease_ttl     = "768h"
plugin_directory  = "/usr/local/lib/mortise/plugins"
log_level  = "info"
log_format = "json"

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true

internal {
  address   = "0.0.0.0:8302"
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
  catalog   = "127.0.0.1:8300"
  launcher  = "127.0.0.1:8301"
}
