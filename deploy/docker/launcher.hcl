# Runs: built-in engines and plugin processes.

plugin_tmpdir = "/run/mortise"
disable_mlock = true

internal {
  address   = "0.0.0.0:8301"
  ca_file   = "certificates/ca.pem"
  cert_file = "certificates/launcher.pem"
  key_file  = "certificates/launcher-key.pem"
  catalog   = "catalog:8300"
}
