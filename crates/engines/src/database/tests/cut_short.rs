//! Changes of passwords that are cut off at each step, by a kill or by a failure: the engine is never locked out, and
//! what it tells is what the database knows.

use serde_json::json;
use storage::Storage;
use tenon::Reason;

use super::{
    fake::{Cut, STEPS, Step, World},
    mount::{Mount, connection, eventually},
};

/// Begins a change and cuts it off; returns the mount that goes on: the same, or one after a restart.
async fn cut_off(mount: Mount, step: Step, how: Cut, path: &str) -> Mount {
    let world = mount.world.clone();
    world.cut(step, how);
    match how {
        Cut::Fails => {
            mount.write(path, json!({})).await.unwrap_err();
            mount
        }
        Cut::Dead => {
            let path = path.to_owned();
            let _dead = tokio::spawn(async move { mount.write(&path, json!({})).await });
            world.is_cut().await;
            Mount::in_world(&world).await
        }
    }
}

async fn stored_password(world: &World) -> String {
    let stored = world.stored.get(&"config/db".parse().unwrap()).await.unwrap().unwrap();
    let stored: serde_json::Value = serde_json::from_slice(&stored).unwrap();
    stored["connection_details"]["password"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_rotation_of_root_that_is_cut_off_anywhere_never_locks_the_engine_out() {
    for (step, how) in STEPS.into_iter().flat_map(|step| [(step, Cut::Dead), (step, Cut::Fails)]) {
        let mount = cut_off(Mount::with_connection().await, step, how, "rotate-root/db").await;
        mount.read("creds/dyn").await;
        assert_eq!(
            mount.world.password("root").unwrap(),
            stored_password(&mount.world).await,
            "{step:?} {how:?}"
        );
        mount.roll_back().await.unwrap();
        assert_eq!(mount.notes().await, 0, "{step:?} {how:?}");
        mount.write("rotate-root/db", json!({})).await.unwrap();
        mount.write("reset/db", json!({})).await.unwrap();
        assert_ne!(mount.world.password("root").unwrap(), "first");
    }
}

#[tokio::test]
async fn a_rotation_of_root_that_was_cut_off_is_settled_without_being_asked() {
    for step in STEPS {
        let mount = cut_off(Mount::with_connection().await, step, Cut::Dead, "rotate-root/db").await;
        mount.roll_back().await.unwrap();
        assert_eq!(mount.world.password("root").unwrap(), stored_password(&mount.world).await, "{step:?}");
        assert_eq!(mount.notes().await, 0);
        // A second time, and with nothing to do.
        mount.roll_back().await.unwrap();
        mount.write("reset/db", json!({})).await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_that_was_open_is_closed_because_it_was_rolled_back() {
    let mount =
        cut_off(Mount::with_connection().await, Step::AfterDatabase, Cut::Fails, "rotate-root/db").await;
    mount.world.closed.lock().unwrap().clear();
    mount.roll_back().await.unwrap();
    // The one that was tried with the old password.
    assert_eq!(*mount.world.closed.lock().unwrap(), [Reason::WalRolledBack]);
    mount.read("creds/dyn").await;
    assert_eq!(mount.notes().await, 0);
}

#[tokio::test]
async fn what_cannot_be_settled_yet_is_kept() {
    let mount =
        cut_off(Mount::with_connection().await, Step::AfterDatabase, Cut::Dead, "rotate-root/db").await;
    let new = mount.world.users.lock().unwrap().remove("root").unwrap();
    mount.roll_back().await.unwrap_err();
    mount.try_read("creds/dyn").await.unwrap_err();
    assert_eq!(mount.notes().await, 1);
    mount.world.users.lock().unwrap().insert("root".to_owned(), new);
    mount.roll_back().await.unwrap();
    assert_eq!(mount.notes().await, 0);
}

#[tokio::test]
async fn a_connection_that_is_gone_has_nothing_to_be_settled() {
    let mount =
        cut_off(Mount::with_connection().await, Step::AfterDatabase, Cut::Dead, "rotate-root/db").await;
    mount.delete("config/db").await;
    mount.roll_back().await.unwrap();
    assert_eq!(mount.notes().await, 0);
}

#[tokio::test]
async fn users_wait_while_root_is_rotated() {
    let mount = Mount::with_connection().await;
    let users = async {
        for _ in 0..20 {
            mount.read("creds/dyn").await;
        }
    };
    let rotations = async {
        for _ in 0..5 {
            mount.write("rotate-root/db", json!({})).await.unwrap();
        }
    };
    tokio::join!(users, rotations);
    assert_eq!(mount.world.password("root").unwrap(), stored_password(&mount.world).await);
}

async fn with_static_role() -> Mount {
    let world = World::with_user("root", "first");
    let mount = Mount::in_world(&world).await;
    mount.write("config/db", connection()).await.unwrap();
    let role = json!({ "db_name": "db", "username": "app", "rotation_period": 3600 });
    mount.write("static-roles/app", role).await.unwrap();
    mount
}

#[tokio::test(start_paused = true)]
async fn a_rotation_of_a_static_role_that_is_cut_off_anywhere_is_finished() {
    for (step, how) in STEPS.into_iter().flat_map(|step| [(step, Cut::Dead), (step, Cut::Fails)]) {
        let mount = cut_off(with_static_role().await, step, how, "rotate-role/app").await;
        let settled = async || {
            mount.roll_back().await.unwrap();
            let told = mount.read("static-creds/app").await["password"].as_str().map(str::to_owned);
            told.is_some() && told == mount.world.password("app") && mount.notes().await == 0
        };
        eventually(&format!("settled after {step:?} {how:?}"), settled).await;
    }
}
