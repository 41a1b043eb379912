# Speaks HTTP.

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

disable_mlock = true

internal {
  ca_file   = "/run/secrets/ca.pem"
  cert_file = "/run/secrets/gateway.pem"
  key_file  = "/run/secrets/gateway-key.pem"
  router    = "router:8302"
}
