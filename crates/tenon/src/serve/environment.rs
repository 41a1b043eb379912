use std::env;

/// Whether the host only wants to know what the plugin is, and will start it again to use it.
pub(super) fn metadata_mode() -> bool {
    // OpenBao sets both names and means its own, even when it is empty.
    let mode = env::var("BAO_PLUGIN_METADATA_MODE").or_else(|_| env::var("VAULT_PLUGIN_METADATA_MODE"));
    mode.is_ok_and(|mode| mode == "true")
}
