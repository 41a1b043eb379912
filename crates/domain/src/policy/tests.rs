use super::*;
use crate::Operation;

fn policy(text: &str) -> Policy {
    text.parse().unwrap()
}

fn acl(text: &str) -> Acl {
    Acl::compile([&policy(text)], &Nobody)
}

fn may(acl: &Acl, operation: Operation, path: &str) -> bool {
    acl.allows(&Question { path, operation, needs_sudo: false, wrap_ttl: None, body: b"" })
}

fn refusal(text: &str) -> String {
    text.parse::<Policy>().unwrap_err().to_string()
}

/// The first set of rules and answers that were recorded from the reference server.
#[test]
fn precedence_is_as_recorded() {
    let one = policy(
        r#"
path "k/*" { capabilities=["read"] }
path "k/a*" { capabilities=["list"] }
path "k/+/x" { capabilities=["update"] }
path "k/a/+" { capabilities=["delete"] }
path "k/a/b" { capabilities=["create"] }
path "k/s/+/+/z" { capabilities=["read"] }
path "k/s/m/+/z" { capabilities=["update"] }
path "k/s/m/+/*" { capabilities=["delete"] }
path "k/deny/*" { capabilities=["deny"] }
path "k/deny/but/exact" { capabilities=["read"] }
path "k/merge" { capabilities=["read"] }
path "k/mergedeny" { capabilities=["read"] }
path "+/seg" { capabilities=["read"] }
path "k/dir/" { capabilities=["list"] }
path "k/dir2" { capabilities=["list"] }
path "/k/leading" { capabilities=["read"] }
path "k/mixdeny" { capabilities=["read","deny"] }
path "k/none" { capabilities=[] }
"#,
    );
    let two = policy(
        r#"path "k/merge" { capabilities=["update"] }
path "k/mergedeny" { capabilities=["deny"] }"#,
    );
    let acl = Acl::compile([&one, &two], &Nobody);
    for (path, expected) in [
        ("foo/seg", &["read"][..]),
        ("k", &["deny"]),
        ("k/a/b", &["create"]),
        ("k/a/c", &["delete"]),
        ("k/a/x", &["delete"]),
        ("k/abc", &["list"]),
        ("k/deny/but/exact", &["read"]),
        ("k/deny/foo", &["deny"]),
        ("k/dir", &["read"]),
        ("k/dir/", &["list"]),
        ("k/dir2", &["list"]),
        ("k/dir2/", &["list"]),
        ("k/leading", &["read"]),
        ("k/merge", &["read", "update"]),
        ("k/mergedeny", &["deny"]),
        ("k/mixdeny", &["deny"]),
        ("k/none", &["deny"]),
        ("k/q", &["read"]),
        ("k/s/m/n/y", &["delete"]),
        ("k/s/m/n/z", &["update"]),
        ("k/s/q/n/z", &["read"]),
        ("k/zz/x", &["update"]),
        ("other", &["deny"]),
    ] {
        assert_eq!(acl.words(path), expected, "{path}");
    }
}

