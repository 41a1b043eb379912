use std::path::PathBuf;

use super::Error;
use crate::variable::{self, Variable};

/// Where spans go, and which.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The collector; none: nothing is traced.
    pub endpoint: Option<String>,
    /// Headers that it wants to see: one a line.
    pub headers_file: Option<PathBuf>,
    /// Who signed its certificate; none: whom the system trusts.
    pub ca_file: Option<PathBuf>,
    /// Of the traces that begin here, this share is recorded.
    pub sample_ratio: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { endpoint: None, headers_file: None, ca_file: None, sample_ratio: 1.0 }
    }
}

/// What OpenTelemetry's own variables say. They win over what is configured, as all variables do.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    pub(super) off: bool,
    pub(super) endpoint: Option<String>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) choose_sampler: bool,
    protocol: Option<(&'static str, String)>,
}

impl Variables {
    /// Those of this process.
    pub fn of_process() -> Self {
        Self::read(|name| std::env::var(name).ok())
    }

    /// Reads them. One that is empty is not set.
    pub(super) fn read(variable: impl Fn(&'static str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.trim().is_empty());
        let first = |one: &Variable| one.names.iter().find_map(|name| Some((*name, set(name)?)));
        let says = |one, word| first(one).is_some_and(|(_, value)| value.trim().eq_ignore_ascii_case(word));
        Self {
            off: says(&variable::OTEL_SDK_DISABLED, "true") || says(&variable::TRACES_EXPORTER, "none"),
            endpoint: first(&variable::OTLP_ENDPOINT).map(|(_, value)| value),
            ca_file: first(&variable::OTLP_CERTIFICATE).map(|(_, value)| value.into()),
            choose_sampler: first(&variable::TRACES_SAMPLER).is_some(),
            protocol: first(&variable::OTLP_PROTOCOL),
        }
    }

    /// Refuses what is not spoken here.
    pub(super) fn check(&self) -> Result<(), Error> {
        match &self.protocol {
            Some((variable, value)) if value.trim() != "grpc" => {
                Err(Error::Protocol { variable, value: value.clone() })
            }
            _ => Ok(()),
        }
    }
}
