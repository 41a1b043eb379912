storage "raft" {}
listener "unix" {}
disable_mlock = [0x1F, -1, "a"]
log_level = "loud"
telemetry { a = 1 }
listner = {}