#[test]
fn several_arguments_may_share_a_line() {
    let acl = acl(
        r#"path "kv1/params" { capabilities=["create","update"] required_parameters=["r"] allowed_parameters={"r"=[] "a"=["1","x*"]} denied_parameters={"d"=[]} }"#,
    );
    let write = |body: &str| {
        acl.allows(&Question {
            path: "kv1/params",
            operation: Operation::Update,
            needs_sudo: false,
            wrap_ttl: None,
            body: body.as_bytes(),
        })
    };
    assert!(write(r#"{"a":"xyz","r":"q"}"#));
    assert!(!write(r#"{"a":"1"}"#));
    assert!(!write(r#"{"d":"1","r":"q"}"#));
    assert!(!write(""));
}

#[test]
fn what_is_wrong_with_a_policy_is_said_in_the_words_that_clients_know() {
    for (text, expected) in [
        (r#"path "a" {"#, "At 1:12: object expected closing RBRACE got: EOF"),
        (r#"path "a" { capabilities = ["fly"] }"#, r#"path "a": invalid capability "fly""#),
        (
            r#"path "a/+*" { capabilities = ["read"] }"#,
            r#"path "a/+*": invalid use of wildcards ('+*' is forbidden)"#,
        ),
        (r#"path "a" { policy = "zap" }"#, r#"path "a": invalid policy "zap""#),
        (
            r#"path "a" { capabilities = ["read"] bogus = 1 }"#,
            "1 error occurred:\n\t* path \"a\": invalid key \"bogus\" on line 1\n\n",
        ),
        (r#"bogus "x" { }"#, "1 error occurred:\n\t* invalid key \"bogus\" on line 0\n\n"),
        (
            r#"path "a" { min_wrapping_ttl="60s" max_wrapping_ttl="10s" }"#,
            "max_wrapping_ttl cannot be less than min_wrapping_ttl",
        ),
        (
            r#"path "a" { capabilities=["read"] capabilities=["list"] }"#,
            r#"The argument "capabilities" at 1:34 was already set. Each argument can only be defined once"#,
        ),
        (
            r#"path "a/{{identity.entity.id" { capabilities = ["read"] }"#,
            "failed to validate policy templating: unbalanced templating characters",
        ),
        (
            "path \"a\" { min_wrapping_ttl = \"soon\" }",
            r#"path "a": error parsing min_wrapping_ttl: time: invalid duration "soon""#,
        ),
        ("path \"a\" capabilities", "At 1:23: key 'path' expected start of object ('{') or assignment ('=')"),
        (
            "path \"a\" { capabilities = [\"read\" \"list\"] }",
            "At 1:35: error parsing list, expected comma or list end, got: STRING",
        ),
        ("path \"a", "At 1:6: literal not terminated"),
        ("path = [1]", "path is followed by a name and a block"),
    ] {
        assert_eq!(refusal(text), format!("failed to parse policy: {expected}"), "{text}");
    }
}

#[test]
fn json_says_the_same_as_hcl() {
    let hcl = policy(
        r#"
        # A comment,
        name = "app" // another,
        /* and a third. */
        path "a/*" {
          capabilities       = ["read", "list",]
          allowed_parameters = { "X" = ["1", 2, true] }
          max_wrapping_ttl   = 60
        }
        path "b" { policy = "write" }
        "#,
    );
    let json = policy(
        r#"{"name": "app", "path": {
            "a/*": {"capabilities": ["read", "list"], "allowed_parameters": {"x": ["1", 2, true]}, "max_wrapping_ttl": "1m"},
            "b": [{"policy": "write"}]
        }}"#,
    );
    assert_eq!(hcl, json);
}

#[test]
fn a_path_that_json_names_twice_keeps_both_rules() {
    let acl = acl(r#"{"path": {"a": {"capabilities": ["deny"]}, "a": {"capabilities": ["read"]}}}"#);
    assert!(!may(&acl, Operation::Read, "a"));
}

#[test]
fn texts_may_be_escaped_and_long() {
    let parsed = policy(
        "path \"a\\u002fb\\x21\" { comment = <<-EOT\n    two\n      lines\n    EOT\n policy=\"read\" }",
    );
    let acl = Acl::compile([&parsed], &Nobody);
    assert!(may(&acl, Operation::Read, "a/b!"));
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    for text in ["a = ".to_owned() + &"[".repeat(100_000), "a ".to_owned() + &"{ a ".repeat(100_000)] {
        assert!(refusal(&text).contains("nested too deeply"));
    }
    assert!(text_refused(&("{\"path\":".to_owned() + &"[".repeat(100_000))));
}

fn text_refused(text: &str) -> bool {
    text.parse::<Policy>().is_err()
}

#[test]
fn t2_the_most_specific_rule_decides_with_and_without_a_last_slash() {
    let acl = acl(r#"
        path "*" { capabilities = ["read", "list"] }
        path "a/*" { capabilities = ["deny"] }
        path "b" { capabilities = ["deny"] }
        path "c/+" { capabilities = ["list"] }
        path "c/d/*" { capabilities = ["deny"] }
        "#);
    assert!(may(&acl, Operation::List, "x/"));
    assert!(!may(&acl, Operation::List, "a/"));
    assert!(!may(&acl, Operation::Read, "a/"));
    assert!(!may(&acl, Operation::Read, "b"));
    assert!(!may(&acl, Operation::Read, "b/"));
    assert!(!may(&acl, Operation::List, "b/"));
    assert!(may(&acl, Operation::List, "c/e/"));
    assert!(!may(&acl, Operation::List, "c/d/"));
}

#[test]
fn sudo_paths_ask_for_sudo_beside_the_capability() {
    let acl = acl(r#"
        path "sys/plugins/catalog/*" { capabilities = ["update"] }
        path "sys/seal" { capabilities = ["update", "sudo"] }
        "#);
    let may = |path| {
        acl.allows(&Question {
            path,
            operation: Operation::Update,
            needs_sudo: true,
            wrap_ttl: None,
            body: b"",
        })
    };
    assert!(!may("sys/plugins/catalog/secret/kv"));
    assert!(may("sys/seal"));
}

#[test]
fn t1_only_root_itself_is_root() {
    assert!(may(&Acl::root(), Operation::Delete, "anything"));
    assert_eq!(Acl::root().words("a"), ["root"]);
    let nearly = acl(r#"path "*" { policy = "sudo" }"#);
    assert!(!nearly.is_root());
    assert!(!may(&Acl::default(), Operation::Read, "a"));
    assert!(may(&Acl::default(), Operation::Help, "a"));
}

#[test]
fn the_policies_that_are_always_there_grant_what_they_should() {
    let default = policy(DEFAULT);
    assert!(default.is_templated());
    let acl = Acl::compile([&default], &Nobody);
    assert!(may(&acl, Operation::Read, "auth/token/lookup-self"));
    assert!(!may(&acl, Operation::Update, "auth/token/lookup-self"));
    assert!(may(&acl, Operation::List, "cubbyhole/"));
    assert!(may(&acl, Operation::Update, "sys/tools/hash/sha2-256"));
    assert!(!may(&acl, Operation::Read, "identity/entity/id/"));
    assert!(!may(&acl, Operation::Read, "sys/mounts"));
    let wrapping = Acl::compile([&policy(RESPONSE_WRAPPING)], &Nobody);
    assert!(may(&wrapping, Operation::Update, "sys/wrapping/unwrap"));
    assert!(!may(&wrapping, Operation::Update, "sys/wrapping/lookup"));
}
