use std::{fs, time::Duration};

use domain::LockoutConfig;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::config::{Address, Clients, Listener, Storage, TlsVersion};
use crate::{logs::Level, metrics::Telemetry, traces};

const FULL: &str = r#"
ui = true
api_addr = "https://vault.example.com:8200"
plugin_directory = "plugins"
disable_mlock = true
log_level = "debug"
default_lease_ttl = "10h"
max_lease_ttl = 3600

storage "sqlite" {
  path = "var/mortise.db"
}

listener "tcp" {
  address         = "127.0.0.1:8200"
  tls_disable     = 1
  max_request_size = 1024
}

listener "tcp" {
  address         = "[::1]:8201"
  tls_cert_file   = "cert.pem"
  tls_key_file    = "key.pem"
  tls_min_version = "tls13"
}
"#;

const FULL_JSON: &str = r#"{
  "ui": true,
  "api_addr": "https://vault.example.com:8200",
  "plugin_directory": "plugins",
  "disable_mlock": "true",
  "log_level": "debug",
  "default_lease_ttl": "10h",
  "max_lease_ttl": 3600,
  "storage": {"sqlite": {"path": "var/mortise.db"}},
  "listener": [
    {"tcp": {"address": "127.0.0.1:8200", "tls_disable": 1, "max_request_size": 1024}},
    {"tcp": {"address": "[::1]:8201", "tls_cert_file": "cert.pem", "tls_key_file": "key.pem",
             "tls_min_version": "tls13"}}
  ]
}"#;

/// Reads files of these names and texts, in this order.
fn read(files: &[(&str, &str)]) -> Result<(Config, Vec<String>), Vec<String>> {
    let folder = TempDir::new().unwrap();
    let write = |(name, text): &(&str, &str)| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path
    };
    let paths: Vec<PathBuf> = files.iter().map(write).collect();
    let start = format!("{}/", folder.path().display());
    let short = |problem: &Problem| problem.to_string().replace(&start, "");
    match load(&paths, Vec::new()) {
        Ok((config, warnings)) => Ok((config, warnings.iter().map(short).collect())),
        Err(Error::Invalid(problems)) => Err(problems.iter().map(short).collect()),
        Err(other) => panic!("{other}"),
    }
}

fn errors(text: &str) -> Vec<String> {
    read(&[("a.hcl", text)]).unwrap_err()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

#[test]
fn a_whole_configuration_is_read() {
    let (config, warnings) = read(&[("a.hcl", FULL)]).unwrap();
    assert_eq!(config.storage, Some(Storage::Sqlite { path: "var/mortise.db".into() }));
    assert_eq!(config.plugin_directory, Some("plugins".into()));
    assert_eq!(config.log_level, Level::Debug);
    assert!(config.disable_mlock);
    assert_eq!(config.default_lease_ttl, Duration::from_secs(36_000));
    assert_eq!(config.max_lease_ttl, Duration::from_secs(3600));
    let [plain, tls] = config.listeners.as_slice() else { panic!("{:?}", config.listeners) };
    assert_eq!(*plain, Listener { max_request_size: 1024, ..Listener::plain(address("127.0.0.1:8200")) });
    assert_eq!(tls.tls.as_ref().unwrap().min_version, TlsVersion::Tls13);
    assert_eq!(warnings, ["a.hcl:2: `ui` is known from Vault and has no effect here"]);
}

#[test]
fn json_says_the_same_as_hcl() {
    let (hcl, _) = read(&[("a.hcl", FULL)]).unwrap();
    let (json, _) = read(&[("a.json", FULL_JSON)]).unwrap();
    assert_eq!(hcl, json);
}

#[test]
fn what_is_counted_is_told_as_the_telemetry_stanzas_say() {
    let text = r#"
        telemetry { prometheus_retention_time = "30s" disable_hostname = true statsd_address = "127.0.0.1:1" }
        listener "tcp" {
          tls_disable = true
          telemetry { unauthenticated_metrics_access = true }
        }
        listener "tcp" {
          tls_disable = true
          inflight_requests_logging { unauthenticated_in_flight_requests_access = "true" }
        }"#;
    let (config, warnings) = read(&[("a.hcl", text)]).unwrap();
    let told = Telemetry { prometheus_retention: Duration::from_secs(30), disable_hostname: true };
    assert_eq!(config.telemetry, told);
    let open: Vec<_> = config.listeners.iter().map(|each| (each.open_metrics, each.open_in_flight)).collect();
    assert_eq!(open, [(true, false), (false, true)]);
    assert_eq!(warnings, ["a.hcl:2: `statsd_address` is unknown here and has no effect"]);
    assert_eq!(read(&[("a.hcl", "")]).unwrap().0.telemetry, Telemetry::default());
}

#[test]
fn where_spans_go_is_read_and_a_wrong_value_is_told_with_its_line() {
    let text = r#"telemetry {
  otlp_endpoint = "https://collector.example.com:4317"
  otlp_headers_file = "headers"
  otlp_ca_file = "ca.pem"
  trace_sample_ratio = 0.25
}"#;
    let expected = traces::Settings {
        endpoint: Some("https://collector.example.com:4317".to_owned()),
        headers_file: Some("headers".into()),
        ca_file: Some("ca.pem".into()),
        sample_ratio: 0.25,
    };
    assert_eq!(read(&[("a.hcl", text)]).unwrap().0.traces, expected);
    assert_eq!(read(&[("a.hcl", "telemetry {}")]).unwrap().0.traces, traces::Settings::default());
    let wrong = "telemetry {\n  otlp_endpoint = \"127.0.0.1:4317\"\n  trace_sample_ratio = 1.5\n}";
    let problems = read(&[("a.hcl", wrong)]).unwrap_err();
    assert!(problems[0].starts_with("a.hcl:2: `otlp_endpoint` is "), "{problems:?}");
    assert!(problems[1].starts_with("a.hcl:3: `trace_sample_ratio` is "), "{problems:?}");
}

