use std::sync::Arc;

use tenon::{
    Error, Request, Response, Result,
    framework::{NoInput, Outcome},
};

use super::{
    Databases,
    configs::Named,
    roles::not_unique,
    rotate::StaticWal,
    static_role::{StaticRole, Wish},
    store::{STATIC_ROLES, key},
};

impl Databases {
    pub(super) async fn list_static_roles(self: Arc<Self>, _: Request, _: NoInput) -> Outcome {
        Ok(Some(Response::keys(&self.names(STATIC_ROLES).await?)))
    }

    pub(super) async fn static_role_exists(self: Arc<Self>, _: Request, named: Named) -> Result<bool> {
        Ok(self.static_role(&named.name).await?.is_some())
    }

    pub(super) async fn read_static_role(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let role = self.static_role(&named.name).await?;
        role.map(|role| Response::json(&role.view())).transpose()
    }

    /// A new role takes its user over: the user's credentials are changed at once.
    pub(super) async fn write_static_role(self: Arc<Self>, _: Request, wish: Wish) -> Outcome {
        let name = wish.name.clone();
        let _turn = self.roles.lock(&name).await;
        if self.role(&name).await?.is_some() {
            return Err(not_unique());
        }
        let known = self.static_role(&name).await?;
        let is_new = known.is_none();
        let mut role = StaticRole::wished(known, wish, self.now())?;
        let config = self.known_config(&role.db_name).await?;
        config.allow(&name)?;
        config.support(role.credentials.kind()?)?;
        role.skip_import_rotation |= is_new && config.skip_static_role_import_rotation;
        if is_new && !role.skip_import_rotation {
            if let Err(error) = self.rotate(&name, role).await {
                // The role does not come to be, and with it what was to be its password.
                self.forget_static_wal(&name).await?;
                return Err(error);
            }
        } else {
            self.save(STATIC_ROLES, &name, &role).await?;
            self.queue.plan_for(&name, role.next_vault_rotation);
        }
        self.keep_rotating();
        Ok(None)
    }

    /// The role and what was left half done about it go together.
    pub(super) async fn delete_static_role(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let _turn = self.roles.lock(&named.name).await;
        self.queue.forget(&named.name);
        self.host.storage.delete(key(STATIC_ROLES, &named.name)?).await?;
        self.forget_static_wal(&named.name).await?;
        Ok(None)
    }

    pub(super) async fn read_static_creds(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let unknown = || Error::refused(format!("unknown role: {}", named.name));
        let role = self.static_role(&named.name).await?.ok_or_else(unknown)?;
        self.known_config(&role.db_name).await?.allow(&named.name)?;
        Response::json(&role.creds(self.now())).map(Some)
    }

    pub(super) async fn rotate_role(self: Arc<Self>, _: Request, named: Named) -> Outcome {
        let name = &named.name;
        let _turn = self.roles.lock(name).await;
        let unknown = || Error::refused("no static role found for role name");
        let role = self.static_role(name).await?.ok_or_else(unknown)?;
        if let Err(error) = self.rotate(name, role).await {
            self.queue.plan_again(name, self.now());
            let advice = "unable to finish rotating credentials; retries will continue in the background but it is also \
                          safe to retry manually";
            return Err(match error {
                Error::Other(why) => Error::Other(format!("{advice}: {why}")),
                error => error,
            });
        }
        Ok(None)
    }

    /// Takes out what was written down about changes of a role's credentials that nobody finishes any more.
    async fn forget_static_wal(&self, name: &str) -> Result<()> {
        for entry in self.wal.entries().await? {
            if StaticWal::of(&entry).is_some_and(|wal| wal.role_name == name) {
                self.wal.delete(&entry.id).await?;
            }
        }
        self.unfinished().remove(name);
        Ok(())
    }
}
