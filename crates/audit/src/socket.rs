use std::{
    io::{self, Write},
    net::{SocketAddr, TcpStream, ToSocketAddrs, UdpSocket},
    os::{
        fd::{AsFd, OwnedFd},
        unix::net::UnixStream,
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use rustix::{
    io::Errno,
    net::{
        AddressFamily, RecvFlags, SocketAddrUnix, SocketFlags, SocketType, connect, recv, socket_with,
        sockopt,
    },
};

use crate::{error::Unfit, options::Protocol, output::Output};

/// A peer that records are sent to. The connection is made when it is needed, and again after an error.
pub(crate) struct Socket {
    address: String,
    protocol: Protocol,
    /// For connecting and sending together.
    timeout: Duration,
    connection: Option<Connection>,
}

enum Connection {
    Tcp(TcpStream),
    Udp(UdpSocket),
    Unix(UnixStream),
}

impl Socket {
    pub(crate) const fn new(address: String, protocol: Protocol, timeout: Duration) -> Self {
        Self { address, protocol, timeout, connection: None }
    }

    fn send(&mut self, records: &[Bytes], until: Instant) -> io::Result<()> {
        if self.connection.as_ref().is_some_and(Connection::is_closed) {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect_to(&self.address, self.protocol, until)?),
        };
        let sent = connection.send(records, until);
        if sent.is_err() {
            // Something may have been sent already; what follows begins on a new connection.
            self.connection = None;
        }
        sent
    }
}

impl Output for Socket {
    fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit> {
        let until = Instant::now() + self.timeout;
        let sent = self.send(records, until).or_else(|_| self.send(records, until));
        Ok(sent?)
    }
}

fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}

fn connect_to(address: &str, protocol: Protocol, until: Instant) -> io::Result<Connection> {
    match protocol {
        Protocol::Tcp => {
            each(address, |address| TcpStream::connect_timeout(&address, left(until)?)).map(Connection::Tcp)
        }
        Protocol::Udp => each(address, udp).map(Connection::Udp),
        Protocol::Unix => Ok(Connection::Unix(unix(address, until)?)),
    }
}

/// Tries every address of a name.
fn each<T>(name: &str, attempt: impl Fn(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in name.to_socket_addrs()? {
        match attempt(address) {
            Ok(found) => return Ok(found),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.connect(address)?;
    Ok(socket)
}

/// The system waits for a peer that does not accept as long as sending may take, and that is said before.
fn unix(path: &str, until: Instant) -> io::Result<UnixStream> {
    let socket: OwnedFd = socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(left(until)?))?;
    connect(&socket, &SocketAddrUnix::new(path)?)?;
    Ok(socket.into())
}

impl Connection {
    fn send(&mut self, records: &[Bytes], until: Instant) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => {
                send_all(stream, |stream, left| stream.set_write_timeout(left), records, until)
            }
            Self::Unix(stream) => {
                send_all(stream, |stream, left| stream.set_write_timeout(left), records, until)
            }
            Self::Udp(socket) => {
                socket.set_write_timeout(Some(left(until)?))?;
                records.iter().try_for_each(|record| socket.send(record).map(drop))
            }
        }
    }

    /// Whether the peer has gone: what is sent then is lost without an error.
    fn is_closed(&self) -> bool {
        let stream = match self {
            Self::Tcp(stream) => stream.as_fd(),
            Self::Unix(stream) => stream.as_fd(),
            Self::Udp(_) => return false,
        };
        let peeked = recv(stream, &mut [0; 1], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        !matches!(peeked, Ok((1.., _)) | Err(Errno::AGAIN | Errno::INTR))
    }
}

fn send_all<S: Write>(
    stream: &mut S,
    patience: impl Fn(&S, Option<Duration>) -> io::Result<()>,
    records: &[Bytes],
    until: Instant,
) -> io::Result<()> {
    let lines = records.concat();
    let mut rest = lines.as_slice();
    while !rest.is_empty() {
        // For every piece anew: a peer that takes a byte at a time has no more time than another.
        patience(stream, Some(left(until)?))?;
        match stream.write(rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader},
        net::TcpListener,
        os::unix::net::UnixListener,
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    fn record(text: &str) -> [Bytes; 1] {
        [Bytes::from(format!("{text}\n"))]
    }

    fn next_line(stream: impl io::Read) -> String {
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line).unwrap();
        line
    }

    #[test]
    fn a_peer_that_went_away_and_came_back_gets_what_follows() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut socket = Socket::new(address, Protocol::Tcp, PATIENCE);
        for text in ["one", "two", "three"] {
            socket.write(&record(text)).unwrap();
            let (stream, _) = listener.accept().unwrap();
            assert_eq!(next_line(stream), format!("{text}\n"));
        }
    }

    #[test]
    fn datagrams_hold_a_record_each() {
        let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut socket = Socket::new(peer.local_addr().unwrap().to_string(), Protocol::Udp, PATIENCE);
        socket.write(&[Bytes::from("one\n"), Bytes::from("two\n")]).unwrap();
        for text in ["one\n", "two\n"] {
            let mut buffer = [0; 100];
            let length = peer.recv(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], text.as_bytes());
        }
    }

    #[test]
    fn a_unix_socket_is_reached_once_somebody_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let mut socket = Socket::new(path.to_str().unwrap().to_owned(), Protocol::Unix, PATIENCE);
        assert!(socket.write(&record("lost")).is_err());
        let listener = UnixListener::bind(&path).unwrap();
        socket.write(&record("one")).unwrap();
        assert_eq!(next_line(listener.accept().unwrap().0), "one\n");
    }

    #[test]
    fn a_peer_that_takes_nothing_holds_nobody_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let mut socket = Socket::new(address, Protocol::Tcp, Duration::from_millis(50));
        let much = [Bytes::from(vec![b'x'; 64 << 20])];
        assert!(socket.write(&much).is_err());
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let _listener = UnixListener::bind(&path).unwrap();
        let mut socket =
            Socket::new(path.to_str().unwrap().to_owned(), Protocol::Unix, Duration::from_millis(50));
        assert!(socket.write(&much).is_err());
    }
}