#[test]
fn each_auth_method_locks_out_as_its_stanza_says_and_else_as_that_for_all() {
    let text = r#"
        user_lockout "all" { lockout_threshold = "10" lockout_duration = "1h" disable_lockout = true }
        user_lockout "userpass" { lockout_threshold = 3 lockout_counter_reset = "5m" disable_lockout = false }"#;
    let (config, warnings) = read(&[("a.hcl", text)]).unwrap();
    let all = LockoutConfig {
        threshold: 10,
        duration: Duration::from_secs(3600),
        disable: true,
        ..LockoutConfig::default()
    };
    let counter_reset = Duration::from_secs(300);
    let own = LockoutConfig { threshold: 3, counter_reset, disable: false, ..all };
    let expected = [("approle", all.clone()), ("ldap", all), ("userpass", own)];
    assert_eq!(config.user_lockout, expected.map(|(name, config)| (name.to_owned(), config)).into());
    assert_eq!(warnings, Vec::<String>::new());
    let refused = errors("user_lockout \"jwt\" {}");
    let text = r#"users of "jwt" are not locked out; allowed: "all", "userpass", "ldap", "approle""#;
    assert_eq!(refused, [format!("a.hcl:1: {text}")]);
}

#[test]
fn older_and_other_spellings_count() {
    for text in [
        "backend \"inmem\" {}",
        "storage = { inmem = {} }",
        r#"{"backend": {"inmem": {}}}"#,
        r#"{"storage": [{"inmem": {}}]}"#,
    ] {
        assert_eq!(read(&[("a.hcl", text)]).unwrap().0.storage, Some(Storage::Inmem), "{text}");
    }
    let several = r#"{"listener": {"tcp": [{"tls_disable": 1}, {"address": ":1", "tls_disable": 1}]}}"#;
    let (config, _) = read(&[("a.json", several)]).unwrap();
    let addresses: Vec<_> = config.listeners.iter().map(|listener| listener.address.as_str()).collect();
    assert_eq!(addresses, ["127.0.0.1:8200", "[::]:1"]);
}

