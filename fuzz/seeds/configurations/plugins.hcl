plugin_directory = "plugins"
plugin_auto_download = true
plugin_auto_register = true
plugin_download_behavior = "continue"
plugin_download_networks = ["10.0.0.0/8", "fd00::/8"]
plugin_download_plain_http = ["10.0.0.1:5000"]

plugin "secret" "kv" {
  image       = "10.0.0.1:5000/plugins/kv"
  version     = "v1.0.0"
  binary_name = "bin/kv"
  sha256sum   = "9fdd8be7947e4a4caf7cce4f0e02695081b6c85178aa912df5d37be97363144c"
  args        = ["-x"]
  env         = ["A=b"]
}

plugin "auth" "own" {
  command   = "own"
  version   = "1.0"
  sha256sum = "9fdd8be7947e4a4caf7cce4f0e02695081b6c85178aa912df5d37be97363144c"
}
