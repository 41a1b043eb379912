//! Logins of machines: a role, named by its role id, and a secret id that belongs to it.

mod fields;
mod login;
mod role;
mod roles;
mod secret_id;
mod secret_ids;
mod store;
mod tidy;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use tenon::{
    Backend, BackendKind, Config, Host, Operation, Result,
    framework::{Engine, Path, field},
};
use tokio::sync::Mutex;

use crate::{VERSION, auth::with_token_fields, locks::Locks};

/// One mount.
struct Approle {
    host: Host,
    /// Changes of roles take turns.
    changing: Mutex<()>,
    /// Uses of one secret id count one after the other, and none brings back what is destroyed meanwhile.
    secret_ids: Locks,
}

/// One table for all mounts.
static ENGINE: LazyLock<Arc<Engine<Approle>>> = LazyLock::new(|| Arc::new(engine()));

/// Sets up one mount.
///
/// # Errors
/// None; the signature is that of a factory.
pub async fn create(_: Config, host: Host) -> Result<Arc<dyn Backend>> {
    Ok(ENGINE.mounted(Approle { host, changing: Mutex::default(), secret_ids: Locks::default() }))
}

fn engine() -> Engine<Approle> {
    let engine = Engine::new(BackendKind::Auth)
        .version(VERSION)
        .help("Logs machines in that know a role id and, mostly, a secret id of that role.")
        .open(&["login"])
        .path(login())
        .path(Path::new("role").help("Lists the roles.", "").list(Approle::list))
        .path(role())
        .path(role_id())
        .path(
            Path::new("tidy/secret-id")
                .help("Removes secret ids whose time is over.", "")
                .write(Approle::tidy),
        )
        .renew_login(Approle::renew)
        .periodically(Approle::remove_expired);
    secret_ids().into_iter().chain(fields::paths()).fold(engine, Engine::path)
}

fn login() -> Path<Approle> {
    Path::new("login")
        .help("Logs a machine in.", "")
        .field("role_id", field::string("The id of the role."))
        .field(
            "secret_id",
            field::string("A secret id of the role; not needed where the role does not bind it."),
        )
        .write(Approle::log_in)
        .on(&[Operation::AliasLookahead, Operation::ResolveRole], Approle::look_ahead)
}

fn role() -> Path<Approle> {
    let role = Path::new("role/{role_name}")
        .help("Makes, reads and removes roles.", "")
        .field("role_name", field::string("Name of the role."))
        .field("role_id", field::string("The id of the role; left out, a random one."))
        .field(
            "bind_secret_id",
            field::bool("Whether a login needs a secret id; it does unless told otherwise."),
        )
        .field(
            "local_secret_ids",
            field::bool("Whether secret ids are for this cluster only; cannot be changed."),
        )
        .field("secret_id_bound_cidrs", field::comma_list("Networks that a login has to come from."))
        .field("bound_cidr_list", field::comma_list("Use secret_id_bound_cidrs."))
        .field("secret_id_num_uses", field::int("How often a secret id can be used; 0: without limit."))
        .field("secret_id_ttl", field::seconds("How long a secret id is good; 0: without end."))
        .field("policies", field::comma_list("Use token_policies; if both are given, only that is used."))
        .field("period", field::seconds("Use token_period; if both are given, only that is used."))
        .exists(Approle::exists)
        .read(Approle::read)
        .write(Approle::write)
        .delete(Approle::delete);
    with_token_fields(role)
}

fn role_id() -> Path<Approle> {
    Path::new("role/{role_name}/role-id")
        .help("Reads and sets the id of a role.", "")
        .field("role_name", field::string("Name of the role."))
        .field("role_id", field::string("The id of the role."))
        .read(Approle::read_role_id)
        .write(Approle::write_role_id)
}

fn secret_ids() -> [Path<Approle>; 6] {
    let path = |pattern: &'static str, help: &'static str| {
        Path::new(pattern).help(help, "").field("role_name", field::string("Name of the role."))
    };
    let made = |path: Path<Approle>| {
        path.field("metadata", field::string("A JSON object of texts, which logins with it carry."))
            .field("cidr_list", field::comma_list("Networks that a login with it has to come from."))
            .field("token_bound_cidrs", field::comma_list("Networks that its tokens can be used from."))
            .field("ttl", field::seconds("How long it is good; at most as long as the role says."))
            .field("num_uses", field::int("How often it can be used; at most as often as the role says."))
    };
    let secret = || field::string("The secret id.");
    let accessor = || field::string("The accessor of the secret id.");
    [
        made(path("role/{role_name}/secret-id", "Makes a secret id, and lists the accessors of all."))
            .write(Approle::make_secret_id)
            .list(Approle::list_secret_ids),
        made(path("role/{role_name}/custom-secret-id", "Takes a secret id of the caller's choice."))
            .field("secret_id", secret())
            .write(Approle::take_secret_id),
        path("role/{role_name}/secret-id/lookup", "Tells about a secret id.")
            .field("secret_id", secret())
            .write(Approle::look_up),
        path("role/{role_name}/secret-id/destroy", "Removes a secret id.")
            .field("secret_id", secret())
            .write(Approle::destroy)
            .delete(Approle::destroy),
        path("role/{role_name}/secret-id-accessor/lookup", "Tells about a secret id, by its accessor.")
            .field("secret_id_accessor", accessor())
            .write(Approle::look_up_accessor),
        path("role/{role_name}/secret-id-accessor/destroy", "Removes a secret id, by its accessor.")
            .field("secret_id_accessor", accessor())
            .write(Approle::destroy_accessor)
            .delete(Approle::destroy_accessor),
    ]
}
