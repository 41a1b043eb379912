use tenon::framework::{Path, field};

use super::Databases;

/// All paths of the engine.
pub(super) fn all() -> Vec<Path<Databases>> {
    vec![
        Path::new("config").help("Lists the connections.", "").list(Databases::list_configs),
        config(),
        Path::new("reset/{name}")
            .help("Closes a connection, and opens it anew.", "")
            .field("name", field::string("Name of the connection."))
            .write(Databases::reset),
        Path::new("reload/{plugin_name}")
            .help("Closes all connections of a plugin, and opens them anew.", "")
            .field("plugin_name", field::string("Name of the database plugin."))
            .write(Databases::reload),
        Path::new("rotate-root/{name}")
            .help(
                "Changes the password of a connection's root user.",
                "Nobody but this engine knows it from then on. Wherever the change is cut off, the engine finds out which \
                 password the user has.",
            )
            .field("name", field::string("Name of the connection."))
            .write(Databases::rotate_root),
        Path::new("roles").help("Lists the roles.", "").list(Databases::list_roles),
        role(),
        Path::new("creds/{name}")
            .help("Makes a user for a role.", "The user lives as long as the lease.")
            .field("name", field::string("Name of the role."))
            .read(Databases::read_creds),
        Path::new("static-roles").help("Lists the static roles.", "").list(Databases::list_static_roles),
        static_role(),
        Path::new("static-creds/{name}")
            .help("Tells the credentials of a static role's user.", "")
            .field("name", field::string("Name of the static role."))
            .read(Databases::read_static_creds),
        Path::new("rotate-role/{name}")
            .help("Changes the credentials of a static role's user now.", "")
            .field("name", field::string("Name of the static role."))
            .write(Databases::rotate_role),
    ]
}

fn config() -> Path<Databases> {
    Path::new("config/{name}")
        .help(
            "Makes, reads, changes and removes connections to databases.",
            "Besides the fields below it takes those that the database plugin knows: mostly connection_url, username and \
             password.",
        )
        .field("name", field::string("Name of the connection."))
        .field("plugin_name", field::string("Name of the database plugin."))
        .field("plugin_version", field::string("Its version; left out, the one that the catalog chooses."))
        .field("verify_connection", field::bool("Whether the database is reached for; it is unless told otherwise."))
        .field("allowed_roles", field::comma_list("Roles that may use it; * stands for any text."))
        .field("root_rotation_statements", field::list("What changes the root user's password."))
        .field("password_policy", field::string("Name of the policy that passwords are made after."))
        .field(
            "skip_static_role_import_rotation",
            field::bool("Whether new static roles keep the credentials that their users have."),
        )
        .field("rotation_period", field::seconds("Not supported: use rotate-root."))
        .field("rotation_schedule", field::string("Not supported: use rotate-root."))
        .field("rotation_window", field::seconds("Not supported: use rotate-root."))
        .field("disable_automated_rotation", field::bool("Root credentials are never rotated by themselves."))
        .any_input()
        .exists(Databases::config_exists)
        .read(Databases::read_config)
        .write(Databases::write_config)
        .delete(Databases::delete_config)
}

fn role() -> Path<Databases> {
    let role = Path::new("roles/{name}")
        .help("Makes, reads, changes and removes roles, whose users are made when they are asked for.", "")
        .field("name", field::string("Name of the role."))
        .field("creation_statements", field::list("What makes a user."))
        .field("renew_statements", field::list("What lets a user live longer."))
        .field("revocation_statements", field::list("What removes a user."))
        .field("rollback_statements", field::list("What removes what is left when a user could not be made."))
        .field("default_ttl", field::seconds("How long a user lives; 0: as long as the mount says."))
        .field("max_ttl", field::seconds("How long a user lives at most; 0: as long as the mount says."));
    credentials(role)
        .exists(Databases::role_exists)
        .read(Databases::read_role)
        .write(Databases::write_role)
        .delete(Databases::delete_role)
}

fn static_role() -> Path<Databases> {
    let role = Path::new("static-roles/{name}")
        .help("Makes, reads, changes and removes static roles, each of which stands for one user of a database.", "")
        .field("name", field::string("Name of the static role."))
        .field("username", field::string("The user; cannot be changed."))
        .field("rotation_statements", field::list("What changes the user's credentials."))
        .field("rotation_period", field::seconds("After how long they are changed again."))
        .field("rotation_schedule", field::string("When they are changed: a line as cron has it, in UTC."))
        .field("rotation_window", field::seconds("How long after that they may still be changed; at least an hour."))
        .field("skip_import_rotation", field::bool("Whether they stay as they are when the role is made."));
    credentials(role)
        .exists(Databases::static_role_exists)
        .read(Databases::read_static_role)
        .write(Databases::write_static_role)
        .delete(Databases::delete_static_role)
}

fn credentials(path: Path<Databases>) -> Path<Databases> {
    path.field("db_name", field::string("Name of the connection."))
        .field("credential_type", field::string("password, rsa_private_key or client_certificate."))
        .field("credential_config", field::pairs("How they are made: depends on their type."))
}
