use std::sync::{Arc, Mutex};

use tenon::{
    Backend, BackendKind, Builtin, Config, Factory, Host, Makes, Operation, Request, Response, Result,
    SpecialPaths, System,
};

/// An engine that does as it is told.
struct Obedient(Host);

/// What each mount of the engine was told of its surroundings, the latest last.
#[derive(Clone, Default)]
pub struct Systems(pub Arc<Mutex<Vec<Arc<dyn System>>>>);

struct Making(Systems);

#[tonic::async_trait]
impl Factory for Making {
    async fn create(&self, _: Config, host: Host) -> Result<Arc<dyn Backend>> {
        self.0.0.lock().unwrap().push(Arc::clone(&host.system));
        Ok(Arc::new(Obedient(host)))
    }
}

#[tonic::async_trait]
impl Backend for Obedient {
    fn kind(&self) -> BackendKind {
        BackendKind::Secret
    }

    fn special_paths(&self) -> SpecialPaths {
        SpecialPaths { unauthenticated: vec!["open".to_owned()], ..SpecialPaths::default() }
    }

    async fn exists(&self, request: Request) -> Result<Option<bool>> {
        Ok(Some(self.0.storage.get(&request.path.parse().unwrap()).await?.is_some()))
    }

    async fn handle(&self, request: Request) -> Result<Option<Response>> {
        assert_ne!(request.path, "panic", "as it was told");
        if request.operation == Operation::Rollback {
            let rounds = "rounds".parse().unwrap();
            let before = self.0.storage.get(&rounds).await?.unwrap_or_default();
            self.0.storage.put(rounds, [&before[..], b"1"].concat().into()).await?;
            return Ok(None);
        }
        let key = request.path.parse().unwrap();
        if request.operation.writes() {
            self.0.storage.put(key, request.data).await?;
            return Ok(None);
        }
        let stored = self.0.storage.get(&key).await?;
        Ok(stored.map(|data| Response { data, ..Response::default() }))
    }
}

/// The engines of the stories' host.
pub fn engines(systems: &Systems) -> Vec<Builtin> {
    let obedient = Builtin {
        name: "obedient".parse().unwrap(),
        plugin_type: domain::PluginType::Secret,
        version: "v1.0.0+builtin".parse().unwrap(),
        makes: Makes::Backends(Arc::new(Making(systems.clone()))),
    };
    [vec![obedient], engines::builtins()].concat()
}
