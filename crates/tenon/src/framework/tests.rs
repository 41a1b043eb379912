use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

use super::{Engine, NoInput, Outcome, Path, field, present};
use crate::{Backend, BackendKind, Error, Operation, Request, Response, Secret};

#[derive(Default)]
struct Shop {
    renewals: AtomicUsize,
}

#[derive(Deserialize)]
struct Order {
    name: String,
    #[serde(default)]
    count: i64,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default, deserialize_with = "present")]
    note: Option<Box<RawValue>>,
}

impl Shop {
    async fn order(self: Arc<Self>, _: Request, order: Order) -> Outcome {
        let note = order.note.map(|note| note.get().to_owned());
        let data = json!({ "name": order.name, "count": order.count, "tags": order.tags, "note": note });
        Response::json(&data).map(Some)
    }

    async fn list(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        Ok(Some(Response::keys(&["a".to_owned()])))
    }

    async fn known(self: Arc<Self>, _: Request, order: Order) -> Result<bool, Error> {
        Ok(order.name == "apple")
    }

    async fn renew(self: Arc<Self>, _: Request) -> Outcome {
        self.renewals.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }

    async fn refuse(self: Arc<Self>, _: Request) -> Outcome {
        Err(Error::PermissionDenied)
    }
}

fn shop() -> Arc<dyn Backend> {
    let engine = Engine::new(BackendKind::Secret)
        .help("Sells things.")
        .open(&["order/free"])
        .lease("credit", Shop::renew, Shop::refuse)
        .path(
            Path::new("order/{name}")
                .help("Orders.", "Orders a thing.")
                .field("name", field::string("What."))
                .field("count", field::int("How many."))
                .field("tags", field::comma_list("Labels."))
                .field("note", field::any("Anything."))
                .write(Shop::order)
                .exists(Shop::known),
        )
        .path(Path::new("order").list(Shop::list));
    Arc::new(engine).mounted(Shop::default())
}

fn write(path: &str, body: &str) -> Request {
    Request { data: body.to_owned().into(), ..Request::new(Operation::Update, path) }
}

async fn data(request: Request) -> Value {
    let response = shop().handle(request).await.unwrap().unwrap();
    serde_json::from_slice(&response.data).unwrap()
}

#[tokio::test]
async fn a_handler_gets_its_input_put_right() {
    let body = r#"{"count":"3","tags":"a,b","note":{"n": 1.10}}"#;
    assert_eq!(
        data(write("order/apple", body)).await,
        json!({ "name": "apple", "count": 3, "tags": ["a", "b"], "note": r#"{"n": 1.10}"# })
    );
}

#[tokio::test]
async fn null_is_not_the_same_as_absent() {
    assert_eq!(data(write("order/apple", r#"{"note":null}"#)).await["note"], "null");
    assert_eq!(data(write("order/apple", "{}")).await["note"], Value::Null);
}

#[tokio::test]
async fn what_does_nothing_is_told() {
    let request = write("order/apple", r#"{"zoo":1,"name":"pear","bogus":2}"#);
    let response = shop().handle(request).await.unwrap().unwrap();
    assert_eq!(
        response.warnings,
        [
            "Endpoint ignored these unrecognized parameters: [bogus zoo]",
            "Endpoint replaced the value of these parameters with the values captured from the endpoint's path: [name]",
        ]
    );
}

#[tokio::test]
async fn a_wrong_field_is_refused_with_its_name() {
    let sentence = r#"error converting input for field "count": cannot parse '' as int: strconv.ParseInt: parsing "x": invalid syntax"#;
    let request = write("order/apple", r#"{"count":"x"}"#);
    assert_eq!(
        shop().handle(request.clone()).await,
        Err(Error::refused(format!("Field validation failed: {sentence}")))
    );
    assert_eq!(shop().exists(request).await, Err(Error::User(sentence.to_owned())));
}

#[tokio::test]
async fn a_body_that_is_no_object_is_refused() {
    assert!(matches!(shop().handle(write("order/apple", "[1]")).await, Err(Error::WithResponse { .. })));
}

#[tokio::test]
async fn unknown_paths_and_operations_are_told_apart() {
    assert_eq!(shop().handle(write("nothing/here", "{}")).await, Err(Error::UnsupportedPath));
    let read = Request::new(Operation::Read, "order/apple");
    assert_eq!(shop().handle(read).await, Err(Error::UnsupportedOperation));
    let lookahead = Request::new(Operation::AliasLookahead, "order/apple");
    assert_eq!(shop().handle(lookahead).await, Err(Error::UnsupportedOperation));
}

#[tokio::test]
async fn a_list_arrives_with_a_slash() {
    assert_eq!(data(Request::new(Operation::List, "order/")).await, json!({ "keys": ["a"] }));
}

#[tokio::test]
async fn existence_is_asked_where_it_is_known() {
    assert_eq!(shop().exists(write("order/apple", "{}")).await, Ok(Some(true)));
    assert_eq!(shop().exists(write("order/pear", "{}")).await, Ok(Some(false)));
    assert_eq!(shop().exists(write("order", "{}")).await, Ok(None));
}

#[tokio::test]
async fn leases_go_to_who_gave_them_out() {
    let lease = |operation, kind: &str| Request {
        secret: Some(Secret {
            internal_data: json!({ "secret_type": kind }).to_string().into(),
            ..Secret::default()
        }),
        ..Request::new(operation, "")
    };
    assert_eq!(shop().handle(lease(Operation::Renew, "credit")).await, Ok(None));
    assert_eq!(shop().handle(lease(Operation::Revoke, "credit")).await, Err(Error::PermissionDenied));
    assert!(shop().handle(lease(Operation::Revoke, "cash")).await.is_err());
}

#[tokio::test]
async fn help_tells_of_the_engine_and_of_each_path() {
    let whole = data(Request::new(Operation::Help, "")).await;
    assert!(whole["help"].as_str().unwrap().contains("order/{name}"));
    assert_eq!(whole["openapi"]["paths"]["/order/{name}"]["parameters"][0]["name"], "name");
    let one = data(Request::new(Operation::Help, "order/x")).await;
    assert!(one["help"].as_str().unwrap().contains("count (int)"));
    assert!(one.as_object().unwrap().contains_key("see_also"));
}

#[tokio::test]
async fn a_chosen_status_carries_the_whole_answer() {
    let answer = Response { data: r#"{"a":1.10}"#.into(), ..Response::warning("mind the gap") };
    let raw: Value = serde_json::from_slice(&answer.with_status(404, "id-1").unwrap().data).unwrap();
    assert_eq!(raw["http_status_code"], 404);
    let body: Value = serde_json::from_str(raw["http_raw_body"].as_str().unwrap()).unwrap();
    assert_eq!(body["request_id"], "id-1");
    assert_eq!(body["data"].to_string(), r#"{"a":1.10}"#);
    assert_eq!(body["warnings"], json!(["mind the gap"]));
    assert_eq!(body["mount_type"], "");
}
