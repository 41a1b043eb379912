# Operators may bring programs along: `mortise plugin apply`.

plugin_upload = true
