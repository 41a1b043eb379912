//! `mortise plugin register`: sends a plugin's program to a server, and registers it there.

use std::{
    env,
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use base64::{Engine, engine::general_purpose::STANDARD};
use clap::Args;
use domain::{PluginType, Sha256, Token};
use reqwest::{Certificate, Client, Method, StatusCode, header::HeaderValue};
use ring::digest;
use serde_json::{Value, json};

/// As much is sent in one request; in base64 it is less than a server takes in one text.
const PIECE: u64 = 512 << 10;

/// What is registered, and where.
#[derive(Args, Clone, Debug)]
pub struct RegisterFlags {
    /// The plugin's program, which is put into the server's plugin directory.
    #[arg(long, value_name = "FILE")]
    pub upload: PathBuf,
    /// What the program has to hash to; worked out from the file if it is not given.
    #[arg(long)]
    pub sha256: Option<String>,
    /// What the file is to be called there; its own name if it is not given.
    #[arg(long)]
    pub command: Option<String>,
    /// An argument of the program; may be repeated.
    #[arg(long, allow_hyphen_values = true)]
    pub args: Vec<String>,
    /// A variable of the program, as KEY=value; may be repeated.
    #[arg(long)]
    pub env: Vec<String>,
    /// A semantic version.
    #[arg(long, default_value = "")]
    pub version: String,
    /// The sandbox that it runs in.
    #[arg(long, default_value = "")]
    pub runtime: String,
    /// The server. Who asks is told by VAULT_TOKEN, or by the token in the home folder.
    #[arg(long, env = "VAULT_ADDR", default_value = "https://127.0.0.1:8200")]
    pub address: String,
    /// The authority that the server's certificate is from.
    #[arg(long, env = "VAULT_CACERT", value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,
    /// auth, database or secret.
    #[arg(value_parser = str::parse::<PluginType>)]
    pub plugin_type: PluginType,
    /// What it is enabled by.
    pub name: String,
}

/// Uploads and registers.
pub fn run(flags: RegisterFlags) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(register(&flags))
}

#[expect(clippy::print_stdout, reason = "this is the answer of a command")]
async fn register(flags: &RegisterFlags) -> anyhow::Result<()> {
    let file =
        File::open(&flags.upload).with_context(|| format!("cannot read {}", flags.upload.display()))?;
    let found = hash(&file).with_context(|| format!("cannot read {}", flags.upload.display()))?;
    if let Some(expected) = &flags.sha256 {
        let expected: Sha256 = expected.parse().context("-sha256 is no SHA256")?;
        if expected != found {
            bail!("{} has SHA256 {found}, not {expected}", flags.upload.display());
        }
    }
    let command = match &flags.command {
        Some(command) => command.as_str(),
        None => flags
            .upload
            .file_name()
            .and_then(|name| name.to_str())
            .context("give -command: the file has no name")?,
    };
    let server = Server::of(flags)?;
    server.upload(file, found, command).await?;
    let path = format!("plugins/catalog/{}/{}", flags.plugin_type, flags.name);
    let entry = json!({
        "sha256": found.to_string(), "command": command, "args": flags.args, "env": flags.env,
        "version": flags.version, "runtime": flags.runtime,
    });
    server.ask(Method::PUT, &path, Some(entry)).await?.data()?;
    println!("Success! Registered plugin: {}", flags.name);
    Ok(())
}

/// Hashes without holding the file in memory.
fn hash(mut file: &File) -> anyhow::Result<Sha256> {
    let mut hash = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; PIECE as usize];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Sha256::try_from(hash.finish().as_ref())?),
            read => hash.update(&piece[..read]),
        }
    }
}

/// The server, as somebody who has a token.
struct Server {
    http: Client,
    address: String,
    token: Token,
}

/// What it answered.
struct Answer {
    status: StatusCode,
    body: Value,
}

impl Server {
    fn of(flags: &RegisterFlags) -> anyhow::Result<Self> {
        let mut http = Client::builder();
        if let Some(path) = &flags.ca_cert {
            let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            http = http.tls_certs_only(Certificate::from_pem_bundle(&pem)?);
        }
        let address = flags.address.trim_end_matches('/').to_owned();
        Ok(Self { http: http.build()?, address, token: token()? })
    }

    /// Sends what the server does not have yet, and has it put into its place.
    async fn upload(&self, mut file: File, sha256: Sha256, command: &str) -> anyhow::Result<()> {
        let path = format!("plugins/upload/{sha256}");
        let known = self.ask(Method::GET, &path, None).await?;
        let mut offset = match known.status {
            StatusCode::NOT_FOUND => 0,
            _ => known.data()?["received"].as_u64().unwrap_or_default(),
        };
        file.seek(SeekFrom::Start(offset))?;
        loop {
            let mut piece = Vec::with_capacity(PIECE as usize);
            (&mut file).take(PIECE).read_to_end(&mut piece)?;
            if piece.is_empty() {
                break;
            }
            let body = json!({ "offset": offset, "data": STANDARD.encode(&piece) });
            self.ask(Method::POST, &path, Some(body)).await?.data()?;
            offset += piece.len() as u64;
        }
        self.ask(Method::POST, &path, Some(json!({ "command": command }))).await?.data()?;
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Answer> {
        let request = self.http.request(method, format!("{}/v1/sys/{path}", self.address));
        let mut token = HeaderValue::from_str(self.token.expose())
            .context("the token has other characters than a token has")?;
        token.set_sensitive(true);
        let request = request.header("X-Vault-Token", token).header("X-Vault-Request", "true");
        let request = body.iter().fold(request, |request, body| request.json(body));
        let answer = request.send().await.with_context(|| format!("cannot reach {}", self.address))?;
        let status = answer.status();
        let body = answer.bytes().await.context("the server's answer broke off")?;
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }
}

impl Answer {
    /// What it tells; what it refuses is an error in its words.
    fn data(mut self) -> anyhow::Result<Value> {
        if self.status.is_success() {
            return Ok(self.body["data"].take());
        }
        let errors = self.body["errors"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let errors: Vec<&str> = errors.map(str::trim).collect();
        bail!("the server answered {}: {}", self.status, errors.join("; "))
    }
}

fn token() -> anyhow::Result<Token> {
    if let Some(token) = env::var("VAULT_TOKEN").ok().filter(|token| !token.is_empty()) {
        return Ok(Token::new(token));
    }
    let home = env::home_dir().context("set VAULT_TOKEN: there is no home folder to look for a token in")?;
    let path: &Path = &home.join(".vault-token");
    match std::fs::read_to_string(path) {
        Ok(token) => Ok(Token::new(token.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("set VAULT_TOKEN: who asks is not known")
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}
