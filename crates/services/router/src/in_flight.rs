//! The requests that are being worked on.

use std::{collections::BTreeMap, sync::Arc};

use dashmap::DashMap;
use domain::Operation;
use jiff::Timestamp;
use serde::Serialize;

use crate::asked::Asked;

/// By their ids. In many parts, so that requests do not wait for each other here.
#[derive(Debug, Default)]
pub(crate) struct InFlight(DashMap<String, Flight>);

/// What is told about one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Flight {
    start_time: Timestamp,
    client_remote_address: String,
    request_path: String,
    request_method: &'static str,
    /// Who asks, once that is known.
    client_id: String,
}

/// A request that is in the table until this is dropped.
#[derive(Debug)]
pub(crate) struct Boarding {
    table: Arc<InFlight>,
    id: String,
}

impl InFlight {
    /// A request begins.
    pub(crate) fn enter(self: &Arc<Self>, asked: &Asked) -> Boarding {
        let request = &asked.request;
        let address = request.connection.as_ref();
        let flight = Flight {
            start_time: Timestamp::now(),
            client_remote_address: address.map(|from| from.remote_addr.clone()).unwrap_or_default(),
            request_path: format!("/v1/{}", request.path),
            request_method: method(asked.operation),
            client_id: String::new(),
        };
        self.0.insert(request.id.clone(), flight);
        Boarding { table: Arc::clone(self), id: request.id.clone() }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub(crate) fn list(&self) -> BTreeMap<String, Flight> {
        self.0.iter().map(|entry| (entry.key().clone(), entry.value().clone())).collect()
    }
}

impl Boarding {
    /// It is known who asks.
    pub(crate) fn asked_by(&self, client_id: &str) {
        if let Some(mut flight) = self.table.0.get_mut(&self.id).filter(|_| !client_id.is_empty()) {
            client_id.clone_into(&mut flight.client_id);
        }
    }
}

impl Drop for Boarding {
    fn drop(&mut self) {
        self.table.0.remove(&self.id);
    }
}

/// How clients ask for an operation.
const fn method(operation: Operation) -> &'static str {
    match operation {
        Operation::List => "LIST",
        Operation::Create | Operation::Update => "PUT",
        Operation::Patch => "PATCH",
        Operation::Delete => "DELETE",
        Operation::Header => "HEAD",
        _ => "GET",
    }
}

#[cfg(test)]
mod tests {
    use wire::router::v1::Request;

    use super::*;

    #[test]
    fn a_request_is_listed_for_as_long_as_it_is_worked_on() {
        let table = Arc::new(InFlight::default());
        let request = Request {
            id: "a".to_owned(),
            operation: "list".to_owned(),
            path: "kv/".to_owned(),
            ..Request::default()
        };
        let boarding = table.enter(&Asked::new(request).unwrap());
        boarding.asked_by("somebody");
        let listed = table.list();
        let flight = &listed["a"];
        assert_eq!((flight.request_path.as_str(), flight.request_method), ("/v1/kv/", "LIST"));
        assert_eq!((flight.client_id.as_str(), table.count()), ("somebody", 1));
        drop(boarding);
        assert_eq!(table.count(), 0);
    }
}
