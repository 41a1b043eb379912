# Decides: who may ask what, and where it goes.

api_addr = "http://127.0.0.1:8200"
disable_mlock = true

internal {
  address   = "0.0.0.0:8302"
  ca_file   = "certificates/ca.pem"
  cert_file = "certificates/router.pem"
  key_file  = "certificates/router-key.pem"
  catalog   = "catalog:8300"
  launcher  = "launcher:8301"
}
