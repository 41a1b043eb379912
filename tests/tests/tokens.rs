//! Tokens: what is acknowledged of them outlives a kill, a life and a death alike.

use std::{
    hash::{BuildHasher, RandomState},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};
use testkit::{Answer, Api, Server, python, repository, soak};
use tokio::{task::JoinSet, time::sleep};

const CLIENTS: usize = 4;

/// Longer than any token is made for.
const RENEWED: i64 = 10_800;

/// A token, its child and its grandchild.
#[derive(Clone, Debug)]
struct Family(Vec<String>);

/// What is known of the families that a client made.
#[derive(Debug, Default)]
struct Known {
    alive: Vec<Family>,
    /// These were renewed as well.
    renewed: Vec<Family>,
    dead: Vec<Family>,
    /// The server was killed before it said what had become of it.
    unsure: Vec<Family>,
    /// Tokens with one use left.
    once: Vec<String>,
}

impl Known {
    fn add(&mut self, other: Self) {
        self.alive.extend(other.alive);
        self.renewed.extend(other.renewed);
        self.dead.extend(other.dead);
        self.unsure.extend(other.unsure);
        self.once.extend(other.once);
    }

    fn tokens(&self) -> usize {
        3 * (self.alive.len() + self.renewed.len() + self.dead.len()) + self.once.len()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hvac_makes_looks_up_renews_and_revokes_tokens() {
    let server = Server::start().await;
    let mut command = Command::new(python());
    command.arg(repository().join("tests/clients/hvac_token.py"));
    let told = command.args([server.api().address(), server.api().token()]).output().unwrap();
    assert!(told.status.success(), "hvac:\n{}", String::from_utf8_lossy(&told.stderr));
}

/// The answer of a server that may be killed meanwhile; none: it was.
async fn ask(api: &Api, path: &str, body: Value) -> Option<Value> {
    api.try_send("POST", path, Some(body)).await.ok().map(Answer::ok)
}

async fn make(api: &Api, wish: Value) -> Option<String> {
    let made = ask(api, "auth/token/create", wish).await?;
    Some(made["auth"]["client_token"].as_str().unwrap().to_owned())
}

async fn family(api: &Api) -> Option<Family> {
    let mut tokens: Vec<String> = Vec::new();
    for _ in 0..3 {
        let parent = tokens.last().map_or_else(|| api.clone(), |token| api.with_token(token));
        tokens.push(make(&parent, json!({"policies": ["maker"], "ttl": "1h"})).await?);
    }
    Some(Family(tokens))
}

/// Makes, renews and revokes until the server is gone.
async fn work(api: Api) -> Known {
    let mut known = Known::default();
    while live(&api, &mut known).await.is_some() {}
    known
}

async fn live(api: &Api, known: &mut Known) -> Option<()> {
    let dies = family(api).await?;
    known.unsure.push(dies.clone());
    ask(api, "auth/token/revoke", json!({"token": dies.0[0]})).await?;
    known.dead.extend(known.unsure.pop());

    let lives = family(api).await?;
    known.alive.push(lives.clone());
    ask(api, "auth/token/renew", json!({"token": lives.0[0], "increment": RENEWED})).await?;
    known.renewed.extend(known.alive.pop());

    let twice = make(api, json!({"policies": ["maker"], "num_uses": 2})).await?;
    let used = api.with_token(&twice).try_send("GET", "auth/token/lookup-self", None).await;
    used.ok().map(Answer::ok)?;
    known.once.push(twice);
    known.alive.extend(family(api).await);
    Some(())
}

async fn look(api: &Api, token: &str) -> Answer {
    api.with_token(token).get("auth/token/lookup-self").await
}

/// Everything that was acknowledged holds.
async fn check(api: &Api, known: &mut Known) {
    for family in known.alive.iter().chain(&known.renewed) {
        for token in &family.0 {
            look(api, token).await.ok();
        }
    }
    for family in &known.renewed {
        let left = look(api, &family.0[0]).await.data()["ttl"].as_i64().unwrap();
        assert!(left > RENEWED - 3_600, "it was renewed for {RENEWED} seconds, and has {left}");
    }
    for token in known.dead.iter().flat_map(|family| &family.0) {
        look(api, token).await.refused(403);
    }
    for token in std::mem::take(&mut known.once) {
        look(api, &token).await.ok();
        look(api, &token).await.refused(403);
    }
    for family in std::mem::take(&mut known.unsure) {
        let mut answers = JoinSet::new();
        for token in family.0.clone() {
            let api = api.clone();
            answers.spawn(async move { look(&api, &token).await.is_ok() });
        }
        let alive = answers.join_all().await;
        assert!(alive.iter().all(|each| *each == alive[0]), "one lives and another is dead: {family:?}");
        if alive[0] { &mut known.alive } else { &mut known.dead }.push(family);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_of_tokens_holds_though_the_server_is_killed() {
    let mut server = Server::start().await;
    let policy = r#"path "auth/token/create" { capabilities = ["update"] }"#;
    server.api().put("sys/policies/acl/maker", json!({ "policy": policy })).await.ok();
    let mut known = Known::default();
    let mut lives = 0;
    while lives < 3 || known.dead.len() < soak(10, 300) {
        lives += 1;
        assert!(lives < 500, "only {} families were revoked", known.dead.len());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            clients.spawn(work(server.api()));
        }
        sleep(Duration::from_micros(50_000 + RandomState::new().hash_one(lives) % 450_000)).await;
        server.kill9().await;
        for one in clients.join_all().await {
            known.add(one);
        }
        server.start_again().await;
        check(&server.api(), &mut known).await;
    }
    println!("{} tokens in {lives} lives, {} families revoked", known.tokens(), known.dead.len());
}
