use std::env;
use std::path::PathBuf;

use crate::{Cookie, names};

/// What the host has told the plugin in environment variables.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The value of the cookie's variable.
    pub cookie: Option<String>,
    /// The application versions that the host offers, separated by commas.
    pub versions: Option<String>,
    /// The host's certificate, as PEM.
    pub certificate: Option<String>,
    /// Where to make the socket.
    pub directory: PathBuf,
    /// Whether the host wants to hear about multiplexing of brokered connections.
    pub multiplex: bool,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process(cookie: Cookie) -> Self {
        let directory = env::var_os(names::SOCKET_DIRECTORY).filter(|directory| !directory.is_empty());
        Self {
            cookie: env::var(cookie.key).ok(),
            versions: env::var(names::VERSIONS).ok(),
            certificate: env::var(names::HOST_CERTIFICATE).ok(),
            directory: directory.map_or_else(env::temp_dir, PathBuf::from),
            multiplex: env::var_os(names::MULTIPLEX).is_some_and(|value| !value.is_empty()),
        }
    }

    /// The highest of our `versions` that the host offers; with none in common our lowest, which the host then refuses.
    pub(crate) fn negotiate(&self, versions: &[u32]) -> u32 {
        let offered: Vec<u32> = self
            .versions
            .iter()
            .flat_map(|list| list.split(','))
            .filter_map(|item| item.parse().ok())
            .collect();
        let common = versions.iter().copied().filter(|version| offered.contains(version)).max();
        common.or_else(|| versions.iter().copied().min()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_common_version_is_chosen_else_our_lowest() {
        let cases = [
            (Some("4,5,6"), 5),
            (Some("4"), 4),
            (Some("9"), 3),
            (None, 3),
            (Some("4, 5"), 4),
            (Some("abc,5"), 5),
            (Some(""), 3),
        ];
        for (offer, chosen) in cases {
            let environment = Environment { versions: offer.map(str::to_owned), ..Environment::default() };
            assert_eq!(environment.negotiate(&[3, 4, 5]), chosen, "{offer:?}");
        }
    }
}
