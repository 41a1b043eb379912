use serde_json::Value;

use crate::{
    Error,
    client::Request,
    error::Result,
    leaf::{
        Flag,
        Kind::{List, Number, Text, Truth},
    },
    output::plain,
    session::Session,
};

pub(super) const TYPE: &[Flag] = &[Flag::own(Text, "type", "sandbox, by itself, or container.")];

/// What a sandbox keeps its plugins from.
pub(super) const SETTINGS: &[Flag] = &[
    Flag::new(Number, "user", "user", "The user that the process changes to, by its number."),
    Flag::new(Number, "group", "group", "The group that the process changes to, by its number."),
    Flag::new(
        Number,
        "address-space-bytes",
        "address_space_bytes",
        "Address space that a process may reserve.",
    ),
    Flag::new(Number, "data-bytes", "data_bytes", "Memory of its own that a process may write to."),
    Flag::new(Number, "open-files", "open_files", "Descriptors that a process may have open."),
    Flag::new(Number, "processes", "processes", "Processes and threads that the user may have."),
    Flag::new(Text, "cgroup-parent", "cgroup_parent", "Where the control group is made.")
        .or(&["cgroup_parent"]),
    Flag::new(Number, "memory-bytes", "memory_bytes", "Memory that the control group may hold.")
        .or(&["memory_bytes"]),
    Flag::new(Number, "cpu-nanos", "cpu_nanos", "Processor time in each second, in nanoseconds.")
        .or(&["cpu_nanos"]),
    Flag::new(Number, "cgroup-processes", "cgroup_processes", "Processes that the control group may hold."),
    Flag::new(Truth, "filesystem", "filesystem", "The process sees only some of the file system."),
    Flag::new(List, "read-paths", "read_paths", "What it may read."),
    Flag::new(List, "execute-paths", "execute_paths", "What it may read and execute."),
    Flag::new(List, "write-paths", "write_paths", "What it may read and change."),
    Flag::new(Truth, "system-calls", "system_calls", "Calls that no plugin needs are refused."),
    Flag::new(List, "environment", "environment", "Variables of the host that are handed down."),
    Flag::new(Truth, "best-effort", "best_effort", "What this host cannot give is left out."),
    Flag::new(Text, "oci-runtime", "oci_runtime", "What runs containers.").or(&["oci_runtime"]),
    Flag::new(Truth, "rootless", "rootless", "Containers are run by an ordinary user."),
];

fn path(session: &Session<'_>) -> String {
    let kind = session.given.text("type").unwrap_or("sandbox");
    format!("sys/plugins/runtimes/catalog/{kind}/{}", session.given.place("NAME"))
}

pub(super) fn register(session: &Session<'_>) -> Result<()> {
    let name = session.given.place("NAME");
    let request = Request::put(path(session), session.body()?);
    session.ask(&request, || format!("Error registering plugin runtime {name}"))?;
    session.out.say(format!("Success! Registered plugin runtime: {name}"));
    Ok(())
}

pub(super) fn deregister(session: &Session<'_>) -> Result<()> {
    let name = session.given.place("NAME");
    session.ask(&Request::delete(path(session)), || {
        format!("Error deregistering plugin runtime named {name}")
    })?;
    session.out.say(format!("Success! Deregistered plugin runtime: {name}"));
    Ok(())
}

pub(super) fn info(session: &Session<'_>) -> Result<()> {
    let name = session.given.place("NAME");
    let found = session
        .find(&Request::get(path(session)), || format!("Error reading plugin runtime named {name}"))?;
    let data = found.and_then(|secret| secret.data);
    session.out.object(
        &data
            .map(Value::Object)
            .ok_or_else(|| Error::nothing(format!("No value found for plugin runtime {name:?}")))?,
    )
}

pub(super) fn list(session: &Session<'_>) -> Result<()> {
    let request = Request::get("sys/plugins/runtimes/catalog");
    let request =
        session.given.text("type").into_iter().fold(request, |request, kind| request.with("type", kind));
    let data = session.ask(&request, || "Error listing available plugin runtimes".to_owned())?.data()?;
    let runtimes = data["runtimes"].as_array().cloned().unwrap_or_default();
    let columns = ["name", "type", "cgroup_parent", "cpu_nanos", "memory_bytes"];
    let row = |runtime: &Value| {
        columns.iter().map(|column| runtime.get(*column).map(plain).unwrap_or_default()).collect()
    };
    session.out.either(&runtimes, &["Name", "Type", "Parent Cgroup", "CPU Nanos", "Memory Bytes"], || {
        runtimes.iter().map(row).collect()
    })
}
