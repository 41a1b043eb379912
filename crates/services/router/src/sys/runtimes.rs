//! What plugins can be run in: sandboxes around their processes. Containers, which clients know too, there are none.

use domain::{
    Kind,
    Operation::{Delete, List, Read, Update},
    PluginName, Sandbox, SandboxSettings,
};
use serde::Serialize;
use serde_json::json;
use wire::catalog::v1::{ListRuntimesRequest, Runtime, RuntimeRequest};

use super::Unfit;
use crate::{
    Error,
    answer::Answer,
    ask::Ask,
    endpoint::Endpoint,
    error::Result,
    fields::{Fields, InvalidField},
};

/// The type that other hosts have.
const CONTAINER: &str = "container";
/// Ours.
const SANDBOX: &str = "sandbox";

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::token(
        "plugins/runtimes/catalog",
        &[(Read, |ask| Box::pin(list(ask))), (List, |ask| Box::pin(list(ask)))],
        "Lists the sandboxes that plugins can be registered with.",
    ),
    Endpoint::sudo(
        "plugins/runtimes/catalog/sandbox/:name",
        &[
            (Read, |ask| Box::pin(read(ask))),
            (Update, |ask| Box::pin(put(ask))),
            (Delete, |ask| Box::pin(delete(ask))),
        ],
        "Tells about a sandbox, makes or changes one, or deletes one that no plugin is registered with.",
    ),
    Endpoint::sudo(
        "plugins/runtimes/catalog/container/:name",
        &[
            (Read, |_| Box::pin(async { Err(Error::Nothing) })),
            (Update, |_| Box::pin(async { Err(Unfit::Runtimes.into()) })),
            (Delete, |_| Box::pin(async { Err(Unfit::NoRuntime.into()) })),
        ],
        "Plugins run as processes: no container runtime can be registered.",
    ),
];

/// A sandbox as it is shown.
#[derive(Serialize)]
struct View {
    name: String,
    r#type: &'static str,
    #[serde(flatten)]
    settings: SandboxSettings,
}

impl TryFrom<Runtime> for View {
    type Error = Error;

