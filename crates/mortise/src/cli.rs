//! What this program does itself; the commands that ask a server are in the crate `cli`.

use std::{ffi::OsString, path::PathBuf, process::ExitCode};

use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use kit::Service;

use crate::migrate::MigrateFlags;

/// A plugin host: every auth method and secrets engine is a plugin.
#[derive(Debug, Parser)]
#[command(name = "mortise", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a server: all services in one process.
    Server(ServerFlags),
    /// Start only the catalog, which keeps all data.
    Catalog(ServiceFlags),
    /// Start only the launcher, which runs plugins.
    Launcher(ServiceFlags),
    /// Start only the router, which decides who may ask what.
    Router(ServiceFlags),
    /// Start only the gateway, which speaks HTTP.
    Gateway(ServiceFlags),
    /// Ask the service of this configuration whether it serves.
    Health(HealthFlags),
    /// Make throw-away certificates for services in processes of their own.
    DevCerts {
        /// The folder that they are written to; it is made if need be.
        folder: PathBuf,
    },
    /// Initialise, unseal, seal, change keys, and migrate what is stored.
    Operator {
        /// What to do; what asks a server is in the crate `cli`.
        #[command(subcommand)]
        command: OperatorCommand,
    },
    /// Print all that can be configured, with what it is by itself, in Markdown.
    Reference,
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum OperatorCommand {
    /// Copy everything from one storage to another, while no server runs on them.
    Migrate(MigrateFlags),
}

/// What every service is started with.
#[derive(Args, Clone, Debug, Default)]
pub struct ServiceFlags {
    /// A configuration in HCL or JSON, or a folder of such; may be repeated.
    #[arg(long, value_name = "PATH")]
    pub config: Vec<PathBuf>,
    /// The least severe messages that are logged: trace, debug, info, warn, error, off; VAULT_LOG_LEVEL says it, too.
    #[arg(long)]
    pub log_level: Option<String>,
    /// How messages look: standard or json; VAULT_LOG_FORMAT says it, too.
    #[arg(long)]
    pub log_format: Option<String>,
}

/// What a server is started with.
#[derive(Args, Clone, Debug, Default)]
pub struct ServerFlags {
    /// What every service takes.
    #[command(flatten)]
    pub service: ServiceFlags,
    /// In memory, initialised and unsealed: to try things out.
    #[arg(long)]
    pub dev: bool,
    /// The first token of such a server; VAULT_DEV_ROOT_TOKEN_ID says it, too.
    #[arg(long, value_name = "TOKEN")]
    pub dev_root_token_id: Option<String>,
    /// Where such a server listens, 127.0.0.1:8200 by itself; VAULT_DEV_LISTEN_ADDRESS says it, too.
    #[arg(long, value_name = "ADDRESS")]
    pub dev_listen_address: Option<String>,
    /// Programs in this folder are registered as plugins of such a server.
    #[arg(long, value_name = "FOLDER")]
    pub dev_plugin_dir: Option<PathBuf>,
    /// The token is not stored in the home folder.
    #[arg(long)]
    pub dev_no_store_token: bool,
}

/// Who is asked.
#[derive(Args, Clone, Debug)]
pub struct HealthFlags {
    /// catalog, launcher or router.
    #[arg(value_parser = service)]
    pub service: Service,
    /// Its configuration.
    #[arg(long, value_name = "PATH")]
    pub config: Vec<PathBuf>,
}

fn service(name: &str) -> Result<Service, String> {
    Service::from_name(name).ok_or_else(|| "there are catalog, launcher, router and gateway".to_owned())
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    cli::run(Cli::command(), arguments(std::env::args_os()), chosen)
}

/// The version may be asked for with a flag, too.
fn arguments(given: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut arguments: Vec<OsString> = given.collect();
    if let Some(first) = arguments.get_mut(1)
        && ["-v", "-version", "--version"].iter().any(|flag| first == flag)
    {
        *first = "version".into();
    }
    arguments
}

fn chosen(matches: &ArgMatches) -> ExitCode {
    let done = Cli::from_arg_matches(matches).map_err(Into::into).and_then(|cli| perform(cli.command));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Server(flags) if flags.dev => crate::dev::run(flags),
        Command::Server(flags) => crate::server::run(flags.service),
        Command::Catalog(flags) => crate::service::run(Service::Catalog, flags),
        Command::Launcher(flags) => crate::service::run(Service::Launcher, flags),
        Command::Router(flags) => crate::service::run(Service::Router, flags),
        Command::Gateway(flags) => crate::service::run(Service::Gateway, flags),
        Command::Health(flags) => crate::health::run(flags),
        Command::DevCerts { folder } => crate::certs::run(&folder),
        Command::Operator { command: OperatorCommand::Migrate(flags) } => crate::migrate::run(flags),
        Command::Reference => {
            crate::reference::print();
            Ok(())
        }
        Command::Version => {
            crate::banner::version();
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(["mortise"].iter().chain(words))
    }

    #[test]
    fn the_command_line_is_sound_with_all_commands() {
        cli::with_commands(Cli::command()).debug_assert();
    }

    #[test]
    fn a_server_takes_its_configuration_from_several_files() {
        let words = ["server", "--config=a.hcl", "--config", "b", "--log-level=debug"];
        let Command::Server(flags) = parse(&words).unwrap().command else { panic!("a server") };
        assert_eq!(flags.service.config, [PathBuf::from("a.hcl"), PathBuf::from("b")]);
        assert_eq!(flags.service.log_level.as_deref(), Some("debug"));
    }

    #[test]
    fn a_development_server_takes_vaults_flags() {
        let words =
            ["server", "--dev", "--dev-root-token-id=root", "--dev-plugin-dir=p", "--dev-no-store-token"];
        let Command::Server(flags) = parse(&words).unwrap().command else { panic!("a server") };
        assert!(flags.dev && flags.dev_no_store_token);
        assert_eq!(flags.dev_root_token_id.as_deref(), Some("root"));
        assert_eq!(flags.dev_plugin_dir, Some("p".into()));
    }

    #[test]
    fn what_asks_a_server_and_what_does_not_are_in_one_group() {
        let whole = cli::with_commands(Cli::command());
        let group = whole.find_subcommand("operator").unwrap();
        let names: Vec<&str> = group.get_subcommands().map(clap::Command::get_name).collect();
        for name in ["migrate", "init", "unseal", "rotate"] {
            assert_eq!(names.iter().filter(|there| **there == name).count(), 1, "{name} in {names:?}");
        }
        let words = ["mortise", "operator", "migrate", "--config=m.hcl"];
        let Command::Operator { command: OperatorCommand::Migrate(flags) } =
            Cli::from_arg_matches(&whole.clone().get_matches_from(words)).unwrap().command
        else {
            panic!("a migration")
        };
        assert_eq!(flags.config, [PathBuf::from("m.hcl")]);
        assert!(whole.try_get_matches_from(["mortise", "operator", "seal"]).is_ok());
    }

    #[test]
    fn a_storage_is_migrated_with_vaults_flags() {
        let words = ["operator", "migrate", "--config=m.hcl", "--start=data/", "--max-parallel=3", "--reset"];
        let Command::Operator { command: OperatorCommand::Migrate(flags) } = parse(&words).unwrap().command
        else {
            panic!("a migration")
        };
        assert_eq!((flags.start.as_str(), flags.max_parallel, flags.reset), ("data/", 3, true));
    }
}
