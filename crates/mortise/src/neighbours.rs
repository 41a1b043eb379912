//! The services around one that runs in a process of its own.

use std::sync::Arc;

use anyhow::Context;
use kit::{
    Service,
    config::{Address, Config, Internal},
    tls::{self, Certificates},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{service::Routes, transport::Channel};

/// How a service meets its neighbours: where they are, and the certificates that prove who is who.
#[derive(Clone, Debug)]
pub struct Neighbours {
    internal: Internal,
    certificates: Arc<Certificates>,
}

impl Neighbours {
    /// Reads the certificates that are configured.
    pub fn of(config: &Config) -> anyhow::Result<Self> {
        let internal = config.needs_internal()?.clone();
        let certificates = Certificates::read(&internal)?;
        Ok(Self { internal, certificates })
    }

    /// A connection to that service. It is made when it is first used.
    pub fn channel(&self, service: Service) -> anyhow::Result<Channel> {
        let address = match service {
            Service::Catalog => &self.internal.catalog,
            Service::Launcher => &self.internal.launcher,
            Service::Router => &self.internal.router,
            Service::Gateway => &None,
        };
        let address = address.as_ref().with_context(|| {
            format!("the internal block does not say where the {service} is; add {service} = \"HOST:PORT\"")
        })?;
        Ok(tls::channel(service, address, &self.certificates)?)
    }

    /// Takes the address at which this service answers.
    pub async fn listen(&self) -> anyhow::Result<TcpListener> {
        let address: &Address = self.internal.address.as_ref().context(
            "the internal block does not say where this service answers; add address = \"HOST:PORT\"",
        )?;
        let listener = TcpListener::bind(address.as_str()).await;
        listener.with_context(|| format!("cannot listen at {address}"))
    }

    /// Answers neighbours until the token is cancelled.
    pub async fn serve(
        &self,
        listener: TcpListener,
        routes: Routes,
        shutdown: CancellationToken,
    ) -> anyhow::Result<()> {
        tls::serve(listener, self.certificates.clone(), routes, shutdown)
            .await
            .context("cannot serve neighbours")
    }

    /// Reads the certificates again.
    pub fn reload(&self) -> anyhow::Result<()> {
        Ok(self.certificates.reload()?)
    }
}