    fn try_from(runtime: Runtime) -> Result<Self> {
        let sandbox = Sandbox::try_from(runtime.sandbox.unwrap_or_default()).map_err(Unfit::Sandbox)?;
        Ok(Self { name: runtime.name, r#type: SANDBOX, settings: sandbox.into() })
    }
}

async fn list(ask: Ask) -> Result<Answer> {
    let word = ask.fields()?.text("type")?.unwrap_or_default();
    if !matches!(word.as_str(), "" | CONTAINER | SANDBOX) {
        return Err(Unfit::RuntimeType(word).into());
    }
    if word == CONTAINER {
        return Ok(Answer::data(&json!({ "runtimes": [] })));
    }
    let reply = ask.core.clients.plugins.list_runtimes(ListRuntimesRequest {}).await?.into_inner();
    let runtimes = reply.runtimes.into_iter().map(View::try_from).collect::<Result<Vec<_>>>()?;
    Ok(Answer::data(&json!({ "runtimes": runtimes })))
}

async fn read(ask: Ask) -> Result<Answer> {
    match ask.core.clients.plugins.get_runtime(named(&ask)?).await.map_err(Error::from) {
        Ok(reply) => Ok(Answer::data(&View::try_from(reply.into_inner())?)),
        Err(Error::Below(failure)) if failure.kind == Kind::NotFound => Err(Error::Nothing),
        Err(error) => Err(error),
    }
}

async fn put(ask: Ask) -> Result<Answer> {
    let RuntimeRequest { name } = named(&ask)?;
    let sandbox = Sandbox::try_from(settings(&ask.fields()?)?).map_err(Unfit::Sandbox)?;
    ask.core.clients.plugins.put_runtime(Runtime { name, sandbox: Some(sandbox.into()) }).await?;
    Ok(Answer::Nothing)
}

async fn delete(ask: Ask) -> Result<Answer> {
    match ask.core.clients.plugins.delete_runtime(named(&ask)?).await.map_err(Error::from) {
        Ok(_) => Ok(Answer::Nothing),
        Err(Error::Below(failure)) if failure.kind == Kind::NotFound => Err(Unfit::NoRuntime.into()),
        Err(error) => Err(error),
    }
}

fn named(ask: &Ask) -> Result<RuntimeRequest> {
    let name: PluginName = ask.capture("name").parse().map_err(Unfit::Name)?;
    Ok(RuntimeRequest { name: name.into() })
}

/// What is not given is as it is by default, in a change too: Vault does not merge either.
fn settings(fields: &Fields) -> Result<SandboxSettings> {
    let usual = SandboxSettings::default();
    let paths = |name| -> Result<Vec<String>, InvalidField> { Ok(fields.list(name)?.unwrap_or_default()) };
    Ok(SandboxSettings {
        user: id(fields, "user")?,
        group: id(fields, "group")?,
        address_space_bytes: amount(fields, "address_space_bytes", usual.address_space_bytes)?,
        data_bytes: amount(fields, "data_bytes", usual.data_bytes)?,
        open_files: amount(fields, "open_files", usual.open_files)?,
        processes: amount(fields, "processes", usual.processes)?,
        cgroup_parent: fields.text("cgroup_parent")?.unwrap_or_default(),
        memory_bytes: amount(fields, "memory_bytes", usual.memory_bytes)?,
        cpu_nanos: amount(fields, "cpu_nanos", usual.cpu_nanos)?,
        cgroup_processes: amount(fields, "cgroup_processes", usual.cgroup_processes)?,
        filesystem: fields.flag("filesystem")?.unwrap_or(usual.filesystem),
        read_paths: paths("read_paths")?,
        execute_paths: paths("execute_paths")?,
        write_paths: paths("write_paths")?,
        system_calls: fields.flag("system_calls")?.unwrap_or(usual.system_calls),
        environment: fields.list("environment")?,
        best_effort: fields.flag("best_effort")?.unwrap_or(usual.best_effort),
    })
}

fn amount(fields: &Fields, name: &'static str, usual: u64) -> Result<u64> {
    let Some(given) = fields.number(name)? else { return Ok(usual) };
    u64::try_from(given).map_err(|_| match name {
        "cpu_nanos" => Unfit::NegativeCpu.into(),
        "memory_bytes" => Unfit::NegativeMemory.into(),
        name => Unfit::Negative(name).into(),
    })
}

fn id(fields: &Fields, name: &'static str) -> Result<Option<u32>> {
    let Some(given) = fields.number(name)? else { return Ok(None) };
    u32::try_from(given).map(Some).map_err(|_| Unfit::Id(name).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<SandboxSettings, String> {
        settings(&Fields::parse(body.as_bytes()).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_given_is_as_it_is_by_default() {
        assert_eq!(parsed("{}").unwrap(), SandboxSettings::default());
        let asked = parsed(
            r#"{"user":"1000","open_files":64,"filesystem":false,"read_paths":"/a,/b","environment":[]}"#,
        );
        let asked = asked.unwrap();
        assert_eq!((asked.user, asked.open_files, asked.filesystem), (Some(1000), 64, false));
        assert_eq!((asked.read_paths.len(), asked.environment), (2, Some(Vec::new())));
    }

    #[test]
    fn numbers_below_nothing_are_refused_in_vaults_words() {
        for (body, sentence) in [
            (r#"{"cpu_nanos":-1}"#, "runtime cpu in nanos cannot be negative"),
            (r#"{"memory_bytes":-1}"#, "runtime memory in bytes cannot be negative"),
            (r#"{"open_files":-1}"#, "open_files cannot be negative"),
            (r#"{"user":-1}"#, "user has to be a number from 1 to 4294967294"),
        ] {
            assert_eq!(parsed(body).unwrap_err(), sentence);
        }
    }
}
