use std::{collections::BTreeMap, sync::RwLock};

use bytes::Bytes;
use tonic::{Request, Response, Status, async_trait, service::Routes};
use wire::pb::{
    self, Empty,
    events_server::{Events, EventsServer},
    observations_server::{Observations, ObservationsServer},
    storage_server::{Storage, StorageServer},
    system_view_server::{SystemView, SystemViewServer},
};

type Reply<T> = Result<Response<T>, Status>;

/// The replication state `disabled`, for performance and disaster recovery.
const NOT_REPLICATED: i32 = 4096 + 8192;
const MONTH: i64 = 768 * 3600 * 1_000_000_000;

/// Everything that a mount's plugin may call.
pub fn services() -> Routes {
    Routes::new(StorageServer::new(Map::default()).max_decoding_message_size(wire::PLUGIN_MESSAGE_LIMIT))
        .add_service(SystemViewServer::new(Constant))
        .add_service(EventsServer::new(Constant))
        .add_service(ObservationsServer::new(Constant))
}

/// Storage that is as fast as storage can be.
#[derive(Default)]
struct Map(RwLock<BTreeMap<String, Bytes>>);

/// Answers that are always the same.
struct Constant;

fn reply<T>(message: T) -> Reply<T> {
    Ok(Response::new(message))
}

fn poisoned<T>(_: T) -> Status {
    Status::internal("the map is broken")
}

#[async_trait]
impl Storage for Map {
    async fn list(&self, request: Request<pb::StorageListArgs>) -> Reply<pb::StorageListReply> {
        let prefix = request.into_inner().prefix;
        let map = self.0.read().map_err(poisoned)?;
        let below = map.range(prefix.clone()..).map_while(|(key, _)| key.strip_prefix(&prefix));
        let mut keys: Vec<String> =
            below.map(|rest| rest.split_inclusive('/').next().unwrap_or_default().to_owned()).collect();
        keys.dedup();
        reply(pb::StorageListReply { keys, err: String::new() })
    }

    async fn get(&self, request: Request<pb::StorageGetArgs>) -> Reply<pb::StorageGetReply> {
        let key = request.into_inner().key;
        let value = self.0.read().map_err(poisoned)?.get(&key).cloned();
        let entry = value.map(|value| pb::StorageEntry { key, value, seal_wrap: false });
        reply(pb::StorageGetReply { entry, err: String::new() })
    }

    async fn put(&self, request: Request<pb::StoragePutArgs>) -> Reply<pb::StoragePutReply> {
        let entry = request.into_inner().entry.unwrap_or_default();
        self.0.write().map_err(poisoned)?.insert(entry.key, entry.value);
        reply(pb::StoragePutReply::default())
    }

    async fn delete(&self, request: Request<pb::StorageDeleteArgs>) -> Reply<pb::StorageDeleteReply> {
        self.0.write().map_err(poisoned)?.remove(&request.into_inner().key);
        reply(pb::StorageDeleteReply::default())
    }
}

#[async_trait]
impl Events for Constant {
    async fn send_event(&self, _: Request<pb::SendEventRequest>) -> Reply<Empty> {
        reply(Empty {})
    }
}

#[async_trait]
impl Observations for Constant {
    async fn record_observation(&self, _: Request<pb::RecordObservationRequest>) -> Reply<Empty> {
        reply(Empty {})
    }
}

#[async_trait]
impl SystemView for Constant {
    async fn default_lease_ttl(&self, _: Request<Empty>) -> Reply<pb::TtlReply> {
        reply(pb::TtlReply { ttl: MONTH })
    }

    async fn max_lease_ttl(&self, _: Request<Empty>) -> Reply<pb::TtlReply> {
        reply(pb::TtlReply { ttl: MONTH })
    }

    async fn tainted(&self, _: Request<Empty>) -> Reply<pb::TaintedReply> {
        reply(pb::TaintedReply::default())
    }

    async fn caching_disabled(&self, _: Request<Empty>) -> Reply<pb::CachingDisabledReply> {
        reply(pb::CachingDisabledReply::default())
    }

    async fn replication_state(&self, _: Request<Empty>) -> Reply<pb::ReplicationStateReply> {
        reply(pb::ReplicationStateReply { state: NOT_REPLICATED })
    }

    async fn response_wrap_data(
        &self,
        _: Request<pb::ResponseWrapDataArgs>,
    ) -> Reply<pb::ResponseWrapDataReply> {
        reply(pb::ResponseWrapDataReply::default())
    }

    async fn mlock_enabled(&self, _: Request<Empty>) -> Reply<pb::MlockEnabledReply> {
        reply(pb::MlockEnabledReply::default())
    }

    async fn local_mount(&self, _: Request<Empty>) -> Reply<pb::LocalMountReply> {
        reply(pb::LocalMountReply::default())
    }

    async fn entity_info(&self, _: Request<pb::EntityInfoArgs>) -> Reply<pb::EntityInfoReply> {
        reply(pb::EntityInfoReply::default())
    }

    async fn plugin_env(&self, _: Request<Empty>) -> Reply<pb::PluginEnvReply> {
        reply(pb::PluginEnvReply::default())
    }

    async fn groups_for_entity(&self, _: Request<pb::EntityInfoArgs>) -> Reply<pb::GroupsForEntityReply> {
        reply(pb::GroupsForEntityReply::default())
    }

    async fn generate_password_from_policy(
        &self,
        _: Request<pb::GeneratePasswordFromPolicyRequest>,
    ) -> Reply<pb::GeneratePasswordFromPolicyReply> {
        reply(pb::GeneratePasswordFromPolicyReply::default())
    }

    async fn cluster_info(&self, _: Request<Empty>) -> Reply<pb::ClusterInfoReply> {
        reply(pb::ClusterInfoReply::default())
    }

    async fn generate_identity_token(
        &self,
        _: Request<pb::GenerateIdentityTokenRequest>,
    ) -> Reply<pb::GenerateIdentityTokenResponse> {
        reply(pb::GenerateIdentityTokenResponse::default())
    }

    async fn register_rotation_job(
        &self,
        _: Request<pb::RegisterRotationJobRequest>,
    ) -> Reply<pb::RegisterRotationJobResponse> {
        reply(pb::RegisterRotationJobResponse::default())
    }

    async fn deregister_rotation_job(&self, _: Request<pb::DeregisterRotationJobRequest>) -> Reply<Empty> {
        reply(Empty {})
    }
}
