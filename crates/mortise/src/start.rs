//! How every command that serves begins.

use std::sync::Arc;

use anyhow::Context;
use kit::{
    Service,
    config::{self, Config, Given, Problem},
    logs,
    metrics::Metrics,
    process::{self, PidFile},
    shutdown::Shutdown,
    traces::Traces,
    variable::{self, Variable},
};
use router::Router;
use tokio::runtime::{Builder, Runtime};

use crate::{cli::ServiceFlags, renewed::Watched};

/// Reads what the flags name: the files, with the environment and the flags laid over them.
pub fn configuration(flags: &ServiceFlags) -> Result<(Config, Vec<Problem>), config::Error> {
    config::load(&flags.config, given(flags))
}

fn given(flags: &ServiceFlags) -> Vec<Given> {
    let flag = |key: &'static str, name: &'static str, value: &Option<String>| {
        Some(Given { key, name, value: value.clone()? })
    };
    let given = [
        said("api_addr", &variable::API_ADDR),
        flag("log_level", "-log-level", &flags.log_level).or_else(|| said("log_level", &variable::LOG_LEVEL)),
        flag("log_format", "-log-format", &flags.log_format)
            .or_else(|| said("log_format", &variable::LOG_FORMAT)),
        given_database(),
    ];
    given.into_iter().flatten().collect()
}

/// Where a database is, when the environment says it.
pub fn given_database() -> Option<Given> {
    said("connection_url", &variable::PG_CONNECTION_URL)
}

/// What a variable says of a key.
fn said(key: &'static str, variable: &Variable) -> Option<Given> {
    let (name, value) = variable.found()?;
    Some(Given { key, name, value: value.into_string().ok()? })
}

/// What holds for as long as a service runs.
#[derive(Debug)]
pub struct Begun {
    /// What it was configured with.
    pub config: Config,
    /// Removed when the service ends.
    _pid_file: Option<PidFile>,
}

/// Takes the configuration of a service into force.
pub fn begin(flags: &ServiceFlags) -> anyhow::Result<Begun> {
    if flags.config.is_empty() {
        return Err(config::Error::None.into());
    }
    let (config, warnings) = configuration(flags)?;
    take_effect(config, &warnings)
}

/// Prepares the process as a configuration says.
pub fn take_effect(config: Config, warnings: &[Problem]) -> anyhow::Result<Begun> {
    logs::start(config.log_level, config.log_format);
    process::harden();
    for warning in warnings {
        tracing::warn!("{warning}");
    }
    if !config.disable_mlock {
        process::lock_memory()?;
    }
    let pid_file = config.pid_file.as_deref().map(PidFile::create).transpose()?;
    Ok(Begun { config, _pid_file: pid_file })
}

/// Begins to count what happens, for those who ask. Must be called within the runtime.
pub fn count(config: &Config) -> Metrics {
    let metrics = Metrics::start(&config.telemetry);
    tokio::spawn(metrics.clone().keep());
    metrics
}

/// Begins to trace requests, if that is configured; without a service, those of a process that holds all of them. Must be
/// called within the runtime.
pub fn trace(config: &Config, service: Option<Service>) -> anyhow::Result<Traces> {
    Ok(Traces::start(&config.traces, service)?)
}

/// The threads that everything runs on.
pub fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().thread_name("mortise").build().context("cannot start threads")
}

/// Reads log level and certificates again whenever the process is asked to, and certificates whenever they were
/// renewed, until it ends.
pub fn reload_on_request(
    shutdown: &Shutdown,
    flags: ServiceFlags,
    certificates: impl Fn() -> anyhow::Result<()> + Send + Sync + 'static,
) {
    let mut reloads = shutdown.reloads();
    let certificates = Arc::new(certificates);
    let mut watched = configuration(&flags).map(|(config, _)| Watched::of(&config)).unwrap_or_default();
    tokio::spawn(async move {
        loop {
            let asked = tokio::select! {
                asked = reloads.changed() => asked.is_ok(),
                () = watched.changed() => {
                    renew(certificates.clone()).await;
                    continue;
                }
            };
            if !asked {
                return;
            }
            let (flags, certificates) = (flags.clone(), certificates.clone());
            let again = tokio::task::spawn_blocking(move || reload(&flags, &*certificates)).await;
            match again.map_err(anyhow::Error::from).flatten() {
                Ok(()) => {
                    tracing::info!("read the configuration again: log level and certificates are in force")
                }
                Err(error) => tracing::error!("cannot read the configuration again: {error:#}"),
            }
        }
    });
}

/// Takes certificates that were renewed. A pair that does not fit yet is taken when its other half is there, too.
async fn renew(certificates: Arc<impl Fn() -> anyhow::Result<()> + Send + Sync + 'static>) {
    let taken = tokio::task::spawn_blocking(move || certificates()).await;
    match taken.map_err(anyhow::Error::from).flatten() {
        Ok(()) => tracing::info!("certificates were renewed: the new ones are in force"),
        Err(error) => tracing::error!("cannot take renewed certificates: {error:#}"),
    }
}

/// Begins the files of audit devices anew whenever the process is asked to, whatever becomes of its configuration.
pub fn reopen_on_request(shutdown: &Shutdown, router: Arc<Router>) {
    let mut reloads = shutdown.reloads();
    tokio::spawn(async move {
        while reloads.changed().await.is_ok() {
            router.reopen_audit_files();
        }
    });
}

fn reload(flags: &ServiceFlags, certificates: &impl Fn() -> anyhow::Result<()>) -> anyhow::Result<()> {
    let (config, _) = configuration(flags)?;
    logs::set_level(config.log_level);
    certificates()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_win_over_files() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.hcl");
        std::fs::write(&file, "log_level = \"error\"\nlog_format = \"json\"").unwrap();
        let flags = ServiceFlags {
            config: vec![file],
            log_level: Some("trace".to_owned()),
            ..ServiceFlags::default()
        };
        let (config, _) = configuration(&flags).unwrap();
        assert_eq!((config.log_level, config.log_format), (logs::Level::Trace, logs::Format::Json));
    }

    #[test]
    fn a_service_without_a_configuration_is_told_how_to_give_one() {
        let refused = begin(&ServiceFlags::default()).unwrap_err().to_string();
        assert!(refused.contains("-config=FILE"), "{refused}");
    }
}
