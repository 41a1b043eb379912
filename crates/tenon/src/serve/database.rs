use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tonic::{Request, Response, Status, async_trait};
use wire::{
    dbplugin::{self as v5, database_server},
    logical::{self, plugin_version_server::PluginVersion},
};

use super::multiplex_id;
use crate::{
    Reason,
    convert::database::{settings_of, to_struct},
    database::{Database, DatabaseFactory, Error, Statements},
};

/// The plugin's end of `dbplugin.v5.Database`: finds the connection that a call is about, and lets it answer.
pub(super) struct DatabaseService<F> {
    factory: F,
    version: &'static str,
    by_id: Mutex<HashMap<String, Arc<dyn Database>>>,
}

impl<F: DatabaseFactory> DatabaseService<F> {
    pub(super) fn new(factory: F, version: &'static str) -> Arc<Self> {
        Arc::new(Self { factory, version, by_id: Mutex::default() })
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<String, Arc<dyn Database>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connection that a call is about; it is made if it is not there.
    fn open<T>(&self, call: &Request<T>) -> Result<Arc<dyn Database>, Status> {
        let id = multiplex_id(call.metadata())?.to_owned();
        Ok(Arc::clone(self.by_id().entry(id).or_insert_with(|| self.factory.create())))
    }

    /// The connection that a call is about, if it was made before.
    fn opened<T>(&self, call: &Request<T>) -> Result<Arc<dyn Database>, Status> {
        let id = multiplex_id(call.metadata())?;
        self.by_id().get(id).cloned().ok_or_else(|| Status::unknown("no database instance found"))
    }
}

/// What is told of a failure, after what was being done. The sentences are those of Go's plugins.
fn failed(doing: &str) -> impl Fn(Error) -> Status {
    move |error| match error {
        Error::Invalid(sentence) => Status::invalid_argument(sentence),
        Error::Unsupported(sentence) => Status::unimplemented(sentence),
        error => Status::internal(format!("{doing}: {error}")),
    }
}

#[async_trait]
impl<F: DatabaseFactory> database_server::Database for DatabaseService<F> {
    async fn initialize(
        &self,
        call: Request<v5::InitializeRequest>,
    ) -> Result<Response<v5::InitializeResponse>, Status> {
        let database = self.open(&call)?;
        let v5::InitializeRequest { config_data, verify_connection } = call.into_inner();
        let kept = database.initialize(settings_of(config_data), verify_connection).await;
        let config_data = Some(to_struct(kept.map_err(failed("failed to initialize"))?));
        Ok(Response::new(v5::InitializeResponse { config_data }))
    }

    async fn new_user(
        &self,
        call: Request<v5::NewUserRequest>,
    ) -> Result<Response<v5::NewUserResponse>, Status> {
        let failed = failed("unable to create new user");
        let database = self.opened(&call)?;
        let request = call.into_inner().try_into().map_err(&failed)?;
        let username = database.new_user(request).await.map_err(&failed)?;
        Ok(Response::new(v5::NewUserResponse { username }))
    }

    async fn update_user(
        &self,
        call: Request<v5::UpdateUserRequest>,
    ) -> Result<Response<v5::UpdateUserResponse>, Status> {
        let failed = failed("unable to update user");
        let database = self.opened(&call)?;
        let request = call.into_inner().try_into().map_err(&failed)?;
        database.update_user(request).await.map_err(&failed)?;
        Ok(Response::new(v5::UpdateUserResponse {}))
    }

    async fn delete_user(
        &self,
        call: Request<v5::DeleteUserRequest>,
    ) -> Result<Response<v5::DeleteUserResponse>, Status> {
        let database = self.opened(&call)?;
        let v5::DeleteUserRequest { username, statements } = call.into_inner();
        if username.is_empty() {
            return Err(Status::invalid_argument("no username provided"));
        }
        let deleted = database.delete_user(&username, Statements::from(statements)).await;
        deleted.map_err(failed("unable to delete user"))?;
        Ok(Response::new(v5::DeleteUserResponse {}))
    }

    async fn r#type(&self, call: Request<v5::Empty>) -> Result<Response<v5::TypeResponse>, Status> {
        let name = self.open(&call)?.type_name().await;
        let r#type = name.map_err(failed("unable to retrieve type"))?;
        Ok(Response::new(v5::TypeResponse { r#type }))
    }

    /// Afterwards the id is unknown.
    async fn close(&self, call: Request<v5::Empty>) -> Result<Response<v5::Empty>, Status> {
        let database = self.opened(&call)?;
        self.by_id().remove(multiplex_id(call.metadata())?);
        // A host does not say why.
        database.close(Reason::Disabled).await.map_err(failed("unable to close database plugin"))?;
        Ok(Response::new(v5::Empty {}))
    }
}

#[async_trait]
impl<F: DatabaseFactory> PluginVersion for DatabaseService<F> {
    /// Asked without an id, when the plugin is registered.
    async fn version(&self, _: Request<logical::Empty>) -> Result<Response<logical::VersionReply>, Status> {
        Ok(Response::new(logical::VersionReply { plugin_version: self.version.to_owned() }))
    }
}
