//! A road to the database that breaks while the database works on.

use std::{io, net::Ipv4Addr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// Leads to a port. When it is cut our end is closed, while the other one never hears of it.
struct Road {
    port: u16,
    cuts: watch::Sender<u32>,
}

impl Road {
    async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let road = Self { port: listener.local_addr().unwrap().port(), cuts: watch::channel(0).0 };
        let cuts = road.cuts.subscribe();
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, port, cuts.clone()));
            }
        });
        road
    }

    fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}

async fn carry(mut near: TcpStream, port: u16, mut cuts: watch::Receiver<u32>) -> io::Result<()> {
    let mut far = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    cuts.mark_unchanged();
    tokio::select! {
        ended = copy_bidirectional(&mut near, &mut far) => return ended.map(drop),
        _ = cuts.changed() => {}
    }
    drop(near);
    // Until the road itself is gone.
    while cuts.changed().await.is_ok() {}
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_still_be_written_is_not_read_before_it_is_known() {
    let database = Database::start().await;
    let road = Road::to(database.port).await;
    let by_road = database.admin_url().replace(&database.port.to_string(), &road.port.to_string());
    let config = PostgreSqlConfig { connection_url: Secret::new(by_road), ..config(&database) };
    let storage = Arc::new(PostgreSql::open(&config).await.unwrap());
    storage.put(key("a"), "old".into()).await.unwrap();

    // Somebody keeps the row, so that the write is under way for as long as we like.
    let mut keeper = PgConnection::connect(&database.admin_url()).await.unwrap();
    keeper.execute("BEGIN; SELECT FROM store WHERE key = 'a' FOR UPDATE").await.unwrap();
    let write = tokio::spawn({
        let storage = storage.clone();
        async move { storage.put(key("a"), "new".into()).await }
    });
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let wait = async |count: &str| database.ask(waiting).unwrap() == count;
    testkit::eventually(PATIENCE, "the write waits", async || wait("1").await).await;
    road.cut();
    // The lost transaction goes on waiting; whoever wants to be the next writer waits for it.
    testkit::eventually(PATIENCE, "the next epoch waits", async || wait("2").await).await;
    let refused = [
        storage.get(&key("a")).await.map(drop).unwrap_err(),
        storage.page(&Prefix::ALL, "", 1).await.map(drop).unwrap_err(),
    ];
    for refused in refused {
        assert_eq!(refused.kind(), Kind::Unavailable, "{refused:?}");
    }
    assert!(!write.is_finished());

    keeper.execute("COMMIT").await.unwrap();
    write.await.unwrap().unwrap();
    assert_eq!(storage.get(&key("a")).await.unwrap().unwrap(), "new");
}
