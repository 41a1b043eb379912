use serde_json::json;

use crate::{
    Error,
    client::Request,
    error::Result,
    leaf::{
        Flag,
        Kind::{Duration, Truth},
        Leaf, Prints,
    },
    session::Session,
};

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "lease lookup",
        about: "Tell about a lease.",
        takes: &["ID"],
        flags: &[],
        prints: Prints::Format,
        run: lookup,
    },
    Leaf {
        words: "lease renew",
        about: "Make a lease last longer.",
        takes: &["ID"],
        flags: &[&[Flag::new(Duration, "increment", "increment", "For how long from now.").or(&["i"])]],
        prints: Prints::Format,
        run: renew,
    },
    Leaf {
        words: "lease revoke",
        about: "Revoke a lease, or all below a prefix.",
        takes: &["ID"],
        flags: &[&[
            Flag::own(Truth, "prefix", "What is given is a prefix."),
            Flag::own(
                Truth,
                "force",
                "They are forgotten even if the plugin cannot undo them; takes -prefix.",
            )
            .or(&["f"]),
            Flag::own(Truth, "sync", "Waits until it is done."),
        ]],
        prints: Prints::Words,
        run: revoke,
    },
];

fn lookup(session: &Session<'_>) -> Result<()> {
    let id = session.given.place("ID");
    let request = Request::put("sys/leases/lookup", json!({ "lease_id": id }));
    let answer = session.ask(&request, || format!("error looking up lease id {id}"))?;
    session.out.secret(&answer.secret()?.unwrap_or_default())
}

fn renew(session: &Session<'_>) -> Result<()> {
    let id = session.given.place("ID");
    let mut body = session.body()?;
    body.insert("lease_id".to_owned(), id.into());
    let answer =
        session.ask(&Request::put("sys/leases/renew", body), || format!("Error renewing lease: {id}"))?;
    session.out.secret(&answer.secret()?.unwrap_or_default())
}

fn revoke(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let (id, sync) = (given.place("ID"), given.on("sync"));
    let (request, done) = match (given.on("prefix"), given.on("force")) {
        (false, true) => return Err(Error::local("Specifying -force requires also specifying -prefix")),
        (true, true) => {
            session
                .out
                .warn("Warning! Leases that are forgotten by force may stay in force where they are from.\n");
            (
                Request::act(format!("sys/leases/revoke-force/{id}")),
                format!("Success! Force revoked any leases with prefix: {id}"),
            )
        }
        (true, false) => {
            let request = Request::put(format!("sys/leases/revoke-prefix/{id}"), json!({ "sync": sync }));
            (request, format!("Success! Revoked any leases with prefix: {id}"))
        }
        (false, false) => {
            let request = Request::put("sys/leases/revoke", json!({ "lease_id": id, "sync": sync }));
            (request, format!("Success! Revoked lease: {id}"))
        }
    };
    session.ask(&request, || format!("Error revoking lease {id}"))?;
    session.out.say(if sync || given.on("force") {
        done
    } else {
        "All revocation operations queued successfully!".to_owned()
    });
    Ok(())
}
