use std::fmt;

/// One of the four services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Keeps: the encrypted storage and the plugin catalog.
    Catalog,
    /// Runs: built-in engines and plugin processes.
    Launcher,
    /// Decides: who may ask what, and where it goes.
    Router,
    /// Speaks HTTP.
    Gateway,
}

impl Service {
    /// Each before those that call it.
    pub const ALL: [Self; 4] = [Self::Catalog, Self::Launcher, Self::Router, Self::Gateway];

    /// Its name: of its command, and in its internal certificate.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Launcher => "launcher",
            Self::Router => "router",
            Self::Gateway => "gateway",
        }
    }

    /// The service of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
