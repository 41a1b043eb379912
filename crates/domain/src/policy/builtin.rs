/// What the policy `default` says until somebody edits it.
pub const DEFAULT: &str = r#"# What every token may do that does not renounce it.

# Know itself, stay alive, and go.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }

# Learn what it may do.
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/internal/ui/resultant-acl" { capabilities = ["read"] }

# See the entity it belongs to.
path "identity/entity/id/{{identity.entity.id}}" { capabilities = ["read"] }
path "identity/entity/name/{{identity.entity.name}}" { capabilities = ["read"] }

# Look after the leases that it knows the ids of.
path "sys/renew" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }

# Keep something for itself.
path "cubbyhole/*" { capabilities = ["create", "read", "update", "delete", "list"] }

# Hand a secret on in a wrapping, and open one.
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }

# Hash.
path "sys/tools/hash" { capabilities = ["update"] }
path "sys/tools/hash/*" { capabilities = ["update"] }

# Ask how a request for approval stands.
path "sys/control-group/request" { capabilities = ["update"] }

# Log in to other services by its identity.
path "identity/oidc/provider/+/authorize" { capabilities = ["read", "update"] }
"#;

/// What the policy `response-wrapping` says, which only tokens of wrapped answers have.
pub const RESPONSE_WRAPPING: &str = r#"# Take out what is wrapped, once.
path "cubbyhole/response" { capabilities = ["create", "read"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
"#;
