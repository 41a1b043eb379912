//! Policies by which passwords are made up.

use serde_json::{Value, json};

use crate::common::{Outcome, Stack, data, done, refused};

const POLICY: &str = "length = 12\nrule \"charset\" { charset = \"abc\" min-chars = 3 }\nrule \"charset\" { charset = \"019\" min-chars = 3 }";

async fn write(stack: &Stack, name: &str, policy: &str) -> Outcome {
    stack.write(&format!("sys/policies/password/{name}"), json!({ "policy": policy })).await
}

fn listed(kind: &'static str, text: &str) -> (&'static str, String) {
    (kind, format!("1 error occurred:\n\t* {text}\n\n"))
}

#[tokio::test]
async fn a_policy_is_written_read_listed_removed_and_kept_over_a_restart() {
    let mut stack = Stack::open().await;
    assert_eq!(refused(stack.list("sys/policies/password/").await), ("not-found", String::new()));
    done(write(&stack, "team/strong", POLICY).await);
    // The text of another one, in base64.
    done(write(&stack, "plain", "bGVuZ3RoID0gNApydWxlICJjaGFyc2V0IiB7IGNoYXJzZXQgPSAiYSIgfQ==").await);
    stack.restart();
    assert_eq!(data(stack.list("sys/policies/password/").await), json!({"keys": ["plain", "team/strong"]}));
    assert_eq!(data(stack.read("sys/policies/password/team/strong").await), json!({ "policy": POLICY }));
    assert_eq!(
        data(stack.read("sys/policies/password/plain").await)["policy"],
        json!("length = 4\nrule \"charset\" { charset = \"a\" }")
    );
    done(stack.delete("sys/policies/password/plain").await);
    done(stack.delete("sys/policies/password/plain").await);
    let unknown = listed("not-found", "policy does not exist");
    assert_eq!(refused(stack.read("sys/policies/password/plain").await), unknown);
    assert_eq!(refused(stack.read("sys/policies/password/plain/generate").await), unknown);
}

#[tokio::test]
async fn passwords_are_made_up_as_the_policy_says() {
    let stack = Stack::open().await;
    done(write(&stack, "strong", POLICY).await);
    let mut made = Vec::new();
    for _ in 0..20 {
        let password = data(stack.read("sys/policies/password/strong/generate").await)["password"].clone();
        let password = password.as_str().unwrap().to_owned();
        assert_eq!(password.len(), 12);
        assert!(password.chars().filter(|each| "abc".contains(*each)).count() >= 3, "{password}");
        assert!(password.chars().filter(|each| "019".contains(*each)).count() >= 3, "{password}");
        made.push(password);
    }
    made.sort();
    made.dedup();
    assert!(made.len() > 15, "{made:?}");
}

#[tokio::test]
async fn policies_by_which_no_password_can_be_made_are_refused() {
    let stack = Stack::open().await;
    let refusal = async |policy: &str| refused(write(&stack, "p", policy).await);
    let charset = "rule \"charset\" { charset = \"a\" }";
    assert_eq!(refusal("").await, listed("invalid", "missing policy"));
    let lengths = listed("invalid", "passwords must be between 4 and 100 characters");
    assert_eq!(refusal(&format!("length = 3\n{charset}")).await, lengths);
    assert_eq!(refusal(&format!("length = 101\n{charset}")).await, lengths);
    let (kind, text) = refusal(charset).await;
    assert_eq!(kind, "invalid");
    assert!(text.contains("invalid password policy: 1 error occurred:\n\t* length must be > 0"), "{text}");
    let others: String = ('\u{100}'..'\u{1c7}').collect();
    let rules = "length = 4\nrule \"charset\" { charset = \"a\" min-chars = 4 }";
    let impossible = format!("{rules}\nrule \"charset\" {{ charset = \"{others}\" }}");
    let text = "unable to construct test password from provided policy: are the rules impossible?";
    assert_eq!(refusal(&impossible).await, listed("invalid", text));
    let body = json!({"policy": POLICY, "entropy_source": "seal"});
    assert_eq!(refused(stack.write("sys/policies/password/p", body).await).0, "invalid");
    assert_eq!(refused(stack.read("sys/policies/password/p").await).0, "not-found");
    assert_eq!(refused(stack.ask("", "read", "sys/policies/password/p", Value::Null).await).0, "denied");
}
