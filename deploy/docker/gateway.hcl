# Speaks HTTP.

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

disable_mlock = true

internal {
  ca_file   = "certificates/ca.pem"
  cert_file = "certificates/gateway.pem"
  key_file  = "certificates/gateway-key.pem"
  router    = "router:8302"
}
