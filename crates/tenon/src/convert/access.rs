use wire::{logical, pb};

use super::{
    NULL, incoming, outgoing,
    time::{from_nanos, from_timestamp, to_nanos, to_timestamp},
};
use crate::{Alias, Auth, LeaseOptions, Secret};

impl From<LeaseOptions> for pb::LeaseOptions {
    fn from(lease: LeaseOptions) -> Self {
        Self {
            ttl: to_nanos(lease.ttl),
            renewable: lease.renewable,
            increment: to_nanos(lease.increment),
            issue_time: Some(to_timestamp(lease.issue_time)),
            max_ttl: to_nanos(lease.max_ttl),
        }
    }
}

impl From<pb::LeaseOptions> for LeaseOptions {
    fn from(lease: pb::LeaseOptions) -> Self {
        Self {
            ttl: from_nanos(lease.ttl),
            max_ttl: from_nanos(lease.max_ttl),
            renewable: lease.renewable,
            increment: from_nanos(lease.increment),
            issue_time: from_timestamp(lease.issue_time),
        }
    }
}

impl From<Secret> for pb::Secret {
    fn from(secret: Secret) -> Self {
        Self {
            lease_options: Some(secret.lease.into()),
            internal_data: outgoing(secret.internal_data, NULL),
            lease_id: secret.lease_id,
        }
    }
}

impl From<pb::Secret> for Secret {
    fn from(secret: pb::Secret) -> Self {
        Self {
            lease: secret.lease_options.map(Into::into).unwrap_or_default(),
            internal_data: incoming(secret.internal_data),
            lease_id: secret.lease_id,
        }
    }
}

impl From<Auth> for pb::Auth {
    fn from(auth: Auth) -> Self {
        Self {
            lease_options: Some(auth.lease.into()),
            internal_data: outgoing(auth.internal_data, NULL),
            display_name: auth.display_name,
            policies: auth.policies,
            metadata: auth.metadata,
            client_token: auth.client_token,
            accessor: auth.accessor,
            period: to_nanos(auth.period),
            num_uses: auth.num_uses,
            entity_id: auth.entity_id,
            alias: auth.alias.map(Into::into),
            group_aliases: auth.group_aliases.into_iter().map(Into::into).collect(),
            bound_cidrs: auth.bound_cidrs,
            token_policies: auth.token_policies,
            identity_policies: auth.identity_policies,
            explicit_max_ttl: to_nanos(auth.explicit_max_ttl),
            token_type: auth.token_type,
            no_default_policy: auth.no_default_policy,
        }
    }
}

impl From<pb::Auth> for Auth {
    fn from(auth: pb::Auth) -> Self {
        Self {
            lease: auth.lease_options.map(Into::into).unwrap_or_default(),
            internal_data: incoming(auth.internal_data),
            display_name: auth.display_name,
            policies: auth.policies,
            token_policies: auth.token_policies,
            identity_policies: auth.identity_policies,
            metadata: auth.metadata,
            client_token: auth.client_token,
            accessor: auth.accessor,
            period: from_nanos(auth.period),
            explicit_max_ttl: from_nanos(auth.explicit_max_ttl),
            num_uses: auth.num_uses,
            entity_id: auth.entity_id,
            alias: auth.alias.map(Into::into),
            group_aliases: auth.group_aliases.into_iter().map(Into::into).collect(),
            bound_cidrs: auth.bound_cidrs,
            token_type: auth.token_type,
            no_default_policy: auth.no_default_policy,
        }
    }
}

impl From<Alias> for logical::Alias {
    fn from(alias: Alias) -> Self {
        Self {
            mount_type: alias.mount_type,
            mount_accessor: alias.mount_accessor,
            name: alias.name,
            metadata: alias.metadata,
            id: alias.id,
            namespace_id: alias.namespace_id,
            custom_metadata: alias.custom_metadata,
            local: alias.local,
        }
    }
}

impl From<logical::Alias> for Alias {
    fn from(alias: logical::Alias) -> Self {
        Self {
            mount_type: alias.mount_type,
            mount_accessor: alias.mount_accessor,
            name: alias.name,
            metadata: alias.metadata,
            id: alias.id,
            namespace_id: alias.namespace_id,
            custom_metadata: alias.custom_metadata,
            local: alias.local,
        }
    }
}
