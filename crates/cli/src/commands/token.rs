use serde_json::json;

use crate::{
    Error,
    client::{Request, Secret},
    error::Result,
    leaf::{
        Flag,
        Kind::{Duration, List, Number, Pairs, Text, Truth},
        Leaf, Prints,
    },
    session::Session,
};

const ACCESSOR: &[Flag] = &[Flag::own(Truth, "accessor", "What is given is the token's accessor.")];

const CREATE: &[Flag] = &[
    Flag::new(Text, "id", "id", "The token itself; made up if it is not given."),
    Flag::new(Text, "display-name", "display_name", "What it is called in the log of requests."),
    Flag::new(Duration, "ttl", "ttl", "How long it lasts.").or(&["lease"]),
    Flag::new(Duration, "explicit-max-ttl", "explicit_max_ttl", "How long it may be made to last."),
    Flag::new(Duration, "period", "period", "It lasts for ever if it is renewed so often."),
    Flag::new(Truth, "renewable", "renewable", "It may be renewed; true by itself."),
    Flag::new(Truth, "orphan", "no_parent", "It outlives the token that made it."),
    Flag::new(Truth, "no-default-policy", "no_default_policy", "It does not have the policy default."),
    Flag::new(Number, "use-limit", "num_uses", "For how many requests it is good."),
    Flag::new(Text, "type", "type", "service or batch."),
    Flag::new(Pairs, "metadata", "meta", "What is noted about it, as KEY=VALUE."),
    Flag::new(List, "policy", "policies", "A policy that it has."),
    Flag::new(Text, "entity-alias", "entity_alias", "Whose it is; takes -role."),
    Flag::own(Text, "role", "The role that it is made with."),
];

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "token create",
        about: "Make a token.",
        takes: &[],
        flags: &[CREATE],
        prints: Prints::Field,
        run: create,
    },
    Leaf {
        words: "token lookup",
        about: "Tell about a token; about the one that asks if none is given.",
        takes: &["[TOKEN]"],
        flags: &[ACCESSOR],
        prints: Prints::Field,
        run: lookup,
    },
    Leaf {
        words: "token renew",
        about: "Make a token last longer; the one that asks if none is given.",
        takes: &["[TOKEN]"],
        flags: &[
            ACCESSOR,
            &[Flag::new(Duration, "increment", "increment", "For how long from now.").or(&["i"])],
        ],
        prints: Prints::Format,
        run: renew,
    },
    Leaf {
        words: "token revoke",
        about: "Revoke a token, and all that came of it.",
        takes: &["[TOKEN]"],
        flags: &[
            ACCESSOR,
            &[
                Flag::own(Truth, "self", "The token that asks."),
                Flag::own(
                    Text,
                    "mode",
                    "orphan: what came of it stays. path: all of the path that is given.",
                ),
            ],
        ],
        prints: Prints::Words,
        run: revoke,
    },
    Leaf {
        words: "token capabilities",
        about: "Tell what a token may do at a path; the one that asks if none is given.",
        takes: &["TOKEN_OR_PATH", "[PATH]"],
        flags: &[ACCESSOR],
        prints: Prints::Format,
        run: capabilities,
    },
];

fn create(session: &Session<'_>) -> Result<()> {
    let path = session
        .given
        .text("role")
        .map_or_else(|| "auth/token/create".to_owned(), |role| format!("auth/token/create/{role}"));
    let answer = session.ask(&Request::post(path, session.body()?), || "Error creating token".to_owned())?;
    show(session, answer.secret()?)
}

fn show(session: &Session<'_>, secret: Option<Secret>) -> Result<()> {
    session.out.secret(&secret.ok_or_else(|| Error::nothing("the server answered with nothing"))?)
}

