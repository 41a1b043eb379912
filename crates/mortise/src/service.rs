//! `mortise catalog|launcher|router|gateway`: one service in a process of its own.

use std::sync::Arc;

use anyhow::Context;
use kit::{Service, config::Config, shutdown::Shutdown};
use launcher::Reason;
use tokio::net::TcpListener;
use tonic::service::Routes;
use wire::{launcher::v1::LauncherSeam, router::v1::RouterSeam};

use crate::{
    banner,
    cli::ServiceFlags,
    declared,
    edge::Edge,
    neighbours::Neighbours,
    parts::{self, CatalogSeams, RouterSettings},
    start,
};

/// Runs one service until it is asked to end.
pub fn run(service: Service, flags: ServiceFlags) -> anyhow::Result<()> {
    let begun = start::begin(&flags)?;
    start::runtime()?.block_on(async {
        let config = &begun.config;
        let neighbours = Neighbours::of(config)?;
        let traces = start::trace(config, Some(service))?;
        let alone = Alone { config, neighbours, shutdown: Shutdown::on_signals()?, flags };
        let served = match service {
            Service::Catalog => alone.catalog().await,
            Service::Launcher => alone.launcher().await,
            Service::Router => alone.router().await,
            Service::Gateway => alone.gateway().await,
        };
        traces.end().await;
        served
    })
}

/// A service in a process of its own.
struct Alone<'c> {
    config: &'c Config,
    neighbours: Neighbours,
    shutdown: Shutdown,
    flags: ServiceFlags,
}

impl Alone<'_> {
    async fn catalog(self) -> anyhow::Result<()> {
        let listener = self.neighbours.listen().await?;
        // Who wants to end need not wait for what is downloaded.
        let opened = self.shutdown.token().run_until_cancelled(parts::catalog(self.config)).await;
        let Some(catalog) = opened else { return Ok(()) };
        let catalog = catalog?;
        declared::renew_on_request(&self.shutdown, self.flags.clone(), catalog.clone());
        let routes = Routes::new(catalog.barrier_server())
            .add_service(catalog.storage_server())
            .add_service(catalog.plugins_server());
        self.serve(Service::Catalog, listener, routes).await
    }

    async fn launcher(self) -> anyhow::Result<()> {
        let listener = self.neighbours.listen().await?;
        let below = CatalogSeams::remote(self.neighbours.channel(Service::Catalog)?);
        let launcher = parts::launcher(self.config, &below, Some(start::count(self.config)))?;
        let routes = Routes::new(parts::launcher_server(&launcher));
        let served = self.serve(Service::Launcher, listener, routes).await;
        launcher.stop_all(Reason::Shutdown).await;
        served
    }

    async fn router(self) -> anyhow::Result<()> {
        let listener = self.neighbours.listen().await?;
        let below = CatalogSeams::remote(self.neighbours.channel(Service::Catalog)?);
        let launcher = LauncherSeam::remote(self.neighbours.channel(Service::Launcher)?);
        let api_addr = self.config.api_addr.clone().context(
            "the router does not listen for clients, so it has to be told: add api_addr = \"https://HOST:8200\"",
        )?;
        let settings = RouterSettings { api_addr, first_token: None, metrics: start::count(self.config) };
        let router = parts::router(self.config, settings, &below, launcher);
        start::reopen_on_request(&self.shutdown, Arc::new(router.clone()));
        let routes = Routes::new(parts::router_server(router));
        self.serve(Service::Router, listener, routes).await
    }

    async fn gateway(self) -> anyhow::Result<()> {
        let edge = Edge::open(self.config.needs_listeners()?).await?;
        let router = RouterSeam::remote(self.neighbours.channel(Service::Router)?);
        let (neighbours, listeners) = (self.neighbours, edge.reload());
        start::reload_on_request(&self.shutdown, self.flags, move || {
            neighbours.reload()?;
            Ok(listeners.certificates()?)
        });
        banner::started(Service::Gateway);
        edge.serve(router, self.shutdown.token().clone()).await;
        Ok(())
    }

    /// Answers neighbours until the process is asked to end.
    async fn serve(self, service: Service, listener: TcpListener, routes: Routes) -> anyhow::Result<()> {
        let neighbours = self.neighbours.clone();
        start::reload_on_request(&self.shutdown, self.flags, move || neighbours.reload());
        banner::started(service);
        self.neighbours.serve(listener, routes, self.shutdown.token().clone()).await
    }
}