#[test]
fn a_wrong_value_is_refused_with_its_line_and_what_is_allowed() {
    let table = [
        ("\n\ndisable_mlock = \"maybe\"", "a.hcl:3: `disable_mlock` is \"maybe\"; allowed: true or false"),
        (
            "log_level = \"loud\"",
            "a.hcl:1: `log_level` is \"loud\"; allowed: \"trace\", \"debug\", \"info\", \"warn\", \"error\" or \"off\"",
        ),
        (
            "storage \"raft\" {\n}",
            "a.hcl:1: there is no storage \"raft\"; allowed: \"sqlite\", \"postgresql\", \"file\" or \"inmem\"",
        ),
        ("storage \"sqlite\" {}", "a.hcl:1: `storage` needs `path`: a path in quotes, not empty"),
        ("\nlistener \"unix\" {}", "a.hcl:2: there is no listener \"unix\"; allowed: \"tcp\""),
        (
            "listener \"tcp\" {\n  address = 8200\n  tls_disable = true\n}",
            "a.hcl:2: `address` is 8200; allowed: HOST:PORT, such as \"127.0.0.1:8200\"",
        ),
        (
            "listener \"tcp\" {\n}",
            "a.hcl:1: `listener` needs `tls_cert_file` and `tls_key_file`, or `tls_disable = true`",
        ),
        (
            "listener \"tcp\" {\n tls_cert_file = \"c\" tls_key_file = \"k\" tls_require_and_verify_client_cert = true }",
            "a.hcl:1: `tls_require_and_verify_client_cert` needs `tls_client_ca_file`: who signs them",
        ),
        (
            "{\n\"api_addr\": \"vault\"}",
            "a.hcl:2: `api_addr` is \"vault\"; allowed: an address with its scheme, such as \"https://vault.example.com:8200\"",
        ),
        (
            "max_lease_ttl = [1]",
            "a.hcl:1: `max_lease_ttl` is a list; allowed: a duration such as \"90s\", \"5m\" or \"768h\", or a number of seconds",
        ),
        ("max_lease_ttl = 1 + 1", "a.hcl:1: this is not HCL: illegal character"),
        ("pid_file = \"a\"\npid_file = \"b\"", "a.hcl:2: `pid_file` is set twice; keep one of them"),
        ("{\"pid_file\": \"a\",\n\"pid_file\": \"b\"}", "a.hcl:2: `pid_file` is set twice; keep one of them"),
        (
            "storage \"inmem\" {}\nbackend \"inmem\" {}",
            "a.hcl:1: there is a second storage; keep one of them",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(errors(text), [expected], "{text}");
    }
}

#[test]
fn a_block_fits_on_one_line() {
    let text = "storage \"file\" { path = \"d\" }\nlistener \"tcp\" { address = \"127.0.0.1:1\" tls_disable = true }";
    let (config, warnings) = read(&[("a.hcl", text)]).unwrap();
    assert_eq!(config.storage, Some(Storage::File { path: "d".into() }));
    assert_eq!(config.listeners, [Listener::plain(address("127.0.0.1:1"))]);
    assert_eq!(warnings, [""; 0]);
}

#[test]
fn clients_may_show_a_certificate_unless_they_must_or_must_not() {
    let clients = |more: &str| {
        let text = format!("listener \"tcp\" {{ tls_cert_file = \"c\" tls_key_file = \"k\" {more} }}");
        read(&[("a.hcl", &text)]).unwrap().0.listeners.remove(0).tls.unwrap().clients
    };
    assert_eq!(clients(""), Clients::Asked);
    assert_eq!(clients("tls_client_ca_file = \"ca\""), Clients::Asked);
    assert_eq!(clients("tls_disable_client_certs = true"), Clients::Unasked);
    let required = "tls_client_ca_file = \"ca\" tls_require_and_verify_client_cert = true";
    assert_eq!(clients(required), Clients::Required("ca".into()));
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    assert_eq!(errors("disable_mlock = 2\nlog_format = \"xml\"\nstorage \"s3\" {}").len(), 3);
}

#[test]
fn what_is_not_hcl_or_json_is_refused_with_its_line() {
    assert!(errors("ui = true\nstorage \"inmem\" {")[0].starts_with("a.hcl:2: this is not HCL"));
    assert!(errors("{\n\"ui\" true\n}")[0].starts_with("a.hcl:2: this is not JSON"));
}

#[test]
fn unknown_keys_are_warnings_with_their_lines() {
    let text = "sentinel {\n  a = 1\n}\nseal \"awskms\" {}\n\nlistner \"tcp\" {}\nstorage \"inmem\" {\n  size = 1\n}";
    let (_, warnings) = read(&[("a.hcl", text)]).unwrap();
    assert_eq!(
        warnings,
        [
            "a.hcl:8: `size` is unknown here and has no effect",
            "a.hcl:1: `sentinel` is known from Vault and has no effect here",
            "a.hcl:4: `seal` is known from Vault and has no effect here",
            "a.hcl:6: `listner` is unknown here and has no effect",
        ]
    );
}

#[test]
fn later_files_win_and_listeners_add_up() {
    let first = "api_addr = \"http://a:1\"\nmax_lease_ttl = \"2h\"\nstorage \"inmem\" {}\ndisable_mlock = true\n\
                 listener \"tcp\" {\n  address = \"127.0.0.1:1\"\n  tls_disable = true\n}";
    let second = "api_addr = \"http://b:1\"\nmax_lease_ttl = \"1h\"\nstorage \"file\" {\n  path = \"d\"\n}\ndisable_mlock = false\n\
                  listener \"tcp\" {\n  address = \"127.0.0.1:2\"\n  tls_disable = true\n}";
    let (config, _) = read(&[("a.hcl", first), ("b.hcl", second)]).unwrap();
    assert_eq!(config.api_addr.as_deref(), Some("http://b:1"));
    assert_eq!(config.storage, Some(Storage::File { path: "d".into() }));
    assert_eq!(config.listeners.len(), 2);
    // As in Vault: the longer lease time, and a switch that is on anywhere.
    assert_eq!(config.max_lease_ttl, Duration::from_secs(7200));
    assert!(config.disable_mlock);
}

#[test]
fn a_folder_is_read_by_name_without_what_editors_leave() {
    let folder = TempDir::new().unwrap();
    for (name, text) in [
        ("b.json", r#"{"api_addr": "http://b:1"}"#),
        ("a.hcl", "api_addr = \"http://a:1\""),
        (".c.hcl", "broken"),
        ("d.hcl~", "broken"),
        ("e.txt", "broken"),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let (config, _) = load(&[folder.path().to_owned()], Vec::new()).unwrap();
    assert_eq!(config.api_addr.as_deref(), Some("http://b:1"));
    let empty = TempDir::new().unwrap();
    assert!(matches!(load(&[empty.path().to_owned()], Vec::new()), Err(Error::Empty(_))));
    assert!(matches!(load(&["none".into()], Vec::new()), Err(Error::Read { .. })));
}

#[test]
fn what_is_given_outside_of_the_files_wins_and_is_named() {
    let given = |value: &str| vec![Given { key: "log_level", name: "-log-level", value: value.to_owned() }];
    assert_eq!(load(&[], given("warn")).unwrap().0.log_level, Level::Warn);
    let error = load(&[], given("loud")).unwrap_err().to_string();
    assert!(error.starts_with("-log-level: `log_level` is \"loud\""), "{error}");
}

#[test]
fn the_internal_block_names_certificates_and_neighbours() {
    let text = "internal {\n  address = \"127.0.0.1:8300\"\n  ca_file = \"ca.pem\"\n  cert_file = \"c.pem\"\n  \
                key_file = \"k.pem\"\n  catalog = \"127.0.0.1:8301\"\n}";
    let internal = read(&[("a.hcl", text)]).unwrap().0.internal.unwrap();
    assert_eq!(internal.catalog, Some(address("127.0.0.1:8301")));
    assert_eq!(errors("internal {}").len(), 3);
}

proptest! {
    #[test]
    fn no_text_breaks_the_reader(text in "\\PC*") {
        let _ = parse(Path::new("a"), &text);
    }

    #[test]
    fn a_line_is_found_wherever_it_is(before in 0_usize..50, json in any::<bool>()) {
        let blank = "\n".repeat(before);
        let text = if json { format!("{{{blank}\"ui\": 7}}") } else { format!("{blank}disable_mlock = 7") };
        let text = text.replace("\"ui\"", "\"disable_mlock\"");
        let problems = read(&[("a.hcl", &text)]).unwrap_err();
        let start = format!("a.hcl:{}:", before + 1);
        prop_assert!(problems[0].starts_with(&start), "{problems:?}");
    }
}
