# Runs: built-in engines and plugin processes.

plugin_tmpdir          = "/run/mortise"
plugin_cache_directory = "/var/lib/mortise/cache"
plugin_cache_size      = 1073741824
log_level  = "info"
log_format = "json"

# Locking memory takes a capability that no pod has here; nodes of Kubernetes do not swap.
disable_mlock = true

internal {
  address   = "127.0.0.1:8301"
  ca_file   = "/var/lib/mortise/certificates/ca.crt"
  cert_file = "/var/lib/mortise/certificates/tls.crt"
  key_file  = "/var/lib/mortise/certificates/tls.key"
  catalog   = "127.0.0.1:8300"
}
