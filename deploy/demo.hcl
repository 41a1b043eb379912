# The embedded default of `make run`: one process, SQLite, no TLS, reachable from this machine only.

storage "sqlite" {
  path = "var/mortise.db"
}

listener "tcp" {
  address     = "127.0.0.1:8200"
  tls_disable = true
}

api_addr         = "http://127.0.0.1:8200"
plugin_directory = "var/plugins"

# Memory is not locked, so that this runs without any privilege.
disable_mlock = true
