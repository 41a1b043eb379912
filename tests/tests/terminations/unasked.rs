//! The plugin ends unasked, or may not begin again.

use std::fs;

use serde_json::json;
use testkit::eventually;

use super::watched::{DRAIN, Watched};

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_is_told_with_what_the_plugin_said_and_costs_no_lease() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    let refusal = it.server.api().get("m/crash?how=panic").await.refused(500);
    assert!(refusal.contains("exited with code 2 while it handled the request, again"), "{refusal}");
    it.has_ended("crashed").await;
    assert_eq!(it.asked(), [""; 0]);
    it.serves_anew().await;
    assert!(it.renews(&lease).await);
    let crashes =
        it.server.transitions().into_iter().filter(|each| each.is_exit() && each.reason == "crashed");
    assert_eq!(crashes.count(), 2, "a read is tried twice");
    let told = it.server.log();
    assert!(told.contains("its last words were") && told.contains("panic: crashing as asked"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_killed_from_outside_is_told_apart_from_who_crashes() {
    let it = Watched::polite().await;
    let lease = it.lease().await;
    it.plugin.kill();
    it.serves_anew().await;
    it.has_ended("killed").await;
    assert!(it.renews(&lease).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_was_changed_does_not_begin_again() {
    let it = Watched::polite().await;
    let program = it.server.plugin_directory().join("fixture");
    let good = fs::read(&program).unwrap();
    fs::remove_file(&program).unwrap();
    fs::write(&program, [good.as_slice(), b"evil"].concat()).unwrap();
    fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    it.server.api().get("m/pid").await.ok();
    let reload = it.server.api().put("sys/plugins/reload/backend", json!({"mounts": ["m/"]})).await;
    assert!(reload.refused(500).contains("has SHA256"), "what runs is not replaced by what must not run");
    it.server.api().get("m/pid").await.ok();
    assert!(it.plugin.is_alive());

    it.plugin.kill();
    it.has_ended("killed").await;
    let refusal = it.server.api().get("m/pid").await.refused(503);
    assert!(refusal.contains("fixture has SHA256"), "{refusal}");
    let mismatches = || {
        let all = it.server.transitions().into_iter();
        all.filter(|each| each.reason == "checksum-mismatch").collect::<Vec<_>>()
    };
    assert!(!mismatches().is_empty() && mismatches().iter().all(|each| each.pid.is_none()));
    assert_eq!(it.server.plugins(), []);

    fs::write(&program, good).unwrap();
    eventually(DRAIN, "the mount serves again", async || it.server.api().get("m/pid").await.is_ok()).await;
    it.serves_anew().await;
}
