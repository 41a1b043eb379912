# Decides: who may ask what, and where it goes.

# VAULT_API_ADDR says otherwise.
api_addr      = "http://127.0.0.1:8200"
disable_mlock = true

internal {
  address   = "0.0.0.0:8302"
  ca_file   = "/run/secrets/ca.pem"
  cert_file = "/run/secrets/router.pem"
  key_file  = "/run/secrets/router-key.pem"
  catalog   = "catalog:8300"
  launcher  = "launcher:8301"
}
