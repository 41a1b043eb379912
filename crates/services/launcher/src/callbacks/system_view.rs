use std::sync::Arc;

use tenon::{System, convert::to_nanos};
use tonic::{Request, Response, Status};
use wire::{
    launcher::v1::{WrapData, answer_request::Answer, question::Asks},
    logical,
    pb::{self, Empty, system_view_server},
};

use crate::{questions::Unanswered, system::MountSystem};

/// Replication as Vault numbers it: neither performance nor disaster recovery replication is on.
const NOT_REPLICATED: i32 = 4096 + 8192;

/// What a plugin may ask of its surroundings. What a plugin asks before every request is
/// answered from memory.
pub struct SystemView(pub Arc<MountSystem>);

type Reply<T> = Result<Response<T>, Status>;

#[expect(clippy::unnecessary_wraps, reason = "the shape that every method of the service has")]
fn reply<T>(message: T) -> Reply<T> {
    Ok(Response::new(message))
}

#[tonic::async_trait]
impl system_view_server::SystemView for SystemView {
    async fn default_lease_ttl(&self, _: Request<Empty>) -> Reply<pb::TtlReply> {
        reply(pb::TtlReply { ttl: to_nanos(self.0.default_lease_ttl()) })
    }

    async fn max_lease_ttl(&self, _: Request<Empty>) -> Reply<pb::TtlReply> {
        reply(pb::TtlReply { ttl: to_nanos(self.0.max_lease_ttl()) })
    }

    async fn tainted(&self, _: Request<Empty>) -> Reply<pb::TaintedReply> {
        reply(pb::TaintedReply { tainted: self.0.tainted() })
    }

    async fn caching_disabled(&self, _: Request<Empty>) -> Reply<pb::CachingDisabledReply> {
        reply(pb::CachingDisabledReply { disabled: self.0.caching_disabled() })
    }

    async fn replication_state(&self, _: Request<Empty>) -> Reply<pb::ReplicationStateReply> {
        reply(pb::ReplicationStateReply { state: NOT_REPLICATED })
    }

    async fn response_wrap_data(
        &self,
        request: Request<pb::ResponseWrapDataArgs>,
    ) -> Reply<pb::ResponseWrapDataReply> {
        let pb::ResponseWrapDataArgs { data, ttl, jwt } = request.into_inner();
        if data.is_empty() {
            return Err(Status::unknown("unexpected end of JSON input"));
        }
        let (wrap_info, err) = match self.0.ask(Asks::Wrap(WrapData { data, ttl, jwt })).await {
            Ok(Answer::WrapInfo(info)) => (Some(info), String::new()),
            Ok(Answer::Refusal(why)) => (None, why),
            Ok(Answer::Password(_)) => (None, Unanswered.to_string()),
            Err(unanswered) => (None, unanswered.to_string()),
        };
        reply(pb::ResponseWrapDataReply { wrap_info, err })
    }

    async fn mlock_enabled(&self, _: Request<Empty>) -> Reply<pb::MlockEnabledReply> {
        reply(pb::MlockEnabledReply { enabled: self.0.mlock_enabled() })
    }

    async fn local_mount(&self, _: Request<Empty>) -> Reply<pb::LocalMountReply> {
        reply(pb::LocalMountReply { local: self.0.local_mount() })
    }

    async fn entity_info(&self, request: Request<pb::EntityInfoArgs>) -> Reply<pb::EntityInfoReply> {
        let person = self.0.people.find(&request.into_inner().entity_id);
        reply(pb::EntityInfoReply { entity: person.and_then(|person| person.entity), err: String::new() })
    }

    async fn plugin_env(&self, _: Request<Empty>) -> Reply<pb::PluginEnvReply> {
        let environment = logical::PluginEnvironment {
            vault_version: self.0.host_version(),
            // Go reads a missing date as 1970.
            ..Default::default()
        };
        reply(pb::PluginEnvReply { plugin_environment: Some(environment), err: String::new() })
    }

    async fn groups_for_entity(
        &self,
        request: Request<pb::EntityInfoArgs>,
    ) -> Reply<pb::GroupsForEntityReply> {
        let person = self.0.people.find(&request.into_inner().entity_id).unwrap_or_default();
        reply(pb::GroupsForEntityReply { groups: person.groups, err: String::new() })
    }

    async fn generate_password_from_policy(
        &self,
        request: Request<pb::GeneratePasswordFromPolicyRequest>,
    ) -> Reply<pb::GeneratePasswordFromPolicyReply> {
        let policy = request.into_inner().policy_name;
        if policy.is_empty() {
            return Err(Status::invalid_argument("no password policy specified"));
        }
        match self.0.generate_password(&policy).await {
            Ok(password) => {
                reply(pb::GeneratePasswordFromPolicyReply { password: password.expose().clone() })
            }
            Err(error) => Err(Status::internal(error.to_string())),
        }
    }

    async fn cluster_info(&self, _: Request<Empty>) -> Reply<pb::ClusterInfoReply> {
        let cluster = self.0.cluster();
        reply(pb::ClusterInfoReply { cluster_name: cluster.name, cluster_id: cluster.id, err: String::new() })
    }

    async fn generate_identity_token(
        &self,
        _: Request<pb::GenerateIdentityTokenRequest>,
    ) -> Reply<pb::GenerateIdentityTokenResponse> {
        let text = "failed to generate plugin identity token: plugin workload identity is not supported";
        Err(Status::internal(text))
    }

    async fn register_rotation_job(
        &self,
        request: Request<pb::RegisterRotationJobRequest>,
    ) -> Reply<pb::RegisterRotationJobResponse> {
        if request.into_inner().job.is_none() {
            return Err(Status::invalid_argument("the rotation job is missing"));
        }
        let text = "error registering rotation job: rotation manager capabilities are not supported";
        Err(Status::internal(text))
    }

    async fn deregister_rotation_job(
        &self,
        request: Request<pb::DeregisterRotationJobRequest>,
    ) -> Reply<Empty> {
        if request.into_inner().req.is_none() {
            return Err(Status::invalid_argument("the rotation request is missing"));
        }
        // Engines call this on nearly every change of their configuration, rotation or not.
        reply(Empty {})
    }
}
