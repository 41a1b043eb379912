internal {
  address = "127.0.0.1:8300"
  ca_file = "ca.pem"
  cert_file = "c.pem"
  key_file = "k.pem"
  catalog = "127.0.0.1:8301"
  launcher = "localhost:1"
  router = "[::1]:2"
}
backend "inmem" {}
