use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::time::sleep;

use super::{
    fake::{Cut, Step, World},
    mount::{Mount, connection, eventually},
};

async fn with_static_role(body: Value) -> Mount {
    let world = World::with_user("root", "first");
    world.users.lock().unwrap().insert("app".to_owned(), "as it was".to_owned());
    let mount = Mount::in_world(&world).await;
    mount.write("config/db", connection()).await.unwrap();
    let mut role = json!({ "db_name": "db", "username": "app" });
    role.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    mount.write("static-roles/app", role).await.unwrap();
    mount
}

async fn told(mount: &Mount) -> String {
    mount.read("static-creds/app").await["password"].as_str().unwrap_or_default().to_owned()
}

/// Whether what is told is what the database knows.
async fn agrees(mount: &Mount) -> bool {
    mount.world.password("app") == Some(told(mount).await)
}

#[tokio::test(start_paused = true)]
async fn a_user_is_taken_over_and_then_changed_after_each_period() {
    let mount = with_static_role(json!({ "rotation_period": 60 })).await;
    let first = told(&mount).await;
    assert!(first != "as it was" && agrees(&mount).await);
    let creds = mount.read("static-creds/app").await;
    assert_eq!((&creds["rotation_period"], &creds["username"]), (&json!(60), &json!("app")));
    sleep(Duration::from_secs(58)).await;
    assert_eq!(told(&mount).await, first);
    assert!(mount.read("static-creds/app").await["ttl"].as_u64().unwrap() <= 2);
    sleep(Duration::from_secs(4)).await;
    assert!(told(&mount).await != first && agrees(&mount).await);
    assert_eq!(mount.notes().await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_user_is_changed_when_the_clock_says_so() {
    let mount = with_static_role(json!({ "rotation_schedule": "* * * * *" })).await;
    let role = mount.read("static-roles/app").await;
    assert_eq!(role["rotation_schedule"], "* * * * *");
    assert_eq!(role.get("rotation_period"), None);
    let first = told(&mount).await;
    sleep(Duration::from_secs(61)).await;
    assert!(told(&mount).await != first && agrees(&mount).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_due_is_done_after_a_restart_too() {
    let mount = with_static_role(json!({ "rotation_period": 60 })).await;
    let first = told(&mount).await;
    let again = Mount::in_world(&mount.world).await;
    drop(mount);
    sleep(Duration::from_secs(62)).await;
    assert!(told(&again).await != first && agrees(&again).await);
}

#[tokio::test(start_paused = true)]
async fn a_mount_that_ends_changes_nothing_any_more() {
    let mount = with_static_role(json!({ "rotation_period": 5 })).await;
    mount.backend.cleanup().await;
    let first = told(&mount).await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(told(&mount).await, first);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_with_growing_pauses() {
    let mount = with_static_role(json!({ "rotation_period": 3600 })).await;
    let first = told(&mount).await;
    mount.world.cut(Step::BeforeDatabase, Cut::Fails);
    let error = mount.write("rotate-role/app", json!({})).await.unwrap_err().to_string();
    assert!(error.starts_with("unable to finish rotating credentials"), "{error}");
    // The second try is made with what was written down, and fails too: the third has another password.
    mount.world.cut(Step::BeforeDatabase, Cut::Fails);
    sleep(Duration::from_secs(11)).await;
    assert_eq!((told(&mount).await, mount.notes().await), (first.clone(), 0));
    sleep(Duration::from_secs(21)).await;
    assert!(told(&mount).await != first && agrees(&mount).await);
}

#[tokio::test]
async fn a_user_may_keep_its_password_until_it_is_due() {
    let mount = with_static_role(json!({ "rotation_period": 3600, "skip_import_rotation": true })).await;
    assert_eq!(mount.world.password("app").as_deref(), Some("as it was"));
    let creds = mount.read("static-creds/app").await;
    assert_eq!((creds.get("password"), &creds["last_vault_rotation"]), (None, &Value::Null));
    mount.write("rotate-role/app", json!({})).await.unwrap();
    assert!(agrees(&mount).await);
}

#[tokio::test]
async fn a_role_that_could_not_take_its_user_over_does_not_come_to_be() {
    let mount = with_static_role(json!({ "rotation_period": 3600 })).await;
    mount.world.cut(Step::BeforeDatabase, Cut::Fails);
    let role = json!({ "db_name": "db", "username": "other", "rotation_period": 60 });
    mount.write("static-roles/other", role).await.unwrap_err();
    assert_eq!(mount.try_read("static-roles/other").await, Ok(None));
    assert_eq!(mount.notes().await, 0);
    mount.delete("static-roles/app").await;
    assert!(mount.try_read("static-creds/app").await.is_err());
}

#[tokio::test]
async fn keys_are_changed_like_passwords() {
    let mount =
        with_static_role(json!({ "rotation_period": 60, "credential_type": "rsa_private_key" })).await;
    let creds = mount.read("static-creds/app").await;
    assert!(creds["rsa_private_key"].as_str().unwrap().contains("PRIVATE KEY"));
    assert!(mount.world.password("app").unwrap().contains("PUBLIC KEY"));
}

#[tokio::test]
async fn many_roles_have_one_task() {
    let mount = Arc::new(with_static_role(json!({ "rotation_period": 3600 })).await);
    for name in 0..50 {
        let role = json!({ "db_name": "db", "username": format!("user-{name}"), "rotation_period": 5 });
        mount.write(&format!("static-roles/many-{name}"), role).await.unwrap();
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert!(tasks <= 2, "{tasks} tasks");
    eventually("all are listed", async || mount.list("static-roles/").await.as_array().unwrap().len() == 51)
        .await;
}
