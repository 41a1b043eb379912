//! `mortise health`: what a container's health check runs.

use std::time::Duration;

use anyhow::{Context, bail};
use kit::{
    Service,
    config::{Clients, Config},
    tls::{self, Certificates},
};
use reqwest::redirect;
use tokio::net::TcpStream;
use wire::health::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    cli::{HealthFlags, ServiceFlags},
    start,
};

/// How long a gateway may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A path that a gateway answers without a router.
const ANSWERED_ALONE: &str = "/v1";

/// Asks a service, with its own certificate, whether it serves.
pub fn run(flags: HealthFlags) -> anyhow::Result<()> {
    let service = flags.service;
    let flags = ServiceFlags { config: flags.config, ..ServiceFlags::default() };
    let (config, _) = start::configuration(&flags)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match service {
        Service::Gateway => runtime.block_on(answering(&config)),
        _ => runtime.block_on(serving(service, &config)),
    }
}

async fn serving(service: Service, config: &Config) -> anyhow::Result<()> {
    let internal = config.needs_internal()?;
    let address = internal.address.as_ref().context("the internal block has no address")?;
    let certificates = Certificates::read(internal)?;
    let channel = tls::channel(service, address, &certificates)?;
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await;
    match answer.map_err(|status| anyhow::anyhow!("{service} at {address}: {}", status.message()))? {
        answer if answer.get_ref().status == 1 => Ok(()),
        _ => bail!("{service} at {address} is ending"),
    }
}

/// The gateway speaks HTTP only: any answer of its own says enough, however the services below it are.
async fn answering(config: &Config) -> anyhow::Result<()> {
    let listener = &config.needs_listeners()?[0];
    let address = reachable(listener.address.as_str());
    TcpStream::connect(&address).await.with_context(|| format!("nothing listens at {address}"))?;
    let scheme = match &listener.tls {
        None => "http",
        // Only clients with certificates get answers there.
        Some(tls) if matches!(tls.clients, Clients::Required(_)) => return Ok(()),
        Some(_) => "https",
    };
    // Who asks sits beside the gateway, and sends nothing: it need not know who signed the certificate.
    let client = reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .tls_danger_accept_invalid_certs(true)
        .timeout(PATIENCE)
        .build()?;
    let answer = client.get(format!("{scheme}://{address}{ANSWERED_ALONE}")).send().await;
    answer.map(drop).with_context(|| format!("the gateway at {address} does not answer"))
}

/// An address to connect to, for one to listen at.
pub fn reachable(address: &str) -> String {
    match address.rsplit_once(':') {
        Some(("0.0.0.0" | "[::]", port)) => format!("127.0.0.1:{port}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_is_reached_at_this_one() {
        assert_eq!(reachable("0.0.0.0:8200"), "127.0.0.1:8200");
        assert_eq!(reachable("[::]:1"), "127.0.0.1:1");
        assert_eq!(reachable("10.0.0.1:2"), "10.0.0.1:2");
    }
}
