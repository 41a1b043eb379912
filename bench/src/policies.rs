use std::{
    fmt::Write,
    hint::black_box,
    time::{Duration, Instant},
};

use domain::{
    Operation,
    policy::{Acl, Nobody, Policy, Question},
};
use serde_json::json;
use testkit::Api;
use tokio::task::JoinSet;

/// How many policies somebody has.
const COUNT: usize = 1_000;

/// How many are written at the same time.
const AT_ONCE: usize = 50;

/// A policy as teams write them. One of them is about what is read; it has to be found among the others, which begin alike.
fn text(number: usize) -> String {
    let own = if number == COUNT / 2 { "path \"+/k*\" { capabilities = [\"read\"] }" } else { "" };
    format!(
        "path \"b1/team-{number}/*\" {{ capabilities = [\"create\", \"read\", \"update\", \"list\"] }}\n\
         path \"b2/data/+/team-{number}\" {{ capabilities = [\"read\"] }}\n\
         path \"b2/metadata/team-{number}\" {{ capabilities = [\"list\"] }}\n{own}"
    )
}

/// Writes all of them, and returns the token of somebody who has them.
pub async fn holder(api: &Api) -> String {
    let names: Vec<String> = (0..COUNT).map(|number| format!("team-{number}")).collect();
    for numbers in (0..COUNT).collect::<Vec<_>>().chunks(AT_ONCE) {
        let mut writes = JoinSet::new();
        for number in numbers.iter().copied() {
            let (api, policy) = (api.clone(), json!({ "policy": text(number) }));
            writes
                .spawn(async move { api.put(&format!("sys/policies/acl/team-{number}"), policy).await.ok() });
        }
        writes.join_all().await;
    }
    let made = api.post("auth/token/create", json!({ "policies": names })).await.ok();
    made["auth"]["client_token"].as_str().unwrap_or_default().to_owned()
}

/// What it costs to put the policies together, and to decide by them.
pub fn measure(time: Duration) -> anyhow::Result<String> {
    let policies: Vec<Policy> = (0..COUNT).map(|number| text(number).parse()).collect::<Result<_, _>>()?;
    let compile = microseconds(time, || drop(black_box(Acl::compile(&policies, &Nobody))));
    let acl = Acl::compile(&policies, &Nobody);
    let mut table = format!("| {COUNT} policies of three rules | µs |\n|---|--:|\n");
    writeln!(table, "| compiled for a token | {compile:.0} |")?;
    for (what, path) in [
        ("a decision by an exact rule", "b2/metadata/team-500"),
        ("by a prefix", "b1/team-999/app/db"),
        ("by a pattern, after all that begin alike", "b1/k1"),
        ("none matches", "b2/data/x/team-5000"),
    ] {
        let operation = if what.ends_with("exact rule") { Operation::List } else { Operation::Read };
        let question = Question { path, operation, needs_sudo: false, wrap_ttl: None, body: b"" };
        anyhow::ensure!(acl.allows(&question) == (what != "none matches"), "{path}");
        let decide = microseconds(time, || _ = black_box(acl.allows(black_box(&question))));
        writeln!(table, "| {what} | {decide:.3} |")?;
    }
    Ok(table)
}

fn microseconds(time: Duration, work: impl Fn()) -> f64 {
    let (begun, mut times) = (Instant::now(), 0_u32);
    while begun.elapsed() < time / 4 {
        for _ in 0..16 {
            work();
        }
        times += 16;
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
