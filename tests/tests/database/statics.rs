use std::time::Duration;

use serde_json::{Value, json};
use testkit::eventually;

use super::{By, PATIENCE, User, World};

/// Somebody who is in the database already.
async fn world_with_app(by: By, rotation: Value) -> World {
    let world = World::new(by).await;
    world.database.ask("CREATE ROLE app LOGIN PASSWORD 'as it was'").unwrap();
    let mut role = json!({ "db_name": "pg", "username": "app" });
    role.as_object_mut().unwrap().extend(rotation.as_object().unwrap().clone());
    world.api().post("database/static-roles/app", role).await.ok();
    world
}

async fn app(world: &World) -> User {
    User::of(&world.api().get("database/static-creds/app").await.ok())
}

/// Waits until the password is another one.
async fn changed(world: &World, before: &User, limit: Duration) -> User {
    eventually(limit, "the password is changed", async || app(world).await != *before).await;
    let after = app(world).await;
    assert!(world.lets_in(&after) && !world.lets_in(before));
    after
}

async fn a_static_user_is_changed_by_period(by: By) {
    let mut world = world_with_app(by, json!({ "rotation_period": 5 })).await;
    let first = app(&world).await;
    assert!(!world.database.lets_in("app", "as it was"));
    let second = changed(&world, &first, PATIENCE).await;
    // The plan is in memory, and is made anew from what is stored, without anybody asking for anything.
    world.server.kill9().await;
    world.server.start_again().await;
    let let_in = async || world.lets_in(&second);
    eventually(PATIENCE, "it is changed though nobody asks", async || !let_in().await).await;
    let third = changed(&world, &second, PATIENCE).await;
    world.api().put("database/rotate-role/app", json!({})).await.ok();
    assert!(!world.lets_in(&third));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_user_of_the_built_in_plugin_is_changed_by_period() {
    a_static_user_is_changed_by_period(By::BuiltIn).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_user_of_the_go_plugin_is_changed_by_period() {
    a_static_user_is_changed_by_period(By::Go).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_static_user_is_changed_when_the_clock_says_so() {
    let world = world_with_app(By::BuiltIn, json!({ "rotation_schedule": "* * * * *" })).await;
    let first = app(&world).await;
    changed(&world, &first, Duration::from_secs(90)).await;
}
