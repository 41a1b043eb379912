//! One request is one trace: of the gateway, the router, the launcher, the call of the plugin, what that stores, and the
//! database; in one process, and with a process for each service.

pub mod collector;

use std::time::Duration;

use collector::{Collector, Trace};
use serde_json::{Value, json};
use testkit::{Answer, Api, Form, Options, Server, eventually, go_plugin};
use tokio::task::JoinHandle;

/// The span of a client, in whatever trace.
const CLIENT: &str = "b7ad6b7169203331";

async fn server_with(collector: &Collector) -> Server {
    let extra = format!("telemetry {{ otlp_endpoint = \"{}\" }}", collector.address());
    let server = Server::start_with(Options { extra, ..Options::default() }).await;
    server.register("kv", &go_plugin("kv")).await;
    server.api().enable_kv("one", 1).await;
    server
}

/// What a client that traces sends along. `flags`: whether it records this one.
async fn send(api: &Api, trace: &str, flags: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let url = format!("{}/v1/{path}", api.address());
    let request = api
        .http()
        .request(method.parse().unwrap(), url)
        .header("X-Vault-Token", api.token())
        .header("traceparent", format!("00-{trace}-{CLIENT}-{flags}"))
        .header("tracestate", "vendor=state")
        .header("baggage", "user=m4rked-baggage")
        .header("X-Marked", "m4rked-header");
    let request = body.into_iter().fold(request, |request, body| request.body(body.to_string()));
    api.execute(request.build().unwrap()).await.unwrap()
}

/// A call of `bad` that is under way for longer than any test.
async fn asleep(api: &Api, trace: &'static str) -> JoinHandle<Answer> {
    let sleeper = api.clone();
    let sleeping =
        tokio::spawn(async move { send(&sleeper, trace, "01", "GET", "bad/sleep?ms=80000", None).await });
    eventually(Duration::from_secs(30), "it sleeps", async || {
        api.get("bad/sleeping").await.data()["requests"] == 1
    })
    .await;
    sleeping
}

/// Whether spans of that name hang in a line below the client's.
fn hangs(trace: &Trace, line: &[&str]) -> bool {
    let expected: Vec<_> = [CLIENT].iter().chain(line).map(ToString::to_string).collect();
    trace.above(line.last().unwrap()).contains(&expected)
}

const GATEWAY: &str = "PUT /v1/{path}";
const ROUTER: &str = "router handle";
const LAUNCHER: &str = "launcher handle";
const PLUGIN: &str = "pb.Backend/HandleRequest";
const EXISTS: &str = "pb.Backend/HandleExistenceCheck";

