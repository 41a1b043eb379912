# Keeps: the encrypted storage and the plugin catalog.

storage "postgresql" {
  # VAULT_PG_CONNECTION_URL names another one.
  connection_url      = "postgresql://mortise@postgresql/mortise?sslmode=disable"
  password_file       = "/run/secrets/database-password"
  max_connect_retries = 30
}

plugin_directory = "/var/lib/mortise/plugins"
disable_mlock    = true

internal {
  address   = "0.0.0.0:8300"
  ca_file   = "/run/secrets/ca.pem"
  cert_file = "/run/secrets/catalog.pem"
  key_file  = "/run/secrets/catalog-key.pem"
}
