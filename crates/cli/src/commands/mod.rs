//! The commands, one file a family.

mod audit;
mod data;
mod debug;
mod kv;
mod lease;
mod login;
mod mounts;
mod namespace;
mod operator;
mod path_help;
mod plugin;
mod policy;
mod policy_fmt;
mod print;
mod shell;
mod status;
mod token;

use crate::Leaf;

/// All of them.
pub fn all() -> impl Iterator<Item = &'static Leaf> {
    let families = [
        data::LEAVES,
        kv::LEAVES,
        login::LEAVES,
        print::LEAVES,
        status::LEAVES,
        mounts::LEAVES,
        token::LEAVES,
        policy::LEAVES,
        lease::LEAVES,
        audit::LEAVES,
        namespace::LEAVES,
        operator::LEAVES,
        plugin::LEAVES,
        path_help::LEAVES,
        debug::LEAVES,
        shell::LEAVES,
    ];
    families.into_iter().flatten()
}

pub use plugin::sandbox_settings;

/// What the words above commands are for.
pub const GROUPS: &[(&str, &str)] = &[
    ("audit", "Enable and disable audit devices."),
    ("auth", "Enable, change and list auth methods."),
    ("kv", "Keep secrets in a key/value engine of either version."),
    ("kv metadata", "Read and change what is noted about a secret."),
    ("lease", "Look up, renew and revoke leases."),
    ("namespace", "Make, change and delete namespaces."),
    ("operator", "Initialise, unseal, seal, change keys, and migrate what is stored."),
    ("plugin", "Register, run, watch and replace plugins."),
    ("plugin runtime", "Make and change the sandboxes that plugins run in."),
    ("policy", "Read, write and delete policies."),
    ("print", "Print what is in force."),
    ("secrets", "Enable, change and list secrets engines."),
    ("token", "Make, look up, renew and revoke tokens."),
];
