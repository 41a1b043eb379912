//! `mortise server`: all services in one process, each laid directly over the one below it.

use std::sync::Arc;

use catalog::Catalog;
use domain::Token;
use kit::{config::Config, shutdown::Shutdown};
use launcher::{Launcher, Reason};
use router::Router;
use tokio_util::sync::CancellationToken;
use wire::{launcher::v1::LauncherSeam, router::v1::RouterSeam};

use crate::{
    banner,
    cli::ServiceFlags,
    declared,
    edge::Edge,
    parts::{self, CatalogSeams, RouterSettings},
    start,
};

/// Runs a server until it is asked to end.
pub fn run(flags: ServiceFlags) -> anyhow::Result<()> {
    let begun = start::begin(&flags)?;
    start::runtime()?.block_on(async {
        let config = &begun.config;
        let shutdown = Shutdown::on_signals()?;
        let edge = Edge::open(config.needs_listeners()?).await?;
        let traces = start::trace(config, None)?;
        // Who wants to end need not wait for what is downloaded.
        let Some(server) = shutdown.token().run_until_cancelled(Server::start(config, &edge, None)).await
        else {
            return Ok(());
        };
        let server = server?;
        server.reload_on_request(&shutdown, &flags);
        let reload = edge.reload();
        start::reload_on_request(&shutdown, flags, move || Ok(reload.certificates()?));
        banner::print(config, &server.api_addr);
        server.serve(edge, shutdown.token().clone()).await;
        traces.end().await;
        Ok(())
    })
}

/// Three services in this process; the fourth, the gateway, is in front of them.
pub struct Server {
    catalog: Catalog,
    launcher: Arc<Launcher>,
    router: Arc<Router>,
    /// What clients are told to come back to.
    pub api_addr: String,
}

impl Server {
    /// Starts them from the bottom up.
    pub async fn start(config: &Config, edge: &Edge, first_token: Option<Token>) -> anyhow::Result<Self> {
        let api_addr = config.api_addr.clone().unwrap_or_else(|| edge.api_addr());
        let catalog = parts::catalog(config).await?;
        let below = CatalogSeams::local(&catalog);
        let launcher = parts::launcher(config, &below, None)?;
        let seam = LauncherSeam::local(launcher.clone());
        let metrics = start::count(config);
        let settings = RouterSettings { api_addr: api_addr.clone(), first_token, metrics };
        let router = parts::router(config, settings, &below, seam);
        Ok(Self { catalog, launcher, router: Arc::new(router), api_addr })
    }

    /// A client of the router.
    pub fn router(&self) -> RouterSeam {
        RouterSeam::local(self.router.clone())
    }

    /// Begins the files of audit devices anew whenever the process is asked to, and looks again which plugins are
    /// declared.
    pub fn reload_on_request(&self, shutdown: &Shutdown, flags: &ServiceFlags) {
        start::reopen_on_request(shutdown, self.router.clone());
        declared::renew_on_request(shutdown, flags.clone(), self.catalog.clone());
    }

    /// Answers until the token is cancelled; then ends from the top down.
    pub async fn serve(self, edge: Edge, shutdown: CancellationToken) {
        edge.serve(self.router(), shutdown).await;
        self.launcher.stop_all(Reason::Shutdown).await;
        tracing::info!("ended");
    }
}
