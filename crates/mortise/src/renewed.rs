//! Certificates that somebody renews on disk: cert-manager, certbot, or whoever keeps a mounted secret.

use std::{fs, path::PathBuf, time::Duration};

use kit::config::Config;
use ring::digest::{Context, SHA256};

/// How often the files are looked at.
const PAUSE: Duration = Duration::from_secs(30);

/// The files of all certificates of a process, and what was in them when they were last looked at.
#[derive(Debug, Default)]
pub struct Watched {
    files: Vec<PathBuf>,
    seen: Vec<u8>,
}

impl Watched {
    /// The certificates that are configured, with their keys.
    pub fn of(config: &Config) -> Self {
        let internal = config.internal.iter().flat_map(|it| [&it.ca_file, &it.cert_file, &it.key_file]);
        let listeners = config.listeners.iter().filter_map(|listener| listener.tls.as_ref());
        let listeners = listeners.flat_map(|tls| [&tls.cert_file, &tls.key_file]);
        Self::at(internal.chain(listeners).cloned().collect())
    }

    fn at(files: Vec<PathBuf>) -> Self {
        let seen = digest(&files);
        Self { files, seen }
    }

    /// Waits until something else is in them.
    pub async fn changed(&mut self) {
        if self.files.is_empty() {
            return std::future::pending().await;
        }
        loop {
            tokio::time::sleep(PAUSE).await;
            let files = self.files.clone();
            match tokio::task::spawn_blocking(move || digest(&files)).await {
                Ok(now) if now != self.seen => {
                    self.seen = now;
                    return;
                }
                _ => {}
            }
        }
    }
}

/// One that is missing for a moment counts as empty: it is looked at again when it is there.
fn digest(files: &[PathBuf]) -> Vec<u8> {
    let mut whole = Context::new(&SHA256);
    for file in files {
        let content = fs::read(file).unwrap_or_default();
        whole.update(&content.len().to_be_bytes());
        whole.update(&content);
    }
    whole.finish().as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_file_that_is_replaced_is_noticed_once() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["cert.pem", "key.pem"].map(|name| folder.path().join(name));
        fs::write(&files[0], "old").unwrap();
        let mut watched = Watched::at(files.to_vec());
        assert!(timeout(PAUSE * 3, watched.changed()).await.is_err(), "nothing has changed yet");
        for change in ["new", "newer"] {
            fs::write(&files[1], change).unwrap();
            watched.changed().await;
            assert!(timeout(PAUSE * 3, watched.changed()).await.is_err(), "{change}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_moves_from_one_file_to_the_next_is_a_change() {
        let folder = tempfile::tempdir().unwrap();
        let files = ["a", "b"].map(|name| folder.path().join(name));
        fs::write(&files[0], "text").unwrap();
        let mut watched = Watched::at(files.to_vec());
        fs::rename(&files[0], &files[1]).unwrap();
        let begun = Instant::now();
        watched.changed().await;
        assert_eq!(begun.elapsed(), PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn without_certificates_nothing_is_waited_for() {
        assert!(timeout(PAUSE * 3, Watched::at(Vec::new()).changed()).await.is_err());
    }
}
