//! `mortise server -dev`: in memory, initialised and unsealed, to try things out.

mod api;
mod plugins;

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::PathBuf};

use anyhow::{Context, bail};
use domain::Token;
use kit::{
    config::{Address, Config, Listener, Storage},
    shutdown::Shutdown,
    variable,
};
use serde_json::{Value, json};

use self::api::Api;
use crate::{banner, cli::ServerFlags, edge::Edge, server::Server, start};

/// What a new server of this kind is opened with.
struct Keys {
    unseal: Token,
    root: Token,
}

/// Runs such a server until it is asked to end.
pub fn run(flags: ServerFlags) -> anyhow::Result<()> {
    let (config, warnings) = start::configuration(&flags.service)?;
    let config = in_memory(config, &flags)?;
    let begun = start::take_effect(config, &warnings)?;
    start::runtime()?.block_on(async {
        let config = &begun.config;
        let shutdown = Shutdown::on_signals()?;
        let edge = Edge::open(&config.listeners).await?;
        let traces = start::trace(config, None)?;
        let first_token = flags.dev_root_token_id.clone().or_else(|| variable::DEV_ROOT_TOKEN_ID.text());
        let starting = Server::start(config, &edge, first_token.map(Token::new));
        let Some(server) = shutdown.token().run_until_cancelled(starting).await else { return Ok(()) };
        let server = server?;
        server.reload_on_request(&shutdown, &flags.service);
        let reload = edge.reload();
        start::reload_on_request(&shutdown, flags.service.clone(), move || Ok(reload.certificates()?));
        let mut api = Api::new(server.router());
        let keys = open(&mut api).await?;
        let registered = match &config.plugin_directory {
            Some(folder) => plugins::register(&mut api, folder).await?,
            None => Vec::new(),
        };
        banner::print(config, &server.api_addr);
        banner::dev(&server.api_addr, keys.unseal.expose(), keys.root.expose(), &registered);
        if !flags.dev_no_store_token {
            store(&keys.root)?;
        }
        server.serve(edge, shutdown.token().clone()).await;
        traces.end().await;
        Ok(())
    })
}

fn in_memory(config: Config, flags: &ServerFlags) -> anyhow::Result<Config> {
    let address = flags.dev_listen_address.clone().or_else(|| variable::DEV_LISTEN_ADDRESS.text());
    let address: Address = match address {
        Some(address) => address.parse().context("-dev-listen-address is not right")?,
        None => Address::default(),
    };
    let mut listeners = config.listeners;
    listeners.insert(0, Listener::plain(address));
    Ok(Config {
        storage: Some(Storage::Inmem),
        listeners,
        plugin_directory: flags.dev_plugin_dir.clone().or(config.plugin_directory),
        disable_mlock: true,
        ..config
    })
}

/// Initialises and unseals the server, and mounts `secret/`.
async fn open(api: &mut Api) -> anyhow::Result<Keys> {
    let made = api.write("sys/init", json!({"secret_shares": 1, "secret_threshold": 1})).await?;
    let text = |value: &Value| value.as_str().map(|text| Token::new(text.to_owned()));
    let keys = text(&made["keys_base64"][0]).zip(text(&made["root_token"]));
    let (unseal, root) = keys.context("the server does not say how to unseal it")?;
    api.write("sys/unseal", json!({"key": unseal.expose()})).await?;
    api.token(&root);
    let secret =
        json!({"type": "kv", "options": {"version": "2"}, "description": "key/value secret storage"});
    api.write("sys/mounts/secret", secret).await?;
    Ok(Keys { unseal, root })
}

/// Keeps the token where Vault's clients look for it.
fn store(token: &Token) -> anyhow::Result<()> {
    let Some(home) = std::env::home_dir() else {
        bail!("there is no home folder to store the token in; add -dev-no-store-token")
    };
    let path: PathBuf = home.join(".vault-token");
    let write = || {
        let mut file = fs::File::options().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(token.expose().as_bytes())
    };
    write().with_context(|| format!("cannot store the token in {}; add -dev-no-store-token", path.display()))
}
