//! Whoever guesses is locked out, and whoever is locked out stays so.

use std::time::Duration;

use domain::Kind;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::common::{Outcome, Stack, data, done, envelope, refused};

/// A user bob, and a mount that locks out after so many failures.
async fn with_bob(threshold: u64) -> Stack {
    let stack = Stack::open().await;
    let lockout = json!({"lockout_threshold": threshold.to_string()});
    let config = json!({"user_lockout_config": lockout});
    done(stack.write("sys/auth/userpass", json!({"type": "userpass", "config": config})).await);
    done(stack.write("auth/userpass/users/bob", json!({"password": "right"})).await);
    stack
}

async fn log_in(stack: &Stack, name: &str, password: &str) -> Outcome {
    stack.ask("", "update", &format!("auth/userpass/login/{name}"), json!({"password": password})).await
}

fn locked(outcome: Outcome) {
    assert_eq!(refused(outcome), ("denied", "permission denied".to_owned()));
}

fn wrong(outcome: Outcome) {
    assert_eq!(refused(outcome), ("invalid", "invalid username or password".to_owned()));
}

async fn lock_bob(stack: &Stack) {
    wrong(log_in(stack, "bob", "guess").await);
    locked(log_in(stack, "bob", "guess").await);
}

async fn accessor(stack: &Stack) -> String {
    data(stack.read("sys/auth/userpass").await)["accessor"].as_str().unwrap().to_owned()
}

async fn total(stack: &Stack) -> Value {
    data(stack.read("sys/locked-users").await)["total"].clone()
}

#[tokio::test]
async fn the_fifth_wrong_password_locks_a_user_out_even_with_the_right_one() {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/userpass", json!({"type": "userpass"})).await);
    done(stack.write("auth/userpass/users/bob", json!({"password": "right"})).await);
    for _ in 0..4 {
        wrong(log_in(&stack, "bob", "guess").await);
    }
    locked(log_in(&stack, "bob", "guess").await);
    locked(log_in(&stack, "bob", "right").await);
    wrong(log_in(&stack, "alice", "guess").await);
}

#[tokio::test]
async fn a_good_login_begins_the_count_anew() {
    let stack = with_bob(2).await;
    for _ in 0..3 {
        wrong(log_in(&stack, "bob", "guess").await);
        envelope(log_in(&stack, "bob", "right").await);
    }
}

#[tokio::test]
async fn t9_a_name_written_otherwise_is_counted_with_the_others() {
    let stack = with_bob(3).await;
    wrong(log_in(&stack, "bob", "guess").await);
    wrong(log_in(&stack, "BOB", "guess").await);
    locked(log_in(&stack, "Bob", "guess").await);
    locked(log_in(&stack, "bob", "right").await);
}

#[tokio::test]
async fn r10_who_is_locked_out_stays_so_over_a_restart() {
    let mut stack = with_bob(2).await;
    lock_bob(&stack).await;
    stack.restart();
    locked(log_in(&stack, "bob", "right").await);
    assert_eq!(total(&stack).await, json!(1));
}

#[tokio::test]
async fn locked_users_are_listed_and_unlocked_for_good() {
    let mut stack = with_bob(2).await;
    assert_eq!(data(stack.read("sys/locked-users").await), json!({"by_namespace": [], "total": 0}));
    lock_bob(&stack).await;
    let accessor = accessor(&stack).await;
    let mount = json!({"mount_accessor": accessor, "counts": 1, "alias_identifiers": ["bob"]});
    let root = json!({"namespace_id": "root", "namespace_path": "", "counts": 1, "mount_accessors": [mount]});
    let all = json!({"by_namespace": [root], "total": 1});
    assert_eq!(data(stack.read("sys/locked-users").await), all);

    done(stack.write(&format!("sys/locked-users/{accessor}/unlock/bob"), Value::Null).await);
    stack.restart();
    envelope(log_in(&stack, "bob", "right").await);
    assert_eq!(stack.stored_below("core/lockout/").await, [""; 0]);
    let nobody =
        stack.ask("", "update", &format!("sys/locked-users/{accessor}/unlock/bob"), Value::Null).await;
    assert_eq!(refused(nobody).0, "denied");
}

#[tokio::test]
async fn who_has_served_their_time_logs_in_again() {
    let stack = with_bob(2).await;
    lock_bob(&stack).await;
    let lockout = json!({"lockout_duration": "1s"});
    done(stack.write("sys/auth/userpass/tune", json!({"user_lockout_config": lockout})).await);
    let freed = async {
        while log_in(&stack, "bob", "right").await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), freed).await.unwrap();
    assert_eq!(stack.stored_below("core/lockout/").await, [""; 0]);
}

#[tokio::test]
async fn lockout_is_tuned_shown_and_switched_off() {
    let stack = with_bob(2).await;
    lock_bob(&stack).await;
    let lockout = json!({"lockout_disable": true, "lockout_duration": "10m"});
    done(stack.write("sys/auth/userpass/tune", json!({"user_lockout_config": lockout})).await);
    for _ in 0..3 {
        wrong(log_in(&stack, "bob", "guess").await);
    }
    envelope(log_in(&stack, "bob", "right").await);
    assert_eq!(total(&stack).await, json!(0));

    let shown = json!({"user_lockout_threshold": 2, "user_lockout_duration": 600,
        "user_lockout_counter_reset_duration": 0, "user_lockout_disable": true});
    assert_eq!(data(stack.read("sys/auth/userpass").await)["config"]["user_lockout_config"], shown);
    let tuned = data(stack.read("sys/auth/userpass/tune").await);
    for (name, value) in shown.as_object().unwrap() {
        assert_eq!(&tuned[name], value, "{name}");
    }
    let refusal = refused(stack.write("sys/auth/token/tune", json!({"user_lockout_config": {}})).await);
    assert_eq!(refusal.1, r#"tuning of user lockout configuration for auth type "token" not allowed"#);
}

#[tokio::test]
async fn of_many_guesses_at_once_no_more_come_through_than_the_threshold() {
    let stack = with_bob(3).await;
    let guesses: Vec<String> = (0..24).map(|guess| format!("guess-{guess}")).collect();
    let outcomes = futures::future::join_all(guesses.iter().map(|guess| log_in(&stack, "bob", guess))).await;
    let told = outcomes
        .into_iter()
        .filter(|outcome| outcome.as_ref().is_err_and(|failure| failure.kind == Kind::Invalid));
    assert_eq!(told.count(), 2, "the third is told nothing any more");
    locked(log_in(&stack, "bob", "right").await);
}

#[tokio::test]
async fn a_role_is_locked_out_by_wrong_secret_ids_and_a_login_without_a_role_is_refused() {
    let stack = Stack::open().await;
    done(stack.write("sys/auth/approle", json!({"type": "approle"})).await);
    let login = async |body| refused(stack.ask("", "update", "auth/approle/login", body).await);
    for _ in 0..4 {
        let body = json!({"role_id": "r", "secret_id": "s"});
        assert_eq!(login(body).await, ("invalid", "invalid role or secret ID".to_owned()));
    }
    assert_eq!(login(json!({"role_id": "r", "secret_id": "s"})).await.0, "denied");
    let unnamed = ("invalid", "failed to determine alias name from login request".to_owned());
    assert_eq!(login(json!({"secret_id": "s"})).await, unnamed);
}
