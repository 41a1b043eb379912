use std::sync::Arc;

use tenon::{
    Error, Request, Response, Result,
    framework::{NoInput, Outcome},
};

use super::{
    Databases,
    configs::Named,
    role::{Role, Wish},
    store::ROLES,
};

/// Users of both kinds of roles are asked for by name.
pub(super) fn not_unique() -> Error {
    Error::refused("Role and Static Role names must be unique")
}

impl Databases {
    pub(super) async fn list_roles(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        Ok(Some(Response::keys(&self.names(ROLES).await?)))
    }

    pub(super) async fn role_exists(self: Arc<Self>, _: Request, named: Named) -> Result<bool> {
        Ok(self.role(&named.name).await?.is_some())
    }

    pub(super) async fn read_role(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let role = self.role(&named.name).await?;
        role.map(|role| Response::json(&role.view())).transpose()
    }

    pub(super) async fn write_role(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        let name = wish.name.clone();
        let _turn = self.roles.lock(&name).await;
        if self.static_role(&name).await?.is_some() {
            return Err(not_unique());
        }
        let role = Role::wished(self.role(&name).await?, wish)?;
        self.save(ROLES, &name, &role).await?;
        Ok(None)
    }

    pub(super) async fn delete_role(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let _turn = self.roles.lock(&named.name).await;
        self.remove(ROLES, &named.name).await?;
        Ok(None)
    }
}
