use std::sync::Arc;

use domain::PluginType;
use tenon::{Builtin, Factory};

use crate::kv;

/// The plugins that are part of the host: name, type, version, and what makes their backends.
pub fn builtins() -> Vec<Builtin> {
    let table: [(&str, PluginType, &str, Arc<dyn Factory>); 1] =
        [("kv", PluginType::Secret, kv::BUILTIN_VERSION, Arc::new(kv::create))];
    table
        .into_iter()
        .filter_map(|(name, plugin_type, version, factory)| {
            Some(Builtin { name: name.parse().ok()?, plugin_type, version: version.parse().ok()?, factory })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_is_listed_and_says_that_it_is_built_in() {
        let builtins = builtins();
        assert_eq!(builtins.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["kv"]);
        assert!(builtins.iter().all(|builtin| builtin.version.is_builtin()));
    }
}
