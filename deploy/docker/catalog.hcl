# Keeps: the encrypted storage and the plugin catalog.

storage "sqlite" {
  path = "data/mortise.db"
}

plugin_directory = "/usr/local/lib/mortise/plugins"
disable_mlock = true

internal {
  address   = "0.0.0.0:8300"
  ca_file   = "certificates/ca.pem"
  cert_file = "certificates/catalog.pem"
  key_file  = "certificates/catalog-key.pem"
}
