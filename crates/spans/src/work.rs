use http::Method;
use opentelemetry::{KeyValue, trace::SpanKind};

/// A piece of work that is a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// An HTTP request, in the gateway.
    Request(Method, Route),
    /// What becomes of a request, in the router.
    Routed,
    /// A call of the launcher.
    Launcher(Call),
    /// One call of an external plugin, by the path of its method.
    Plugin(&'static str),
    /// One call of an engine that is part of the host.
    Engine(Call),
    /// The start of a plugin's process.
    Start,
    /// A part of it.
    Phase(Phase),
    /// What a plugin asks of its mount's storage, in the launcher.
    Callback(Stored),
    /// The same of all that is stored, in the catalog.
    Catalog(Stored),
    /// A statement, or a transaction, of a database.
    Database(Database, Stored),
}

/// What a gateway tells apart. Where a mount begins in a path, it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The API.
    Api,
    /// Whether the server is well.
    Health,
    /// All that is not in the API.
    Outside,
}

/// What a launcher is asked, and an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// To answer a request.
    Handle,
    /// Whether what a write would touch exists.
    Exists,
    /// To make a mount ready.
    Mount,
    /// To change a mount's settings.
    Tune,
    /// To end a mount.
    Unmount,
    /// To try a plugin.
    Probe,
}

/// A part of a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The program is fetched, and hashed.
    Verify,
    /// It is executed.
    Spawn,
    /// It says who it is, and the first call is made.
    Handshake,
}

/// What is done to what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// A value is read.
    Get,
    /// Names are listed.
    List,
    /// Values are written and deleted, together.
    Commit,
}

/// A database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    /// In a file.
    Sqlite,
    /// On a server.
    PostgreSql,
}

/// Which of our services it was.
const SERVICE: &str = "mortise.service";

impl Work {
    /// The name of its span.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Request(method, Route::Outside) => word(method).to_owned(),
            Self::Request(method, route) => format!("{} {}", word(method), route.template()),
            Self::Routed => "router handle".to_owned(),
            Self::Launcher(call) => format!("launcher {}", call.word()),
            Self::Plugin(path) => path.trim_start_matches('/').to_owned(),
            Self::Engine(call) => format!("engine {}", call.word()),
            Self::Start => "plugin start".to_owned(),
            Self::Phase(phase) => format!("plugin {}", phase.word()),
            Self::Callback(stored) => format!("storage {}", stored.word()),
            Self::Catalog(stored) => format!("catalog {}", stored.word()),
            Self::Database(database, stored) => format!("{} {}", database.word(), stored.statement()),
        }
    }

    pub(crate) const fn kind(&self) -> SpanKind {
        match self {
            Self::Request(..) | Self::Callback(_) => SpanKind::Server,
            Self::Plugin(_) | Self::Database(..) => SpanKind::Client,
            Self::Routed
            | Self::Launcher(_)
            | Self::Engine(_)
            | Self::Start
            | Self::Phase(_)
            | Self::Catalog(_) => SpanKind::Internal,
        }
    }

    /// The service that does it, however many of them are in one process.
    const fn service(&self) -> &'static str {
        match self {
            Self::Request(..) => "gateway",
            Self::Routed => "router",
            Self::Launcher(_)
            | Self::Plugin(_)
            | Self::Engine(_)
            | Self::Start
            | Self::Phase(_)
            | Self::Callback(_) => "launcher",
            Self::Catalog(_) | Self::Database(..) => "catalog",
        }
    }

    /// What is said of it from the beginning, by OpenTelemetry's conventions where they know of it.
    pub(crate) fn attributes(&self) -> Vec<KeyValue> {
        let mut said = vec![KeyValue::new(SERVICE, self.service())];
        match self {
            Self::Request(method, route) => {
                said.push(KeyValue::new("http.request.method", word(method)));
                if *route != Route::Outside {
                    said.push(KeyValue::new("http.route", route.template()));
                }
            }
            Self::Plugin(path) => {
                let (service, method) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
                said.push(KeyValue::new("rpc.system", "grpc"));
                said.push(KeyValue::new("rpc.service", service));
                said.push(KeyValue::new("rpc.method", method));
            }
            Self::Database(database, stored) => {
                said.push(KeyValue::new("db.system.name", database.word()));
                said.push(KeyValue::new("db.operation.name", stored.statement()));
            }
            Self::Routed
            | Self::Launcher(_)
            | Self::Engine(_)
            | Self::Start
            | Self::Phase(_)
            | Self::Callback(_)
            | Self::Catalog(_) => {}
        }
        said
    }
}

/// Those that Vault's clients use; whatever else comes is one and the same.
fn word(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "LIST" => "LIST",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

impl Route {
    const fn template(self) -> &'static str {
        match self {
            Self::Api => "/v1/{path}",
            Self::Health => "/v1/sys/health",
            Self::Outside => "",
        }
    }
}

impl Call {
    const fn word(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::Exists => "exists",
            Self::Mount => "mount",
            Self::Tune => "tune",
            Self::Unmount => "unmount",
            Self::Probe => "probe",
        }
    }
}

impl Phase {
    const fn word(self) -> &'static str {
        match self {
            Self::Verify => "verify",
            Self::Spawn => "spawn",
            Self::Handshake => "handshake",
        }
    }
}

impl Stored {
    const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Commit => "commit",
        }
    }

    const fn statement(self) -> &'static str {
        match self {
            Self::Get | Self::List => "SELECT",
            Self::Commit => "COMMIT",
        }
    }
}

impl Database {
    const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::PostgreSql => "postgresql",
        }
    }
}
