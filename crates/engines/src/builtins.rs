use std::sync::Arc;

use domain::PluginType;
use tenon::{Builtin, Factory, Makes, database::DatabaseFactory};

use crate::{BUILTIN_VERSION, approle, database, kv, postgresql, userpass};

/// The plugins that are part of the host: name, type, version, and what they make.
pub fn builtins() -> Vec<Builtin> {
    let table = [
        ("approle", PluginType::Auth, backends(approle::create)),
        ("database", PluginType::Secret, backends(database::create)),
        ("kv", PluginType::Secret, backends(kv::create)),
        ("postgresql-database-plugin", PluginType::Database, databases(postgresql::create)),
        ("userpass", PluginType::Auth, backends(userpass::create)),
    ];
    table
        .into_iter()
        .filter_map(|(name, plugin_type, makes)| {
            let version = BUILTIN_VERSION.parse().ok()?;
            Some(Builtin { name: name.parse().ok()?, plugin_type, version, makes })
        })
        .collect()
}

fn backends(factory: impl Factory) -> Makes {
    Makes::Backends(Arc::new(factory))
}

fn databases(factory: impl DatabaseFactory) -> Makes {
    Makes::Databases(Arc::new(factory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_builtin_is_listed_and_says_that_it_is_built_in() {
        let builtins = builtins();
        assert_eq!(
            builtins.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(),
            ["approle", "database", "kv", "postgresql-database-plugin", "userpass"]
        );
        assert!(builtins.iter().all(|builtin| builtin.version.is_builtin()));
    }
}
