use std::error::Error;
use std::future::Future;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use wire::goplugin::grpc_broker_server::GrpcBrokerServer;
use wire::goplugin::grpc_controller_server::GrpcControllerServer;
use wire::goplugin::grpc_stdio_server::GrpcStdioServer;
use wire::health::health_server::HealthServer;

use crate::names::{self, CORE_VERSION};
use crate::plugin::services::{Controller, Healthy, Stdio};
use crate::plugin::{Broker, Environment, stop};
use crate::server::Server;
use crate::socket::Socket;
use crate::{Cookie, Identity, IdentityError, hclog, tls};

/// How long calls under way may take once the plugin is asked to end. The host kills after two seconds.
const GRACE: Duration = Duration::from_millis(250);

/// What a plugin is.
pub struct Config<F: FnOnce(Session) -> Routes> {
    /// What the host proves itself with.
    pub cookie: Cookie,
    /// The application versions that the plugin speaks.
    pub versions: &'static [u32],
    /// Makes the application's services, once a host is there.
    pub routes: F,
}

/// What is settled with the host before the application's services are made.
#[derive(Clone, Debug)]
pub struct Session {
    /// The application version to speak.
    pub version: u32,
    /// Dials the host's services.
    pub broker: Broker,
}

/// Why a plugin could not serve.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// Started by hand.
    #[error(
        "This program is a plugin and is not meant to be run by hand: a host has to start it. \
         Register it in a plugin catalog and enable it there."
    )]
    NoCookie,
    /// The host did not ask for mutual TLS, and nothing else is spoken.
    #[error(
        "the host did not offer mutual TLS ({} is not set); a host of this protocol's current form is needed",
        names::HOST_CERTIFICATE
    )]
    NoHostCertificate,
    /// The host's certificate cannot be read.
    #[error("the host's certificate in {} is not valid PEM", names::HOST_CERTIFICATE)]
    HostCertificate(#[source] pem::Error),
    /// No certificate of our own.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// Mutual TLS cannot be set up.
    #[error("cannot set up mutual TLS")]
    Tls(#[from] rustls::Error),
    /// No socket. Its path must not exceed 107 bytes.
    #[error("cannot listen in {}", .directory.display())]
    Listen {
        /// Where the socket was to be.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The host does not read its end of stdout.
    #[error("cannot print the handshake")]
    Greet(#[source] io::Error),
    /// The runtime or its signal handlers cannot be set up.
    #[error("cannot start")]
    Runtime(#[source] io::Error),
}

/// A plugin's `main`: serves until the host wants no more, or is gone.
///
/// Logs to stderr in the form that hosts read, and never prints anything to stdout but the handshake.
pub fn run<F>(config: Config<F>) -> ExitCode
where
    F: FnOnce(Session) -> Routes,
{
    let environment = Environment::of_process(config.cookie);
    match run_in(config, &environment) {
        Ok(()) => ExitCode::SUCCESS,
        // A person reads this one, and no host.
        Err(error @ ServeError::NoCookie) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::FAILURE
        }
        Err(error) => {
            tracing::error!(error = &error as &dyn Error, "the plugin cannot serve");
            ExitCode::FAILURE
        }
    }
}

fn run_in<F>(config: Config<F>, environment: &Environment) -> Result<(), ServeError>
where
    F: FnOnce(Session) -> Routes,
{
    check_cookie(config.cookie, environment)?;
    hclog::init();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(ServeError::Runtime)?;
    let served = runtime.block_on(async {
        let stop = stop::asked_from_outside().map_err(ServeError::Runtime)?;
        serve(config, environment, io::stdout(), stop).await
    });
    // Work that cannot be cancelled must not outlive the host's patience.
    runtime.shutdown_background();
    served
}

/// Greets the host on `stdout` and serves it, until it asks for the end or `stop` does.
///
/// Must be called within a runtime.
pub async fn serve<F>(
    config: Config<F>,
    environment: &Environment,
    stdout: impl Write,
    stop: impl Future<Output = ()>,
) -> Result<(), ServeError>
where
    F: FnOnce(Session) -> Routes,
{
    check_cookie(config.cookie, environment)?;
    let version = environment.negotiate(config.versions);
    let host = host_certificate(environment)?;
    let identity = Identity::generate()?;
    let (socket, listener) = listen(&environment.directory)?;
    let ended = CancellationToken::new();
    let broker = Broker::new(tls::client(&identity, &host)?, ended.clone());
    let session = Session { version, broker: broker.clone() };
    let server = Server {
        tls: Some(tls::server(&identity, &host)?),
        services: Arc::new(own_services((config.routes)(session), broker, &ended)),
        only: None,
        grace: GRACE,
    };
    greet(stdout, &line(version, socket.path(), &identity, environment)).map_err(ServeError::Greet)?;
    let serving = server.run(listener, ended.clone());
    tokio::pin!(serving);
    tokio::select! {
        () = &mut serving => {}
        () = stop => {
            ended.cancel();
            serving.await;
        }
    }
    Ok(())
}

fn check_cookie(cookie: Cookie, environment: &Environment) -> Result<(), ServeError> {
    let right = environment.cookie.as_deref() == Some(cookie.value);
    right.then_some(()).ok_or(ServeError::NoCookie)
}

fn host_certificate(environment: &Environment) -> Result<CertificateDer<'static>, ServeError> {
    let pem = environment.certificate.as_deref().unwrap_or_default();
    if pem.is_empty() {
        return Err(ServeError::NoHostCertificate);
    }
    CertificateDer::from_pem_slice(pem.as_bytes()).map_err(ServeError::HostCertificate)
}

/// A socket under a name that nobody has yet.
fn listen(directory: &Path) -> Result<(Socket, UnixListener), ServeError> {
    let process = std::process::id();
    let mut count = 0_u32;
    loop {
        match Socket::bind(directory.join(format!("plugin{process}{count:03}"))) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && count < 1000 => count += 1,
            bound => {
                return bound
                    .map_err(|source| ServeError::Listen { directory: directory.to_owned(), source });
            }
        }
    }
}

fn own_services(routes: Routes, broker: Broker, ended: &CancellationToken) -> Routes {
    routes
        .add_service(GrpcBrokerServer::new(broker))
        .add_service(GrpcControllerServer::new(Controller(ended.clone())))
        .add_service(GrpcStdioServer::new(Stdio(ended.clone())))
        .add_service(HealthServer::new(Healthy(ended.clone())))
        .prepare()
}

/// The handshake. Very old hosts stumble over a seventh field, so it is there only for those who ask.
fn line(version: u32, socket: &Path, identity: &Identity, environment: &Environment) -> String {
    let certificate = STANDARD_NO_PAD.encode(identity.der());
    let multiplex = if environment.multiplex { "|false" } else { "" };
    format!("{CORE_VERSION}|{version}|unix|{}|grpc|{certificate}{multiplex}\n", socket.display())
}

fn greet(mut stdout: impl Write, line: &str) -> io::Result<()> {
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}
