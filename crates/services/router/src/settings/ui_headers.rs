use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The headers that a web console's pages are sent with, by their names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UiHeaders(BTreeMap<String, UiHeader>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UiHeader {
    /// As it was written.
    pub(crate) name: String,
    pub(crate) values: Vec<String>,
}

impl UiHeaders {
    pub(crate) fn names(&self) -> Vec<&str> {
        self.0.values().map(|header| header.name.as_str()).collect()
    }

    pub(crate) fn get(&self, name: &str) -> Option<&UiHeader> {
        self.0.get(&name.to_lowercase())
    }

    pub(crate) fn with(&self, header: UiHeader) -> Self {
        let mut headers = self.0.clone();
        headers.insert(header.name.to_lowercase(), header);
        Self(headers)
    }

    pub(crate) fn without(&self, name: &str) -> Self {
        let mut headers = self.0.clone();
        headers.remove(&name.to_lowercase());
        Self(headers)
    }
}
