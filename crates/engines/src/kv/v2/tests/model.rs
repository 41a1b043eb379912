//! Random requests against the engine and against the simplest thing that could be right.

use std::collections::BTreeMap;

use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use tenon::Operation;

use super::mount;
use crate::kv::testing::{Mount, data};

#[derive(Clone, Debug)]
enum Step {
    Write { key: usize, cas: Option<u64>, value: u32 },
    Patch { key: usize, value: u32 },
    DeleteNewest { key: usize },
    Delete { key: usize, version: u64 },
    Undelete { key: usize, version: u64 },
    Destroy { key: usize, version: u64 },
    Limit { key: usize, versions: u64 },
    Forget { key: usize },
}

const KEYS: [&str; 3] = ["a", "a/1", "b"];

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = 0..KEYS.len();
    let version = 0..6_u64;
    let step = prop_oneof![
        5 => (key.clone(), proptest::option::weighted(0.3, 0..4_u64), any::<u32>())
            .prop_map(|(key, cas, value)| Step::Write { key, cas, value }),
        2 => (key.clone(), any::<u32>()).prop_map(|(key, value)| Step::Patch { key, value }),
        1 => key.clone().prop_map(|key| Step::DeleteNewest { key }),
        1 => (key.clone(), version.clone()).prop_map(|(key, version)| Step::Delete { key, version }),
        1 => (key.clone(), version.clone()).prop_map(|(key, version)| Step::Undelete { key, version }),
        1 => (key.clone(), version).prop_map(|(key, version)| Step::Destroy { key, version }),
        1 => (key.clone(), 0..4_u64).prop_map(|(key, versions)| Step::Limit { key, versions }),
        1 => key.prop_map(|key| Step::Forget { key }),
    ];
    vec(step, 1..40)
}

#[derive(Default)]
struct ModelKey {
    newest: u64,
    limit: u64,
    versions: BTreeMap<u64, ModelVersion>,
}

struct ModelVersion {
    value: Value,
    deleted: bool,
    destroyed: bool,
}

impl ModelKey {
    fn add(&mut self, value: Value) {
        self.newest += 1;
        self.versions.insert(self.newest, ModelVersion { value, deleted: false, destroyed: false });
        let limit = if self.limit == 0 { 10 } else { self.limit };
        self.versions.retain(|number, _| number + limit > self.newest);
    }

    fn live(&self, number: u64) -> Option<&Value> {
        self.versions
            .get(&number)
            .filter(|version| !version.deleted && !version.destroyed)
            .map(|it| &it.value)
    }
}

/// Some secrets are too large to be kept with the record.
fn secret(value: u32) -> Value {
    let padding = if value.is_multiple_of(3) { 9_000 } else { 0 };
    json!({ "v": value, "padding": "x".repeat(padding) })
}

async fn apply(kv: &Mount, model: &mut BTreeMap<usize, ModelKey>, step: Step) {
    let choose = |version: u64| json!({ "versions": [version] }).to_string();
    match step {
        Step::Write { key, cas, value } => {
            let mut body = json!({ "data": secret(value) });
            if let Some(cas) = cas {
                body["options"] = json!({ "cas": cas });
            }
            let allowed = cas.is_none_or(|cas| cas == model.get(&key).map_or(0, |it| it.newest));
            let written = kv.write(&format!("data/{}", KEYS[key]), &body.to_string()).await;
            assert_eq!(written.is_ok(), allowed);
            if allowed {
                model.entry(key).or_default().add(secret(value));
            }
        }
        Step::Patch { key, value } => {
            kv.patch(&format!("data/{}", KEYS[key]), &json!({"data": {"p": value}}).to_string())
                .await
                .unwrap();
            if let Some(model) = model.get_mut(&key)
                && let Some(mut patched) = model.live(model.newest).cloned()
            {
                patched["p"] = value.into();
                model.add(patched);
            }
        }
        Step::DeleteNewest { key } => {
            kv.delete(&format!("data/{}", KEYS[key])).await.unwrap();
            if let Some(model) = model.get_mut(&key)
                && let Some(version) = model.versions.get_mut(&model.newest)
            {
                version.deleted = true;
            }
        }
        Step::Delete { key, version } => {
            kv.write(&format!("delete/{}", KEYS[key]), &choose(version)).await.unwrap();
            if let Some(version) = model.get_mut(&key).and_then(|model| model.versions.get_mut(&version)) {
                version.deleted = true;
            }
        }
        Step::Undelete { key, version } => {
            kv.write(&format!("undelete/{}", KEYS[key]), &choose(version)).await.unwrap();
            if let Some(version) = model.get_mut(&key).and_then(|model| model.versions.get_mut(&version)) {
                version.deleted = false;
            }
        }
        Step::Destroy { key, version } => {
            kv.write(&format!("destroy/{}", KEYS[key]), &choose(version)).await.unwrap();
            if let Some(version) = model.get_mut(&key).and_then(|model| model.versions.get_mut(&version)) {
                version.destroyed = true;
            }
        }
        Step::Limit { key, versions } => {
            let body = json!({ "max_versions": versions }).to_string();
            kv.write(&format!("metadata/{}", KEYS[key]), &body).await.unwrap();
            model.entry(key).or_default().limit = versions;
        }
        Step::Forget { key } => {
            kv.delete(&format!("metadata/{}", KEYS[key])).await.unwrap();
            model.remove(&key);
        }
    }
}

async fn compare(kv: &Mount, model: &BTreeMap<usize, ModelKey>) {
    for (at, name) in KEYS.iter().enumerate() {
        let expected = model.get(&at);
        assert_eq!(kv.exists(&format!("data/{name}")).await, expected.is_some());
        for number in 0..=expected.map_or(0, |model| model.newest) + 1 {
            let wanted = json!({ "version": number }).to_string();
            let read = kv.send(Operation::Read, &format!("data/{name}"), &wanted).await.unwrap();
            let number = if number == 0 { expected.map_or(0, |model| model.newest) } else { number };
            let known = expected.is_some_and(|model| model.versions.contains_key(&number));
            assert_eq!(read.is_some(), known, "{name} {number}");
            let value = read.map(|response| data(&response)["data"].take()).filter(|value| !value.is_null());
            assert_eq!(value.as_ref(), expected.and_then(|model| model.live(number)), "{name} {number}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_engine_does_what_the_model_does(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let kv = mount().await;
            let mut model = BTreeMap::new();
            for step in steps {
                apply(&kv, &mut model, step).await;
                compare(&kv, &model).await;
            }
        });
    }
}
