//! Logins with a name and a password.

mod login;
mod password;
mod user;
mod users;

#[cfg(test)]
mod tests;

use std::sync::{Arc, LazyLock};

use tenon::{
    Backend, BackendKind, Config, Host, Operation, Result,
    framework::{Engine, Path, field},
};
use tokio::sync::Mutex;

use crate::{VERSION, auth::with_token_fields};

/// One mount.
struct Userpass {
    host: Host,
    /// Changes of users take turns: each reads what it changes.
    changing: Mutex<()>,
}

/// One table for all mounts.
static ENGINE: LazyLock<Arc<Engine<Userpass>>> = LazyLock::new(|| Arc::new(engine()));

/// Sets up one mount.
///
/// # Errors
/// None; the signature is that of a factory.
pub async fn create(_: Config, host: Host) -> Result<Arc<dyn Backend>> {
    Ok(ENGINE.mounted(Userpass { host, changing: Mutex::default() }))
}

fn engine() -> Engine<Userpass> {
    let name = || field::string("Name of the user; in lower case, however it is written.");
    let password = || field::string("The password.");
    let policies = || field::comma_list("Use token_policies; if both are given, only that is used.");
    let users = Path::new("users").help("Lists the users.", "").list(Userpass::list);
    let user = Path::new("users/{username}")
        .help(
            "Makes, reads and removes users.",
            "A user logs in with a password, and gets a token as told here.",
        )
        .field("username", name())
        .field("password", password())
        .field("password_hash", field::string("A bcrypt hash of the password, instead of the password."))
        .field("policies", policies())
        .field("ttl", field::seconds("Use token_ttl; if both are given, only that is used."))
        .field("max_ttl", field::seconds("Use token_max_ttl; if both are given, only that is used."))
        .field(
            "bound_cidrs",
            field::comma_list("Use token_bound_cidrs; if both are given, only that is used."),
        )
        .exists(Userpass::exists)
        .read(Userpass::read)
        .write(Userpass::write)
        .delete(Userpass::delete);
    let change_password = Path::new("users/{username}/password")
        .help("Changes a user's password.", "")
        .field("username", name())
        .field("password", password())
        .field("password_hash", field::string("A bcrypt hash of the password, instead of the password."))
        .write(Userpass::change_password);
    let change_policies = Path::new("users/{username}/policies")
        .help("Changes a user's policies.", "")
        .field("username", name())
        .field("policies", policies())
        .field("token_policies", field::comma_list("The policies of the token."))
        .write(Userpass::change_policies);
    let login = Path::new("login/{username}")
        .help("Logs a user in.", "")
        .field("username", name())
        .field("password", password())
        .write(Userpass::log_in)
        .on(&[Operation::AliasLookahead], Userpass::look_ahead);
    Engine::new(BackendKind::Auth)
        .version(VERSION)
        .help("Logs users in who have a name and a password.")
        .open(&["login/*"])
        .path(users)
        .path(with_token_fields(user))
        .path(change_password)
        .path(change_policies)
        .path(login)
        .renew_login(Userpass::renew)
}
