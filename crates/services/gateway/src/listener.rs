use std::{net::SocketAddr, sync::Arc};

use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::{
    Error,
    tls::{Certificate, Reload, TlsFiles},
};

/// An address that clients connect to.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) tls: Option<Tls>,
}

pub(crate) struct Tls {
    certificate: Arc<Certificate>,
    pub(crate) acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.certificate.fmt(f)
    }
}

impl Listener {
    /// Listens on an address, with TLS when there are files for it.
    ///
    /// # Errors
    /// The address cannot be had, or the files cannot be used.
    pub async fn bind(address: SocketAddr, tls: Option<TlsFiles>) -> Result<Self, Error> {
        let socket = TcpListener::bind(address).await.map_err(|source| Error::Bind { address, source })?;
        Self::on(socket, tls)
    }

    /// Listens on a socket that is open already.
    ///
    /// # Errors
    /// The files cannot be used.
    pub fn on(socket: TcpListener, tls: Option<TlsFiles>) -> Result<Self, Error> {
        let tls = tls.map(Certificate::open).transpose()?;
        let tls = tls.map(|(certificate, acceptor)| Tls { certificate, acceptor });
        Ok(Self { socket, tls })
    }

    /// Where it listens: the port that was found, when none was asked for.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// What reads the certificates of these listeners again.
    pub fn reload<'l>(listeners: impl IntoIterator<Item = &'l Self>) -> Reload {
        let tls = listeners.into_iter().filter_map(|listener| listener.tls.as_ref());
        Reload::of(tls.map(|tls| &tls.certificate))
    }
}
