//! A peer that floods us with frames. Alone in its process, because the memory that is measured is the whole of it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{fs, path::Path, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use goplugin::{
    Identity,
    host::{self, Connection},
};
use rcgen::{CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink, split},
    net::{UnixListener, UnixStream},
    time::{Instant, timeout},
};
use tokio_rustls::{TlsAcceptor, TlsConnector};
use tonic::service::Routes;

const MIB: usize = 1 << 20;

/// How much is sent in each flood, and in how many frames.
const SENT: usize = 64 * MIB;
const FRAMES: u32 = 300_000;

/// How much more memory a flood may cost, in KiB: one head may be 16 MiB long.
const KEPT: u64 = 32 * 1024;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const PROMISE: u8 = 5;
const PING: u8 = 6;
const WINDOW: u8 = 8;
const CONTINUATION: u8 = 9;
const UNKNOWN: u8 = 0xbb;

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// `POST / https`, or the answer 200, as a call and an answer begin.
const CALL: [u8; 3] = [0x83, 0x87, 0x84];
const ANSWER: [u8; 1] = [0x88];

/// A header that is stored in no table: 16 KiB of it.
fn long_header() -> Vec<u8> {
    // Literal without indexing, a new name of one letter, a value of 16,000 bytes.
    let mut header = vec![0x00, 0x01, b'a', 0x7f];
    let mut rest = 16_000 - 127;
    while rest >= 128 {
        header.push((rest % 128 + 128) as u8);
        rest /= 128;
    }
    header.push(rest as u8);
    header.extend([b'x'; 16_000]);
    header
}

/// What is sent first, and then again and again, with a number that grows.
struct Flood {
    name: &'static str,
    first: Vec<u8>,
    again: Box<dyn Fn(u32) -> Vec<u8> + Send>,
}

fn flood(name: &'static str, first: Vec<u8>, again: impl Fn(u32) -> Vec<u8> + Send + 'static) -> Flood {
    Flood { name, first, again: Box::new(again) }
}

/// A stream that the calling end has opened.
const fn stream(number: u32) -> u32 {
    (2 * number + 1) & 0x7fff_ffff
}

