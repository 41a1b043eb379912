//! Many clients at once make, use and end tokens, leases, mounts and policies. Afterwards every table holds what was
//! acknowledged and nothing else, in the server's memory, in its storage, and after a restart; and when all of it is
//! given back, nothing is left.

mod check;
mod dice;
mod member;
mod mounting;
mod promised;

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{Options, Server, go_plugin, soak};
use tokio::task::JoinSet;

pub use self::dice::Dice;
use self::{
    check::{changes, keys, settles, storage_differs, tables_hold_it},
    member::Member,
    promised::Promised,
};

const MEMBERS: usize = 64;

/// What the tokens of the crowd may do.
const POLICY: &str = r#"
path "auth/token/create" { capabilities = ["update"] }
path "db/creds/*" { capabilities = ["read"] }
"#;

/// Lets everybody do one thing after the other for a time, and returns what they were promised.
async fn live(server: &Server, time: Duration) -> Vec<Promised> {
    let until = Instant::now() + time;
    let mut crowd = JoinSet::new();
    for number in 0..MEMBERS {
        let mut member = Member::new(server.api(), number);
        crowd.spawn(async move {
            while Instant::now() < until {
                member.step().await;
            }
            member.promised
        });
    }
    crowd.join_all().await
}

/// Everybody gives back what they still have.
async fn give_back(server: &Server, promised: Vec<Promised>) {
    let mut crowd = JoinSet::new();
    for (number, promised) in promised.into_iter().enumerate() {
        let mut member = Member { promised, ..Member::new(server.api(), number) };
        crowd.spawn(async move { member.give_all_back().await });
    }
    crowd.join_all().await;
    // Who logged in is somebody, even when the method is gone.
    let api = server.api();
    let somebody = api.list("identity/entity/id").await;
    for id in somebody.body["data"]["keys"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        api.delete(&format!("identity/entity/id/{id}")).await.ok();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_leaves_every_table_as_it_was_promised() {
    let options = Options { log_level: "info", ..Options::default() };
    let mut server = Server::start_with(options).await;
    server.register("my-kv", &go_plugin("kv")).await;
    server.register("db", &go_plugin("fixture")).await;
    let api = server.api();
    api.put("sys/policies/acl/crowd", json!({ "policy": POLICY })).await.ok();
    let before = keys(&mut server).await;
    server.enable("db", "db").await;

    let promised = live(&server, Duration::from_secs(soak(8, 300) as u64)).await;
    let steps: usize = promised.iter().map(|promised| promised.steps).sum();
    let tokens: usize = promised.iter().map(|promised| promised.ended.len()).sum();
    println!("{steps} steps, {tokens} tokens made and ended, {} alive", promised::living(&promised));

    tables_hold_it(&server, &promised).await;
    settles(&mut server, async |api, stored| storage_differs(api, stored, &promised).await).await;
    tables_hold_it(&server, &promised).await;

    give_back(&server, promised).await;
    server.disable("db").await;
    settles(&mut server, async |_, stored| changes(&before, stored)).await;
}
