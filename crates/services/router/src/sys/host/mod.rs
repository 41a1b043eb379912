//! What the machine is that the server runs on, and how busy it is.

mod machine;
mod memory;
mod processors;
mod volumes;

use domain::Operation::Read;
use jiff::Timestamp;
use procfs::ProcResult;
use serde_json::{Map, Value};

use crate::{
    Error,
    answer::{Answer, json},
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
};

pub(super) const ENDPOINTS: &[Endpoint] = &[Endpoint::token(
    "host-info",
    &[(Read, |ask| Box::pin(info(ask)))],
    "Tells about the machine that the server runs on.",
)];

async fn info(_: Ask) -> Result<Answer> {
    // The kernel makes these files while they are read.
    let (data, warnings) = tokio::task::spawn_blocking(gather).await.map_err(|_| Error::CutOff)?;
    Ok(Answer::Data { data: json(&data), warnings })
}

/// What is told under a name.
type Part = (&'static str, fn() -> ProcResult<Value>);

/// What cannot be had is left out, and said.
fn gather() -> (Map<String, Value>, Vec<String>) {
    let parts: [Part; 5] = [
        ("cpu", processors::all),
        ("cpu_times", processors::times),
        ("disk", volumes::all),
        ("host", machine::describe),
        ("memory", memory::describe),
    ];
    let mut data = Map::new();
    let mut warnings = Vec::new();
    for (name, part) in parts {
        match part() {
            Ok(value) => drop(data.insert(name.to_owned(), value)),
            Err(error) => warnings.push(format!("cannot tell {name}: {error}")),
        }
    }
    data.insert("timestamp".to_owned(), Timestamp::now().to_string().into());
    (data, warnings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_parts_are_told_under_the_names_that_clients_know() {
        let (data, warnings) = gather();
        assert_eq!(warnings, Vec::<String>::new());
        let names: Vec<&str> = data.keys().map(String::as_str).collect();
        assert_eq!(names, ["cpu", "cpu_times", "disk", "host", "memory", "timestamp"]);
        assert!(data["cpu"][0]["modelName"].is_string() && data["cpu_times"][0]["idle"].is_number());
        let memory = &data["memory"];
        assert!(memory["total"].as_u64() >= memory["used"].as_u64() && memory["total"].as_u64() > Some(0));
        assert_eq!(data["host"]["os"], "linux");
    }
}
