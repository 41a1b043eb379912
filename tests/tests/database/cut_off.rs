//! A rotation of root that is cut off at each step, by a kill of the server and of the plugin, never locks the engine out.

use serde_json::json;
use testkit::{PostgreSql, Server, eventually};

use super::{
    By, PATIENCE, World,
    gate::{Gate, Held},
};

const STEPS: [Held; 3] = [Held::BeforeChange, Held::AfterChange, Held::AfterCommit];

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Killed {
    Server,
    Plugin,
}

async fn nobody_is_locked_out(by: By, killed: Killed) {
    let database = PostgreSql::start().await;
    let gate = Gate::to(database.port).await;
    let mut world = World::through(by, gate.port, Server::start().await, database).await;
    for step in STEPS {
        gate.hold(step);
        let api = world.api();
        let rotation =
            tokio::spawn(
                async move { api.try_send("POST", "database/rotate-root/pg", Some(json!({}))).await },
            );
        gate.is_shut().await;
        match killed {
            Killed::Server => world.server.kill9().await,
            Killed::Plugin => world.server.only_plugin().kill(),
        }
        gate.hold(Held::Nothing);
        let answered = rotation.await.unwrap();
        assert!(!answered.is_ok_and(|answer| answer.is_ok()), "{step:?}");
        if killed == Killed::Server {
            world.server.start_again().await;
        }
        let serves = async || world.api().get("database/creds/dyn").await.is_ok();
        eventually(PATIENCE, &format!("{killed:?} was killed at {step:?}: users are made"), serves).await;
        world.user().await;
        world.api().post("database/reset/pg", json!({})).await.ok();
        world.api().post("database/rotate-root/pg", json!({})).await.ok();
        world.user().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_the_built_in_plugin_rotates_root_is_not_locked_out() {
    nobody_is_locked_out(By::BuiltIn, Killed::Server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_killed_while_the_go_plugin_rotates_root_is_not_locked_out() {
    nobody_is_locked_out(By::Go, Killed::Server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_whose_go_plugin_is_killed_while_it_rotates_root_is_not_locked_out() {
    nobody_is_locked_out(By::Go, Killed::Plugin).await;
}
