//! A throw-away certificate for a server's listener.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::Certificate;

/// Makes a new certificate for 127.0.0.1 in `folder`, in place of the last one.
pub(crate) fn renew(folder: &Path) {
    make(&pair(folder), "IP:127.0.0.1");
}

/// Makes a certificate for a name, and its key. It is its own authority.
pub(crate) fn make([certificate, key]: &[PathBuf; 2], name: &str) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=story", "-addext", &format!("subjectAltName={name}")])
        .args(["-addext", "basicConstraints=critical,CA:FALSE"])
        .arg("-keyout")
        .arg(key)
        .arg("-out")
        .arg(certificate)
        .output()
        .expect("openssl is installed");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// The certificate in `folder`, for a client that believes nobody else.
pub(crate) fn trusted(folder: &Path) -> Certificate {
    certificate(&pair(folder)[0])
}

/// A certificate in a file, for a client that believes nobody else.
pub(crate) fn certificate(file: &Path) -> Certificate {
    let text = fs::read(file).expect("a certificate was made");
    Certificate::from_pem(&text).expect("a certificate of openssl is one")
}

/// What a listener says to use it.
pub(crate) fn settings(folder: &Path) -> String {
    let [certificate, key] = pair(folder);
    format!("tls_cert_file = \"{}\"\n  tls_key_file = \"{}\"", certificate.display(), key.display())
}

/// Where the certificate is, and its key.
pub(crate) fn pair(folder: &Path) -> [PathBuf; 2] {
    [folder.join("listener.pem"), folder.join("listener-key.pem")]
}
