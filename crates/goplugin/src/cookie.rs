/// What tells a plugin that a host started it, and not a user by hand. It is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cookie {
    /// The environment variable that carries it.
    pub key: &'static str,
    /// What the variable has to hold.
    pub value: &'static str,
}

impl Cookie {
    /// The cookie of secrets engines and auth methods.
    pub const BACKEND: Self =
        Self { key: "VAULT_BACKEND_PLUGIN", value: "6669da05-b1c8-4f49-97d9-c8e5bed98e20" };
    /// The cookie of database plugins.
    pub const DATABASE: Self =
        Self { key: "VAULT_DATABASE_PLUGIN", value: "926a0820-aea2-be28-51d6-83cdf00e8edb" };
}
