# All services in one container.

storage "sqlite" {
  path = "data/mortise.db"
}

listener "tcp" {
  address     = "0.0.0.0:8200"
  tls_disable = true
}

api_addr         = "http://127.0.0.1:8200"
plugin_directory = "/usr/local/lib/mortise/plugins"
plugin_tmpdir    = "/run/mortise"
disable_mlock    = true
