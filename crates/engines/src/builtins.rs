use std::sync::Arc;

use domain::PluginType;
use tenon::{Builtin, Factory};

use crate::{BUILTIN_VERSION, approle, kv, userpass};

/// The plugins that are part of the host: name, type, version, and what makes their backends.
pub fn builtins() -> Vec<Builtin> {
    let table: [(&str, PluginType, Arc<dyn Factory>); 3] = [
        ("approle", PluginType::Auth, Arc::new(approle::create)),
        ("kv", PluginType::Secret, Arc::new(kv::create)),
        ("userpass", PluginType::Auth, Arc::new(userpass::create)),
    ];
    table
        .into_iter()
        .filter_map(|(name, plugin_type, factory)| {
            let version = BUILTIN_VERSION.parse().ok()?;
            Some(Builtin { name: name.parse().ok()?, plugin_type, version, factory })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_is_listed_and_says_that_it_is_built_in() {
        let builtins = builtins();
        assert_eq!(
            builtins.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            ["approle", "kv", "userpass"]
        );
        assert!(builtins.iter().all(|builtin| builtin.version.is_builtin()));
    }
}