/// `begun` begins the first stream, as a call or as an answer.
fn floods(begun: &'static [u8]) -> Vec<Flood> {
    let setting = |name: u8, value: u32| {
        let payload = [&[0, name][..], &value.to_be_bytes()].concat();
        frame(SETTINGS, 0, 0, &payload)
    };
    let long = long_header();
    let whole = frame(HEADERS, 4, 1, begun);
    vec![
        flood("unknown frames", Vec::new(), |_| frame(UNKNOWN, 0xff, 7, &[0; 16_000])),
        flood("settings", Vec::new(), |_| frame(SETTINGS, 0, 0, &[])),
        flood("settings that change", Vec::new(), move |n| setting(4, n % 65_536)),
        flood("frames of no size", setting(5, 0), |_| frame(PING, 0, 0, &[0; 8])),
        flood("frames of any size", setting(5, u32::MAX), |_| frame(PING, 0, 0, &[0; 8])),
        flood("windows of any size", setting(4, u32::MAX), |_| frame(PING, 0, 0, &[0; 8])),
        flood("pings", Vec::new(), |_| frame(PING, 0, 0, &[0; 8])),
        flood("priorities", Vec::new(), |n| frame(PRIORITY, 0, stream(n), &[0, 0, 0, 0, 1])),
        flood("windows", Vec::new(), |_| frame(WINDOW, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
        flood("promises", Vec::new(), |n| {
            frame(PROMISE, 4, 1, &[&(2 * n + 2).to_be_bytes()[..], &CALL].concat())
        }),
        flood("data of no length", whole.clone(), |_| frame(DATA, 0, 1, &[])),
        flood("data for nobody", whole.clone(), |_| frame(DATA, 0, 99, &[0; 16_000])),
        flood("data", whole.clone(), |_| frame(DATA, 0, 1, &[0; 16_000])),
        flood("resets", whole.clone(), |n| frame(RESET, 0, stream(n % 3), &[0, 0, 0, 8])),
        flood("calls taken back", Vec::new(), move |n| {
            [frame(HEADERS, 4, stream(n), begun), frame(RESET, 0, stream(n), &[0, 0, 0, 8])].concat()
        }),
        flood("calls", Vec::new(), move |n| frame(HEADERS, 4, stream(n), begun)),
        flood("heads without end", frame(HEADERS, 0, 1, begun), {
            let long = long.clone();
            move |_| frame(CONTINUATION, 0, 1, &long)
        }),
        flood("heads of nothing without end", frame(HEADERS, 0, 1, begun), |_| {
            frame(CONTINUATION, 0, 1, &[])
        }),
        flood("trailers", whole, move |_| frame(HEADERS, 4, 1, &long)),
        flood("no frames", b"GET / HTTP/1.1\r\n\r\n".to_vec(), |_| vec![0xff; 16_000]),
    ]
}

/// Sends a flood until it has sent enough, its peer has hung up, or its peer takes no more.
async fn send(io: impl AsyncRead + AsyncWrite, preface: &[u8], flood: Flood) {
    let ((mut from, mut to), mut nowhere) = (split(io), sink());
    let begin = [preface, &frame(SETTINGS, 0, 0, &[]), &flood.first].concat();
    let sending = async {
        to.write_all(&begin).await?;
        let (mut sent, mut number) = (0, 0);
        while sent < SENT && number < FRAMES {
            let mut bytes = Vec::new();
            while bytes.len() < 64 * 1024 {
                bytes.extend((flood.again)(number));
                number += 1;
            }
            timeout(Duration::from_secs(1), to.write_all(&bytes)).await??;
            sent += bytes.len();
        }
        to.flush().await
    };
    tokio::select! {
        _ = sending => {}
        _ = copy(&mut from, &mut nowhere) => {}
    }
}

/// In KiB, as the kernel counts them.
fn memory(what: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(what)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

/// How much memory was needed meanwhile.
async fn grown(work: impl Future<Output = ()>) -> u64 {
    // Forgets the highest mark so far.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let before = memory("VmRSS:");
    work.await;
    memory("VmHWM:").saturating_sub(before)
}

/// A plugin of which only the certificate is real.
struct Plugin {
    directory: TempDir,
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Plugin {
    fn new() -> Self {
        let pair = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, "localhost");
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let certificate = params.self_signed(&pair).unwrap().der().clone();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(pair.serialize_der()));
        Self { directory: tempfile::tempdir().unwrap(), certificate, key }
    }

    fn acceptor(&self) -> TlsAcceptor {
        let config =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_no_client_auth()
                .with_single_cert(vec![self.certificate.clone()], self.key.clone_key());
        let mut config = config.unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsAcceptor::from(Arc::new(config))
    }

    fn connector(&self, host: &Identity) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(host.pem().as_bytes()).unwrap()).unwrap();
        let config =
            ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
                .with_safe_default_protocol_versions()
                .unwrap()
                .with_root_certificates(roots)
                .with_client_auth_cert(vec![self.certificate.clone()], self.key.clone_key());
        let mut config = config.unwrap();
        config.alpn_protocols = vec![b"h2".to_vec()];
        TlsConnector::from(Arc::new(config))
    }

    /// The host's end of a connection, and the plugin's.
    async fn connect(&self, host: &Identity) -> (Connection, impl AsyncRead + AsyncWrite + use<>) {
        let socket = self.directory.path().join("s");
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).unwrap();
        let acceptor = self.acceptor();
        let accepting = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.unwrap()
        });
        let certificate = STANDARD_NO_PAD.encode(&self.certificate);
        let line = format!("1|5|unix|{}|grpc|{certificate}\n", socket.display());
        let connected = host::connect(line.as_bytes(), &[5], host, self.directory.path(), soon()).await;
        (connected.unwrap().0, accepting.await.unwrap())
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn l6_no_flood_of_frames_grows_the_host_or_ends_it() {
    let (host, plugin) = (Identity::generate().unwrap(), Plugin::new());
    for flood in floods(&ANSWER) {
        let name = flood.name;
        let more = grown(async {
            let (connection, io) = plugin.connect(&host).await;
            // Calls are under way, so that there is something to be answered.
            let calls = async { while connection.ping(soon()).await.is_ok() {} };
            tokio::select! {
                () = send(io, b"", flood) => {}
                () = async { calls.await; std::future::pending().await } => {}
            }
        });
        let more = more.await;
        assert!(more < KEPT, "an answer of {name} has cost {more} KiB");
    }
    for flood in floods(&CALL) {
        let name = flood.name;
        let more = grown(async {
            let (connection, _io) = plugin.connect(&host).await;
            let brokered = connection.broker().accept(Routes::default()).unwrap();
            let socket = plugin.directory.path().join(format!("h{}", brokered.id()));
            let io = dial(&plugin, &host, &socket).await;
            send(io, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", flood).await;
            // Who comes next is served.
            let mut next = dial(&plugin, &host, &socket).await;
            next.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
            next.write_all(&frame(SETTINGS, 0, 0, &[])).await.unwrap();
            assert!(next.read_u8().await.is_ok(), "after {name}");
        });
        let more = more.await;
        assert!(more < KEPT, "a call of {name} has cost {more} KiB");
    }
}

async fn dial(
    plugin: &Plugin,
    host: &Identity,
    socket: &Path,
) -> impl AsyncRead + AsyncWrite + Unpin + use<> {
    // Nobody listens until the host has seen the end of the connection before.
    let stream = loop {
        match UnixStream::connect(socket).await {
            Ok(stream) => break stream,
            Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    plugin.connector(host).connect("localhost".try_into().unwrap(), stream).await.unwrap()
}
