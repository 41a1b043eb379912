//! The bare path: HTTP straight into a plugin process, its storage a map in memory, and nothing else.

mod callbacks;
mod plugin;

use std::{convert::Infallible, path::Path, sync::Arc};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncReadExt, stdin},
    net::{TcpListener, TcpStream},
};

use self::plugin::{Mount, Plugin};

/// What is answered where no plugin is asked: the cost of HTTP alone.
const STATIC: &str = r#"{"request_id":"","lease_id":"","renewable":false,"lease_duration":0,"data":{"username":"app","password":"0123456789abcdef0123456789abcdef"},"wrap_info":null,"warnings":null,"auth":null,"mount_type":"kv"}"#;

/// The two mounts of the plugin.
struct Bare {
    v1: Mount,
    v2: Mount,
}

/// Prints the address and the plugin's process id, and serves until the standard input ends.
#[expect(clippy::print_stdout, reason = "the program that started this one reads it")]
pub async fn serve(program: &Path, folder: &Path) -> anyhow::Result<()> {
    let plugin = Plugin::start(program, folder).await?;
    let bare = Arc::new(Bare { v1: plugin.mount("1").await?, v2: plugin.mount("2").await? });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{} {}", listener.local_addr()?, plugin.pid());
    let mut ends = [0];
    let mut input = stdin();
    tokio::select! {
        _ = input.read(&mut ends) => Ok(()),
        accepted = accept(listener, bare) => accepted,
    }
}

async fn accept(listener: TcpListener, bare: Arc<Bare>) -> anyhow::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(connection(stream, bare.clone()));
    }
}

async fn connection(stream: TcpStream, bare: Arc<Bare>) {
    let answers = service_fn(move |request| {
        let bare = bare.clone();
        async move { Ok::<_, Infallible>(answer(&bare, request).await) }
    });
    // A client that went away is nobody's loss.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answers).await;
}

async fn answer(bare: &Bare, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let (mount, path) = match (path.strip_prefix("/v1/e1/"), path.strip_prefix("/v1/e2/")) {
        (Some(rest), _) => (&bare.v1, rest),
        (_, Some(rest)) => (&bare.v2, rest),
        _ => return respond(StatusCode::OK, Bytes::from_static(STATIC.as_bytes())),
    };
    let Ok(body) = body.collect().await else { return respond(StatusCode::BAD_REQUEST, Bytes::new()) };
    let answered = match parts.method {
        Method::GET => mount.read(path).await,
        _ => mount.write(path, body.to_bytes()).await,
    };
    match answered {
        Ok(Some(data)) => respond(StatusCode::OK, data),
        Ok(None) => respond(StatusCode::NO_CONTENT, Bytes::new()),
        Err(status) => respond(StatusCode::INTERNAL_SERVER_ERROR, status.message().to_owned().into()),
    }
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