fn lookup(session: &Session<'_>) -> Result<()> {
    let request = match (session.given.text("TOKEN"), session.given.on("accessor")) {
        (None, true) => return Err(no_accessor()),
        (None, false) => Request::get("auth/token/lookup-self"),
        (Some(token), false) => Request::post("auth/token/lookup", json!({ "token": token })),
        (Some(accessor), true) => {
            Request::post("auth/token/lookup-accessor", json!({ "accessor": accessor }))
        }
    };
    show(session, session.ask(&request, || "Error looking up token".to_owned())?.secret()?)
}

fn no_accessor() -> Error {
    Error::local("Not enough arguments with -accessor (expected 1, got 0)")
}

fn renew(session: &Session<'_>) -> Result<()> {
    let mut body = session.body()?;
    let path = match (session.given.text("TOKEN"), session.given.on("accessor")) {
        (None, true) => return Err(no_accessor()),
        (None, false) => "auth/token/renew-self",
        (Some(token), false) => {
            body.insert("token".to_owned(), token.into());
            "auth/token/renew"
        }
        (Some(accessor), true) => {
            body.insert("accessor".to_owned(), accessor.into());
            "auth/token/renew-accessor"
        }
    };
    let answer = session.ask(&Request::put(path, body), || "Error renewing token".to_owned())?;
    show(session, answer.secret()?)
}

fn revoke(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let (token, mode) = (given.text("TOKEN"), given.text("mode").unwrap_or_default());
    let request = match (token, given.on("self"), given.on("accessor"), mode) {
        (Some(_), true, ..) => return Err(Error::local("Too many arguments with -self (expected 0, got 1)")),
        (None, false, ..) => return Err(Error::local("Not enough arguments (expected 1, got 0)")),
        (_, true, true, _) => return Err(Error::local("Cannot use -accessor with -self")),
        (_, true, false, "") => Request::act("auth/token/revoke-self"),
        (_, true, false, _) => return Err(Error::local("Cannot use -mode with -self")),
        (Some(accessor), false, true, "") => {
            Request::put("auth/token/revoke-accessor", json!({ "accessor": accessor }))
        }
        (Some(_), false, true, mode) => {
            return Err(Error::local(format!("Cannot use -accessor with -mode={mode}")));
        }
        (Some(token), false, false, "") => Request::put("auth/token/revoke", json!({ "token": token })),
        (Some(token), false, false, "orphan") => {
            Request::put("auth/token/revoke-orphan", json!({ "token": token }))
        }
        (Some(path), false, false, "path") => Request::act(format!("sys/revoke-prefix/{path}")),
        _ => return Err(Error::local(format!("Invalid mode: {mode}"))),
    };
    session.ask(&request, || "Error revoking token".to_owned())?;
    session.out.say("Success! Revoked token (if it existed)");
    Ok(())
}

fn capabilities(session: &Session<'_>) -> Result<()> {
    let (first, second) = (session.given.place("TOKEN_OR_PATH"), session.given.text("PATH"));
    let request = match (second, session.given.on("accessor")) {
        (None, true) => return Err(Error::local("Not enough arguments with -accessor (expected 2, got 1)")),
        (None, false) => Request::post("sys/capabilities-self", json!({ "paths": [first] })),
        (Some(path), false) => Request::post("sys/capabilities", json!({ "token": first, "paths": [path] })),
        (Some(path), true) => {
            Request::post("sys/capabilities-accessor", json!({ "accessor": first, "paths": [path] }))
        }
    };
    let answer = session.ask(&request, || "Error listing capabilities".to_owned())?.data()?;
    let mut names: Vec<&str> = answer[second.unwrap_or(first)]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str())
        .collect();
    names.sort_unstable();
    if names.is_empty() {
        return Err(Error::nothing("No capabilities found"));
    }
    if session.out.is_table() {
        session.out.say(names.join(", "));
        return Ok(());
    }
    session.out.document(&names)
}

#[cfg(test)]
mod tests {
    use domain::Token;

    use super::*;

    #[test]
    fn a_token_in_a_request_is_not_shown_by_it() {
        let request = Request::get("auth/token/lookup-self").by(Token::new("hvs.hidden".to_owned()));
        assert!(!format!("{request:?}").contains("hidden"));
    }
}
