use std::path::Path;

use tokio::io::AsyncRead;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_util::sync::CancellationToken;

use crate::counted::{Counted, Sent};
use crate::host::broker::{self, Broker};
use crate::host::first_line::first_line;
use crate::host::stdio::{self, Sink};
use crate::host::{Connection, Rest, StartError};
use crate::socket::User;
use crate::{Channel, Handshake, Security, tls};

/// Makes a connection of a just started program's stdout.
///
/// `versions`, `security` and `socket_dir` are those that [`environment`](crate::host::environment) told the program.
/// The plugin's certificate has been verified when this returns; whether the plugin accepts ours shows at the first call.
pub async fn connect<R: AsyncRead + Unpin>(
    stdout: R,
    versions: &[u32],
    security: impl Into<Security>,
    socket_dir: &Path,
    deadline: Instant,
) -> Result<(Connection, Rest<R>), StartError> {
    let security = security.into();
    let (line, rest) = first_line(stdout, deadline).await?;
    let handshake = Handshake::read(&line, versions, socket_dir, security.is_mutual())?;
    let connection = timeout_at(deadline, open(handshake, &security, socket_dir));
    Ok((connection.await.map_err(|_| StartError::Unresponsive)??, rest))
}

async fn open(
    handshake: Handshake,
    security: &Security,
    socket_dir: &Path,
) -> Result<Connection, StartError> {
    let ends = security.with(handshake.certificate.as_ref());
    let (stop, closed) = (CancellationToken::new(), CancellationToken::new());
    let sent = Sent::default();
    let stream = Counted::new(dial(&handshake.address, socket_dir).await?, sent.clone());
    let opened = match ends.client().map_err(StartError::OwnTls)? {
        Some(tls) => {
            let greeting = TlsConnector::from(tls).connect(tls::server_name(), stream);
            let stream = greeting.await.map_err(StartError::Tls)?;
            Channel::open(stream, sent, stop.clone(), closed.clone()).await
        }
        None => Channel::open(stream, sent, stop.clone(), closed.clone()).await,
    };
    let channel = opened.map_err(StartError::Http2)?;
    let server = ends.server().map_err(StartError::OwnTls)?;
    // What waits for the plugin to dial in ends with the plugin, not only with us.
    let (broker, announced) = Broker::new(socket_dir, server, closed.clone());
    let sink = Sink::default();
    let mut tasks = JoinSet::new();
    tasks.spawn(broker::stream(channel.clone(), announced));
    tasks.spawn(stdio::drain(channel.clone(), sink.clone()));
    let version = handshake.version;
    Ok(Connection { version, channel, broker, sink, closed, _stop: stop.drop_guard(), _tasks: tasks })
}

async fn dial(socket: &Path, socket_dir: &Path) -> Result<UnixStream, StartError> {
    let stream = UnixStream::connect(socket)
        .await
        .map_err(|source| StartError::Dial { socket: socket.to_owned(), source })?;
    if !User::of(socket_dir).is_ok_and(|user| user.is_peer(&stream)) {
        return Err(StartError::ForeignProcess(socket.to_owned()));
    }
    Ok(stream)
}
