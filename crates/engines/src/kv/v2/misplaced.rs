//! Requests that would be right for version 1. Clients get a hint beside the 404.

use std::sync::Arc;

use tenon::{
    Operation, Request, Response,
    framework::{NoInput, Outcome, Path},
};

use super::Kv;

pub(super) fn path() -> Path<Kv> {
    use Operation::{Delete, List, Patch, Read, Update};
    Path::new("{*}")
        .help("No such path.", "Secrets are below `data/`, and what is known of them below `metadata/`.")
        .any_input()
        .on(&[Read, List, Update, Patch, Delete], Kv::explain)
}

impl Kv {
    async fn explain(self: Arc<Self>, request: Request, _: NoInput) -> Outcome {
        let hint = match request.path.as_str() {
            "metadata" | "data" | "delete" | "undelete" | "destroy" => {
                "Non-listing operations on the root of a K/V v2 mount are not supported.".to_owned()
            }
            _ => format!(
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints \
                 to use. If using the Vault CLI, use 'vault kv {}' for this operation.",
                command(request.operation)
            ),
        };
        Response::warning(hint).with_status(404, &request.id).map(Some)
    }
}

/// The word of the command line for an operation.
const fn command(operation: Operation) -> &'static str {
    match operation {
        Operation::Create | Operation::Update => "put",
        Operation::Read => "get",
        other => other.word(),
    }
}
