//! Every connection of a download is made here, whoever asks for it: the registry's, those that it redirects to, and
//! the one that gives tokens. What a name resolves to is judged, and the address that was judged is the one that is
//! connected to.
//!
//! The crate that speaks to registries has no place where its connections could be looked at, but it takes a proxy.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use domain::Outbound;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream, lookup_host,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    task::JoinSet,
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::socks::{self, Reply, Target};

/// How long a connection may take to come about.
const PATIENCE: Duration = Duration::from_secs(20);

/// Read from a connection at a time.
const BLOCK: usize = 64 << 10;

/// A proxy for one download, on a port of this machine, behind a password.
pub(super) struct Gate {
    address: SocketAddr,
    rules: Arc<Rules>,
    _serving: AbortOnDropHandle<()>,
}

/// Why there is no connection, or none any more.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It would lead to this machine or its neighbours.
    #[error(
        "{host} is at {address}, which is not on the public internet: to download from there, allow its network in \
         plugin_download_networks"
    )]
    Inside {
        /// What was asked for.
        host: String,
        /// What it stands for.
        address: IpAddr,
    },
    /// The name stands for nothing.
    #[error("the address of {host} cannot be found: {source}")]
    Unknown {
        /// What was asked for.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// Nobody answers.
    #[error("{host} cannot be connected to: {source}")]
    Unreachable {
        /// What was asked for.
        host: String,
        /// What the system says.
        source: io::Error,
    },
    /// More comes than was to be expected.
    #[error("{host} sends more than was to be expected")]
    Flood {
        /// Who.
        host: String,
    },
}

struct Rules {
    outbound: Outbound,
    password: String,
    /// So many bytes may still come in.
    allowance: AtomicU64,
    /// What went wrong last.
    trouble: Mutex<Option<Trouble>>,
}

impl Gate {
    /// Opens one through which so many bytes may come in.
    pub(super) async fn open(outbound: Outbound, allowance: u64) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let rules = Arc::new(Rules {
            outbound,
            password: Uuid::new_v4().simple().to_string(),
            allowance: AtomicU64::new(allowance),
            trouble: Mutex::default(),
        });
        let address = listener.local_addr()?;
        let serving = tokio::spawn(serve(listener, rules.clone()));
        Ok(Self { address, rules, _serving: AbortOnDropHandle::new(serving) })
    }

    /// What a client has to be told; names are looked up here, not there.
    pub(super) fn url(&self) -> String {
        format!("socks5h://download:{}@{}", self.rules.password, self.address)
    }

    /// So many bytes may come in from now on.
    pub(super) fn expect(&self, bytes: u64) {
        self.rules.allowance.store(bytes, Relaxed);
    }

    /// What went wrong last.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        self.rules.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// Ends with all its connections.
async fn serve(listener: TcpListener, rules: Arc<Rules>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Ok((client, _)) = listener.accept() => {
                let rules = rules.clone();
                // Who was cut off notices; what went wrong is kept.
                connections.spawn(async move { drop(rules.connect(client).await) });
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

impl Rules {
    async fn connect(&self, mut client: TcpStream) -> io::Result<()> {
        let Target { host, port } = timeout(PATIENCE, socks::greet(&mut client, &self.password)).await??;
        match self.reach(&host, port).await {
            Ok(server) => {
                socks::answer(&mut client, Reply::Connected).await?;
                self.relay(&host, client, server).await
            }
            Err(trouble) => {
                let inside = matches!(trouble, Trouble::Inside { .. });
                self.note(trouble);
                let reply = if inside { Reply::NotAllowed } else { Reply::Unreachable };
                socks::answer(&mut client, reply).await
            }
        }
    }

    async fn reach(&self, host: &str, port: u16) -> Result<TcpStream, Trouble> {
        let addresses =
            timeout(PATIENCE, addresses(host, port)).await.unwrap_or_else(|late| Err(late.into()));
        let addresses = addresses.map_err(|source| Trouble::Unknown { host: host.to_owned(), source })?;
        let (admitted, refused): (Vec<_>, Vec<_>) =
            addresses.into_iter().partition(|address| self.outbound.admits(address.ip()));
        if let ([], [first, ..]) = (&*admitted, &*refused) {
            return Err(Trouble::Inside { host: host.to_owned(), address: first.ip() });
        }
        let connected = timeout(PATIENCE, TcpStream::connect(&*admitted)).await;
        let connected = connected.unwrap_or_else(|late| Err(late.into()));
        connected.map_err(|source| Trouble::Unreachable { host: host.to_owned(), source })
    }

    async fn relay(&self, host: &str, client: TcpStream, server: TcpStream) -> io::Result<()> {
        let (mut from_client, to_client) = client.into_split();
        let (from_server, mut to_server) = server.into_split();
        let up = async {
            tokio::io::copy(&mut from_client, &mut to_server).await?;
            to_server.shutdown().await
        };
        tokio::try_join!(up, self.counted(host, from_server, to_client)).map(drop)
    }

    async fn counted(&self, host: &str, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut block = vec![0; BLOCK];
        loop {
            let read = from.read(&mut block).await?;
            if read == 0 {
                return to.shutdown().await;
            }
            if self.allowance.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(read as u64)).is_err() {
                self.note(Trouble::Flood { host: host.to_owned() });
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            to.write_all(block.get(..read).unwrap_or_default()).await?;
        }
    }

    fn note(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = Some(trouble);
    }
}

async fn addresses(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => Ok(vec![(address, port).into()]),
        Err(_) => Ok(lookup_host((host, port)).await?.collect()),
    }
}
