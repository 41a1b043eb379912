//! Every backend behaves as the map in memory does, whatever is asked of it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::{cell::Cell, sync::Arc};

use domain::Secret;
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use storage::{
    Barrier, Cached, InMemory, Key, PostgreSql, PostgreSqlConfig, Prefix, Sqlite, Storage, View, Write,
    barrier::SealConfig,
};
use tokio::runtime::Runtime;

#[derive(Clone, Debug)]
enum Step {
    Commit(Vec<Write>),
    Get(Key),
    Page(Prefix, String, usize),
}

fn path() -> impl Strategy<Value = String> {
    vec(prop_oneof!["a", "b", "-", "/", "/", "é", "0"], 1..6).prop_map(|parts| parts.concat())
}

fn key() -> impl Strategy<Value = Key> {
    path().prop_map(|path| path.parse().unwrap())
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        3 => (key(), "[a-z]{0,4}").prop_map(|(key, value)| Write::Put(key, value.into())),
        1 => key().prop_map(Write::Delete),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let prefix = prop_oneof![Just(String::new()), path()].prop_map(|path| path.parse::<Prefix>().unwrap());
    let after = prop_oneof![Just(String::new()), path()];
    prop_oneof![
        2 => vec(write(), 1..6).prop_map(Step::Commit),
        1 => key().prop_map(Step::Get),
        2 => (prefix, after, prop_oneof![0usize..4, Just(usize::MAX)])
            .prop_map(|(prefix, after, limit)| Step::Page(prefix, after, limit)),
    ]
}

/// SQLite with everything above it, and below a mount, where names are hidden.
async fn whole(directory: &std::path::Path) -> Arc<dyn Storage> {
    let sqlite = Sqlite::open(&directory.join("whole.db")).await.unwrap();
    let barrier = Barrier::new(Arc::new(Cached::new(Arc::new(sqlite), 1 << 20)));
    let shares = barrier.init(SealConfig::new(1, 1).unwrap(), Vec::new()).await.unwrap();
    barrier.unseal(&shares).await.unwrap();
    Arc::new(View::new(Arc::new(barrier), "logical/1/".parse().unwrap()))
}

/// A table of its own.
async fn postgresql(database: &testkit::PostgreSql, table: u32) -> PostgreSql {
    let config = PostgreSqlConfig {
        connection_url: Secret::new(database.admin_url()),
        password_file: None,
        table: format!("case {table}"),
        max_parallel: 2,
        max_idle_connections: 1,
        max_connect_retries: 0,
        skip_create_table: false,
    };
    PostgreSql::open(&config).await.unwrap()
}

async fn compare(steps: Vec<Step>, elsewhere: PostgreSql) {
    let directory = tempfile::tempdir().unwrap();
    let model = InMemory::new();
    let sqlite = Sqlite::open(&directory.path().join("bare.db")).await.unwrap();
    let backends: [Arc<dyn Storage>; 3] =
        [Arc::new(sqlite), Arc::new(elsewhere), whole(directory.path()).await];
    for step in steps {
        match step {
            Step::Commit(writes) => {
                model.commit(writes.clone()).await.unwrap();
                for backend in &backends {
                    backend.commit(writes.clone()).await.unwrap();
                }
            }
            Step::Get(key) => {
                let expected = model.get(&key).await.unwrap();
                for backend in &backends {
                    assert_eq!(backend.get(&key).await.unwrap(), expected, "{key}");
                }
            }
            Step::Page(prefix, after, limit) => {
                let expected = model.page(&prefix, &after, limit).await.unwrap();
                for backend in &backends {
                    let page = backend.page(&prefix, &after, limit).await.unwrap();
                    assert_eq!(page, expected, "{prefix:?} after {after:?}, {limit}");
                }
            }
        }
    }
}

#[test]
fn backends_answer_as_the_model_does() {
    let runtime = Runtime::new().unwrap();
    let database = runtime.block_on(testkit::PostgreSql::start());
    let case = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(24));
    let compared = runner.run(&vec(step(), 1..80), |steps| {
        case.set(case.get() + 1);
        runtime.block_on(async { compare(steps, postgresql(&database, case.get()).await).await });
        Ok(())
    });
    compared.unwrap();
}
