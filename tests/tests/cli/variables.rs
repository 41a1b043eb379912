//! The variables that commands look at, under both of their names, each against a server.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Instant,
};

use serde_json::json;
use testkit::{Options, Server};

use super::{Shell, shell::Said};

const FAMILIES: [&str; 2] = ["VAULT", "MORTISE"];

impl Shell {
    /// Runs a command with these variables, whose names lack their families.
    #[track_caller]
    fn with(&self, family: &str, variables: &[(&str, &str)], words: &str) -> Said {
        let mut command = self.command(&words.split(' ').collect::<Vec<_>>());
        command.envs(variables.iter().map(|(name, value)| (format!("{family}_{name}"), value)));
        Said::of(words, command.output().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_say_what_flags_say_and_flags_win() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    shell.run("namespace create team").ok();
    shell.run("secrets enable -namespace=team -path=kv kv").ok();
    shell.run("kv put -namespace=team kv/a k=1").ok();
    for family in FAMILIES {
        let team = [("NAMESPACE", "team")];
        assert_eq!(shell.with(family, &team, "kv get -field=k kv/a").ok(), "1");
        shell.with(family, &team, "kv get -namespace=root kv/a").fails(2);
        let told = shell.with(family, &[("FORMAT", "json"), team[0]], "kv get kv/a").json();
        assert_eq!(told["data"]["k"], json!("1"));
        shell.with(family, &[("FORMAT", "json")], "status -format=table").tells(&["Key ", "Sealed"]);
        shell.with(family, &[("FORMAT", "nonsense")], "status").fails(1);

        let wrapped = shell.with(family, &[("WRAP_TTL", "5m"), team[0]], "kv get kv/a");
        wrapped.tells(&["wrapping_token:", "wrapping_token_ttl:", "5m"]);
        let wrapped = shell.with(family, &[("WRAP_TTL", "5m")], "kv get -wrap-ttl=2m -ns=team kv/a");
        wrapped.tells(&["wrapping_token_ttl:", "2m"]);
        assert!(shell.with(family, &[("WRAP_TTL", "soon")], "read a").fails(1).contains("wrap"));

        let nobody = [("ADDR", "http://127.0.0.1:1")];
        let here = format!("status -address={}", server.api().address());
        assert_eq!(
            (shell.with("MORTISE", &nobody, "status").code, shell.with(family, &nobody, &here).code),
            (1, 0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_in_a_variable_wins_over_the_one_that_is_kept() {
    let server = Server::dev().await;
    let shell = Shell::at(&server.api());
    shell.run("login -no-print root").ok();
    let token = shell.run("token create -policy=default -field=token").line();
    let name = |variables: &[(&str, &str)]| {
        let mut command = shell.command(&["token", "lookup", "-field=id"]);
        Said::of("token lookup", command.envs(variables.iter().copied()).output().unwrap()).line()
    };
    assert_eq!(name(&[]), "root");
    assert_eq!(name(&[("VAULT_TOKEN", &token)]), token);
    assert_eq!(name(&[("VAULT_TOKEN", "")]), "root", "an empty one is none");
    assert_eq!(name(&[("VAULT_TOKEN", "nonsense"), ("MORTISE_TOKEN", &token)]), token);
}

/// A server that answers these statuses, one a request, and hears what it is asked; after the last it is silent.
fn scripted(statuses: &'static [u16]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    thread::spawn(move || {
        let mut silent = Vec::new();
        for (at, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            hears.lock().unwrap().push(head(&stream).unwrap());
            let Some(status) = statuses.get(at) else {
                silent.push(stream);
                continue;
            };
            let answer = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{{\"data\": {{\"k\": \"1\"}}}}\n"
            );
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, heard)
}

/// The first line of a request, once its head has come.
fn head(stream: &TcpStream) -> io::Result<String> {
    let lines = BufReader::new(stream.try_clone()?).lines();
    let head = lines.take_while(|line| line.as_ref().is_ok_and(|line| !line.is_empty()));
    Ok(head.collect::<io::Result<Vec<_>>>()?.into_iter().next().unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_pass_is_asked_again_and_what_does_not_answer_is_given_up() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    for family in FAMILIES {
        let (address, heard) = scripted(&[503, 412, 200]);
        let said =
            shell.with(family, &[("MAX_RETRIES", "2")], &format!("read -address={address} -field=k a"));
        assert_eq!((said.ok().as_str(), heard.lock().unwrap().len()), ("1", 3));
        let (address, heard) = scripted(&[503, 200]);
        shell.run(&format!("read -address={address} a")).fails(2);
        assert_eq!(heard.lock().unwrap().len(), 1, "never by itself");
        let (address, _) = scripted(&[]);
        let began = Instant::now();
        let late = shell.with(family, &[("CLIENT_TIMEOUT", "1s")], &format!("read -address={address} a"));
        late.fails(2);
        assert!((1..40).contains(&began.elapsed().as_secs()), "{:?}", began.elapsed());
        assert!(
            shell.with(family, &[("CLIENT_TIMEOUT", "soon")], "read a").fails(1).contains("CLIENT_TIMEOUT")
        );
        assert!(shell.with(family, &[("MAX_RETRIES", "-1")], "read a").fails(1).contains("MAX_RETRIES"));
    }
}

/// Hands every connection on to `to`, and hears what is asked first.
fn proxy(to: String) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let hears = heard.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut from, mut on) = (stream.unwrap(), TcpStream::connect(&to).unwrap());
            let mut first = [0; 4096];
            let read = io::Read::read(&mut from, &mut first).unwrap();
            let line = String::from_utf8_lossy(&first[..read]).lines().next().unwrap_or_default().to_owned();
            hears.lock().unwrap().push(line);
            on.write_all(&first[..read]).unwrap();
            let (mut back, mut to_client) = (on.try_clone().unwrap(), from.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut back, &mut to_client));
            thread::spawn(move || io::copy(&mut from, &mut on));
        }
    });
    (address, heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_reached_by_a_proxy() {
    let server = Server::dev().await;
    let shell = Shell::of(&server.api());
    let address = server.api().address().to_owned();
    for variable in ["PROXY_ADDR", "HTTP_PROXY"] {
        for family in FAMILIES {
            let (by, heard) = proxy(address.trim_start_matches("http://").to_owned());
            shell.with(family, &[(variable, &by)], "status").ok();
            let heard = heard.lock().unwrap().join("\n");
            assert!(heard.contains(&format!("GET {address}/v1/sys/")), "{variable}: {heard}");
        }
    }
    let nowhere = shell.with("VAULT", &[("PROXY_ADDR", "http://me:word@127.0.0.1:1")], "read a").fails(2);
    assert!(!nowhere.contains("word"), "{nowhere}");
}

fn openssl(folder: &Path, words: &str) {
    let run = Command::new("openssl").current_dir(folder).args(words.split(' ')).output().unwrap();
    assert!(run.status.success(), "openssl {words}: {}", String::from_utf8_lossy(&run.stderr));
}

/// An authority in `ca/`, a server's certificate for another name than its address, and a client's.
fn certificates(folder: &Path) {
    std::fs::create_dir(folder.join("ca")).unwrap();
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
    openssl(folder, &format!("req -x509 {key} -subj /CN=authority -keyout ca-key.pem -out ca/ca.pem"));
    for (name, names) in [("server", "DNS:vault.example"), ("client", "DNS:client.example")] {
        openssl(
            folder,
            &format!(
                "req -x509 {key} -subj /CN={name} -addext subjectAltName={names} -addext basicConstraints=critical,CA:FALSE \
                 -CA ca/ca.pem -CAkey ca-key.pem -keyout {name}-key.pem -out {name}.pem"
            ),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_show_certificates_as_the_variables_say() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let port = testkit::free_port();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let extra = format!(
        "listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  tls_cert_file = \"{}\"\n  tls_key_file = \"{}\"\n  \
         tls_client_ca_file = \"{}\"\n  tls_require_and_verify_client_cert = true\n}}",
        path("server.pem"),
        path("server-key.pem"),
        path("ca/ca.pem"),
    );
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    let shell = Shell::of(&server.api());
    let address = format!("https://127.0.0.1:{port}");
    let (authority, authorities) = (path("ca/ca.pem"), path("ca"));
    let (certificate, key) = (path("client.pem"), path("client-key.pem"));
    let shown = [("ADDR", &*address), ("CLIENT_CERT", &*certificate), ("CLIENT_KEY", &*key)];
    for family in FAMILIES {
        let run = |more: &[(&str, &str)], shown: &[(&str, &str)]| {
            let all: Vec<_> = shown.iter().chain(more).copied().chain([("MAX_RETRIES", "0")]).collect();
            // The shell itself names its server as VAULT_ADDR does.
            let words = format!("read -address={address} -field=path auth/token/lookup-self");
            shell.with(family, &all, &words)
        };
        let name = ("TLS_SERVER_NAME", "vault.example");
        assert_eq!(run(&[("CACERT", &*authority), name], &shown).ok(), "auth/token/root");
        assert_eq!(run(&[("CAPATH", &*authorities), name], &shown).ok(), "auth/token/root");
        assert_eq!(run(&[("SKIP_VERIFY", "true")], &shown).ok(), "auth/token/root");
        assert_ne!(run(&[("CACERT", &*authority)], &shown).code, 0, "its certificate has another name");
        assert_ne!(run(&[name], &shown).code, 0, "nobody knows who signed it");
        assert_ne!(
            run(&[("CACERT", &*authority), name], &shown[..1]).code,
            0,
            "it wants to see a certificate"
        );
        assert_eq!(run(&[("CACERT", &*authority), name], &shown[..2]).code, 1, "a certificate needs its key");
    }
}
