use std::{sync::Arc, time::Duration};

use tenon::{
    Builtin, Reason,
    database::{Database, Error, NewUser, Result, Settings, Statements, UpdateUser},
};
use tokio::time::timeout;
use tonic::async_trait;

use crate::{builtin::caught, host::Host, meters::PluginMeters};

/// A connection that a part of the host serves.
pub(super) struct InProcess {
    name: String,
    database: Arc<dyn Database>,
    limit: Duration,
    meters: Arc<PluginMeters>,
}

impl InProcess {
    pub(super) fn new(host: &Host, builtin: &Builtin, database: Arc<dyn Database>) -> Self {
        let name = builtin.name.to_string();
        let meters = host.meters.of(&name, builtin.plugin_type.word(), &builtin.version.to_string());
        Self { database, limit: host.config.request_deadline, meters, name }
    }

    /// A panic, or a call without an end, harms this call only.
    async fn call<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let _inside = self.meters.call();
        match timeout(self.limit, caught(&self.name, work)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(panicked)) => Err(Error::Failed(panicked.to_string())),
            Err(_) => {
                let late = crate::Error::Timeout { plugin: self.name.clone(), limit: self.limit };
                Err(Error::Failed(late.to_string()))
            }
        }
    }
}

#[async_trait]
impl Database for InProcess {
    async fn type_name(&self) -> Result<String> {
        self.call(self.database.type_name()).await
    }

    async fn initialize(&self, settings: Settings, verify: bool) -> Result<Settings> {
        self.call(self.database.initialize(settings, verify)).await
    }

    async fn new_user(&self, request: NewUser) -> Result<String> {
        self.call(self.database.new_user(request)).await
    }

    async fn update_user(&self, request: UpdateUser) -> Result<()> {
        self.call(self.database.update_user(request)).await
    }

    async fn delete_user(&self, username: &str, statements: Statements) -> Result<()> {
        self.call(self.database.delete_user(username, statements)).await
    }

    async fn close(&self, reason: Reason) -> Result<()> {
        self.call(self.database.close(reason)).await
    }
}
