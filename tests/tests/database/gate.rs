//! What stands between an engine and its database, and holds up what is said.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// From where on nothing gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Everything gets through.
    Nothing,
    /// The change does not get to the database.
    BeforeChange,
    /// The change does, and what the database says to it does not come back.
    AfterChange,
    /// The change is made for good, and nobody is told.
    AfterCommit,
}

/// A way to a database.
pub struct Gate {
    /// Where it begins, on the loopback.
    pub port: u16,
    held: watch::Sender<Held>,
    shut: Arc<watch::Sender<bool>>,
}

impl Gate {
    /// A way to the database at that port.
    pub async fn to(database: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (held, shut) = (watch::Sender::new(Held::Nothing), Arc::new(watch::Sender::new(false)));
        let (rule, news) = (held.subscribe(), Arc::clone(&shut));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(("127.0.0.1", database)).await else { continue };
                let ((from, to_client), (from_server, to)) = (client.into_split(), server.into_split());
                let cut = Arc::new(AtomicBool::new(false));
                tokio::spawn(ask(from, to, rule.clone(), cut.clone(), Arc::clone(&news)));
                tokio::spawn(answer(from_server, to_client, cut));
            }
        });
        Self { port, held, shut }
    }

    /// From now on that is held up.
    pub fn hold(&self, what: Held) {
        self.shut.send_replace(false);
        self.held.send_replace(what);
    }

    /// Until something was held up.
    pub async fn is_shut(&self) {
        self.shut.subscribe().wait_for(|shut| *shut).await.unwrap();
    }
}

async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    rule: watch::Receiver<Held>,
    cut: Arc<AtomicBool>,
    shut: Arc<watch::Sender<bool>>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let said = String::from_utf8_lossy(&buffer[..length]).to_uppercase();
        let held = *rule.borrow();
        let shuts = match held {
            Held::Nothing => false,
            Held::BeforeChange | Held::AfterChange => said.contains("ALTER "),
            Held::AfterCommit => said.contains("COMMIT"),
        };
        if shuts {
            cut.store(true, Ordering::SeqCst);
        }
        if !(shuts && held == Held::BeforeChange) && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
        if shuts {
            shut.send_replace(true);
        }
    }
}

async fn answer(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, cut: Arc<AtomicBool>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if !cut.load(Ordering::SeqCst) && to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
