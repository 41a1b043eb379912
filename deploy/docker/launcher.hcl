# Runs: built-in engines and plugin processes.

plugin_tmpdir = "/run/mortise"
disable_mlock = true

internal {
  address   = "0.0.0.0:8301"
  ca_file   = "/run/secrets/ca.pem"
  cert_file = "/run/secrets/launcher.pem"
  key_file  = "/run/secrets/launcher-key.pem"
  catalog   = "catalog:8300"
}