#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_a_go_plugin_is_one_trace_in_the_order_of_its_calls() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    let id = "0af7651916cd43dd8448eb211c80319c";
    let body = json!({"m4rked-key": "m4rked-value"});
    let answer = send(&server.api(), id, "01", "PUT", "one/m4rked-path", Some(body)).await;
    assert_eq!(answer.status, 204, "{answer}");

    let names =
        [GATEWAY, ROUTER, LAUNCHER, PLUGIN, EXISTS, "storage commit", "catalog commit", "sqlite COMMIT"];
    let trace = collector.whole(id, &names).await;
    let deepest = [GATEWAY, ROUTER, LAUNCHER, PLUGIN, "storage commit", "catalog commit", "sqlite COMMIT"];
    for length in 1..=deepest.len() {
        assert!(hangs(&trace, &deepest[..length]), "{:?}: {trace:#?}", &deepest[..length]);
    }
    assert!(hangs(&trace, &[GATEWAY, ROUTER, "launcher exists", EXISTS]), "{trace:#?}");
    assert!(hangs(&trace, &[GATEWAY, ROUTER, "launcher exists", EXISTS, "storage get"]), "{trace:#?}");
    assert!(!trace.0.iter().any(|span| span.failed()), "{trace:#?}");

    let services = [
        (GATEWAY, "gateway"),
        (ROUTER, "router"),
        (LAUNCHER, "launcher"),
        (PLUGIN, "launcher"),
        ("sqlite COMMIT", "catalog"),
    ];
    for (name, service) in services {
        let span = trace.only(name);
        let process = match Form::wanted() {
            Form::Apart => format!("mortise-{service}"),
            Form::One | Form::Dev => "mortise".to_owned(),
        };
        assert_eq!((span.says("mortise.service").as_str(), &span.process), (service, &process));
    }
    let (gateway, router) = (trace.only(GATEWAY), trace.only(ROUTER));
    assert_eq!(gateway.says("http.request.method"), "PUT");
    assert_eq!(gateway.says("http.response.status_code"), "204");
    assert_eq!(gateway.says("mortise.request.id"), router.says("mortise.request.id"));
    assert_eq!(router.says("mortise.operation"), "update");
    let mounts = server.api().get("sys/mounts").await.data();
    assert_eq!(mounts["one/"]["accessor"], router.says("mortise.mount.accessor"));
    let (launcher, plugin) = (trace.only(LAUNCHER), trace.only(PLUGIN));
    assert_eq!(launcher.says("mortise.plugin.waited_for_start"), "false");
    assert_eq!(
        (plugin.says("rpc.method"), plugin.says("rpc.grpc.status_code")),
        ("HandleRequest".into(), "0".into())
    );
    assert_eq!(plugin.says("mortise.plugin.name"), "kv");
    assert!(plugin.lasted() <= gateway.lasted());
    // The log names the trace beside the request.
    assert!(server.log().contains(&format!("trace_id={id}")), "{}", server.log());

    let text = collector.text();
    assert!(text.contains("vendor=state") && !text.contains("m4rked"), "{text}");
    assert!(!text.contains(server.api().token()));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_does_not_record_is_not_recorded_and_what_it_says_wrong_is_overlooked() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    let (silent, loud) = ("1af7651916cd43dd8448eb211c80319c", "2af7651916cd43dd8448eb211c80319c");
    for (id, flags) in [(silent, "00"), ("not-a-trace", "01"), (loud, "01")] {
        let answer = send(&server.api(), id, flags, "GET", "one/nothing", None).await;
        assert_eq!(answer.status, 404, "{answer}");
    }
    let trace = collector.whole(loud, &["GET /v1/{path}", PLUGIN]).await;
    // Nothing is there: that is no failure of ours.
    assert!(!trace.only("GET /v1/{path}").failed());
    assert_eq!(collector.trace(silent).names(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_a_request_waits_for_is_a_part_of_its_trace_with_its_phases() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    let process = server.only_plugin();
    process.kill();
    server.told_ends_of(process.pid).await;
    let id = "3af7651916cd43dd8448eb211c80319c";
    assert_eq!(send(&server.api(), id, "01", "GET", "one/nothing", None).await.status, 404);
    let phases = ["plugin verify", "plugin spawn", "plugin handshake"];
    let trace = collector.whole(id, &["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN, "plugin start"]).await;
    for phase in phases {
        let line = ["GET /v1/{path}", ROUTER, LAUNCHER, "plugin start", phase];
        assert!(hangs(&trace, &line), "{trace:#?}");
    }
    assert_eq!(trace.only(LAUNCHER).says("mortise.plugin.waited_for_start"), "true");
    assert_eq!(trace.only("plugin start").says("mortise.plugin.name"), "kv");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_by_its_kind_and_without_its_text() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    server.mount("bad", &go_plugin("fixture")).await;
    let id = "4af7651916cd43dd8448eb211c80319c";
    let answer = send(&server.api(), id, "01", "GET", "bad/crash?how=m4rked", None).await;
    assert!(answer.status >= 500 && answer.errors().contains("m4rked"), "{answer}");
    let trace = collector.whole(id, &["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN]).await;
    let (gateway, router) = (trace.only("GET /v1/{path}"), trace.only(ROUTER));
    assert_eq!((gateway.failed(), gateway.says("error.type")), (true, answer.status.to_string()));
    assert!(router.failed() && !router.says("error.type").is_empty(), "{trace:#?}");
    assert_eq!(
        (trace.only(LAUNCHER).failed(), trace.only(LAUNCHER).says("error.type")),
        (true, "plugin".into())
    );

    let died = "5af7651916cd43dd8448eb211c80319c";
    let answer = send(&server.api(), died, "01", "GET", "bad/crash?how=exit", None).await;
    assert!(answer.status >= 500, "{answer}");
    let trace = collector.whole(died, &["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN]).await;
    let call = trace.0.iter().find(|span| span.name == PLUGIN).unwrap();
    assert!(call.failed() && call.says("rpc.grpc.status_code") == "14", "{trace:#?}");
    assert!(!collector.text().contains("m4rked"), "{}", collector.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_are_under_way_together_are_linked_where_nobody_knows_which_of_them_stores() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    server.mount("bad", &go_plugin("fixture")).await;
    let (slow, quick) = ("6af7651916cd43dd8448eb211c80319c", "7af7651916cd43dd8448eb211c80319c");
    let api = server.api();
    let _sleeping = asleep(&api, slow).await;
    assert!(send(&api, quick, "01", "GET", "bad/store/nothing", None).await.status < 500);
    let trace = collector.whole(quick, &["GET /v1/{path}", PLUGIN]).await;
    assert!(!trace.names().contains(&"storage get"), "{trace:#?}");
    assert!(!collector.trace(slow).names().contains(&"storage get"));
    let linked = collector.linked_to(quick);
    assert_eq!((linked.name.as_str(), linked.links), ("storage get", 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_traces_is_told_its_place_and_what_it_stores_is_found_among_several() {
    let collector = Collector::start();
    let server = server_with(&collector).await;
    server.mount("bad", &go_plugin("fixture")).await;
    let (told, slow, quick) = (
        "baf7651916cd43dd8448eb211c80319c",
        "caf7651916cd43dd8448eb211c80319c",
        "daf7651916cd43dd8448eb211c80319c",
    );
    let api = server.api();
    let metadata = send(&api, told, "01", "GET", "bad/metadata", None).await.data();
    let trace = collector.whole(told, &[PLUGIN]).await;
    assert_eq!(metadata["traceparent"], json!(format!("00-{told}-{}-01", trace.only(PLUGIN).id())));
    assert_eq!((&metadata["tracestate"], &metadata["baggage"]), (&json!("vendor=state"), &json!(null)));
    assert!(!metadata.to_string().contains("m4rked"), "{metadata}");

    let _sleeping = asleep(&api, slow).await;
    send(&api, quick, "01", "GET", "bad/traced-load?key=nothing", None).await;
    let line = ["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN, "storage get", "catalog get"];
    let trace = collector.whole(quick, &line).await;
    assert!(hangs(&trace, &line), "{trace:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_goes_away_stops_nothing_and_gets_spans_again_when_it_is_back() {
    let mut collector = Collector::start();
    let mut server = server_with(&collector).await;
    collector.stop();
    let during = "8af7651916cd43dd8448eb211c80319c";
    for _ in 0..50 {
        assert_eq!(send(&server.api(), during, "01", "GET", "one/nothing", None).await.status, 404);
    }
    eventually(Duration::from_secs(30), "it is told that spans are not taken", async || {
        server.log().contains("the collector does not take spans")
    })
    .await;
    collector.start_again().await;
    let after = "9af7651916cd43dd8448eb211c80319c";
    assert_eq!(send(&server.api(), after, "01", "GET", "one/nothing", None).await.status, 404);
    collector.whole(after, &["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN]).await;
    collector.whole(during, &["GET /v1/{path}", ROUTER, LAUNCHER, PLUGIN]).await;
    // The last spans are sent before the process ends.
    let last = "aaf7651916cd43dd8448eb211c80319c";
    assert_eq!(send(&server.api(), last, "01", "GET", "one/nothing", None).await.status, 404);
    assert!(server.stop().await.success());
    let trace = collector.trace(last);
    assert!(trace.names().contains(&"GET /v1/{path}") && trace.names().contains(&PLUGIN), "{trace:#?}");
}
