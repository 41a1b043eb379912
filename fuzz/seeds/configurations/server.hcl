ui = true
api_addr = "https://vault.example.com:8200"
cluster_name = "c"
plugin_directory = "/opt/plugins"
plugin_tmpdir = "/tmp"
disable_mlock = "true"
log_level = "debug"
log_format = "json"
default_lease_ttl = "10h"
max_lease_ttl = 3600
pid_file = "pid"
storage "sqlite" { path = "mortise.db" }
listener "tcp" {
  address = "127.0.0.1:8200"
  tls_disable = 1
  max_request_size = 1024
}
listener "tcp" {
  address = "[::1]:8201"
  tls_cert_file = "cert.pem"
  tls_key_file = "key.pem"
  tls_min_version = "tls13"
  tls_client_ca_file = "ca.pem"
  tls_require_and_verify_client_cert = true
}
