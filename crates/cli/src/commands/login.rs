use domain::Token;
use serde_json::{Map, Value, json};

use crate::{
    Error,
    client::{Auth, Request, Secret},
    error::Result,
    helper::Helper,
    leaf::{Flag, Kind, Leaf, Prints},
    output::wrapped,
    prompt,
    session::{Session, trimmed},
    values,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "login",
    about: "Log in, and keep the token for the commands that follow.",
    takes: &["[AUTH...]"],
    flags: &[&[
        Flag::own(Kind::Text, "method", "token, userpass, ldap, approle or jwt."),
        Flag::own(Kind::Text, "path", "Where the method is enabled; the name of the method by itself."),
        Flag::own(Kind::Truth, "no-store", "The token is not kept."),
        Flag::own(Kind::Truth, "no-print", "The token is not printed."),
        Flag::own(Kind::Truth, "token-only", "Prints the token alone, and does not keep it."),
    ]],
    prints: Prints::Field,
    run: login,
}];

/// How one logs in by a method.
#[derive(Debug)]
pub(super) struct Method {
    /// Its name, which it is enabled at, too, if nobody says otherwise.
    pub name: &'static str,
    /// What it wants, as KEY=VALUE.
    pub wants: &'static [Want],
}

/// One thing that a method wants.
#[derive(Debug)]
pub(super) struct Want {
    pub key: &'static str,
    pub is: Is,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Is {
    /// The last part of the path.
    Path,
    /// It has to be there, and is asked for if it is not.
    Hidden,
    /// It has to be there.
    Needed,
    /// It may be there.
    Optional,
}

const PASSWORD: &[Want] = &[Want { key: "username", is: Is::Path }, Want { key: "password", is: Is::Hidden }];

/// Those that there are beside the tokens themselves.
pub(super) const METHODS: &[Method] = &[
    Method { name: "userpass", wants: PASSWORD },
    Method { name: "ldap", wants: PASSWORD },
    Method {
        name: "approle",
        wants: &[Want { key: "role_id", is: Is::Needed }, Want { key: "secret_id", is: Is::Hidden }],
    },
    Method {
        name: "jwt",
        wants: &[Want { key: "jwt", is: Is::Hidden }, Want { key: "role", is: Is::Optional }],
    },
];

fn login(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let name = given.text("method").unwrap_or("token").trim_end_matches('/').to_lowercase();
    let path = given.text("path").map_or_else(|| name.clone(), trimmed);
    let words = given.many("AUTH");
    let secret = match METHODS.iter().find(|method| method.name == name) {
        Some(method) => by_method(session, method, &path, &words)?,
        None if name == "token" => by_token(session, &words)?,
        None => {
            return Err(Error::local(format!(
                "Unknown auth method: {name}. Use \"{} auth list\" to see those of the server.",
                session.program
            )));
        }
    };
    finish(session, &secret)
}

fn by_method(session: &Session<'_>, method: &Method, path: &str, words: &[String]) -> Result<Secret> {
    let mut body = values::written(words)?;
    let mut path = format!("auth/{path}/login");
    for want in method.wants {
        let value = body.get(want.key).and_then(Value::as_str);
        match (want.is, value) {
            (Is::Optional, _) | (Is::Needed, Some(_)) => {}
            (Is::Path, Some(value)) => {
                path = format!("{path}/{value}");
                body.remove(want.key);
            }
            (Is::Hidden, value) => {
                let value = prompt::secret(session, value, want.key)?;
                body.insert(want.key.to_owned(), value.into());
            }
            (Is::Path | Is::Needed, None) => {
                return Err(Error::local(format!("'{}' must be specified", want.key)));
            }
        }
    }
    let answer = session.client()?.ask(&Request { anonymous: true, ..Request::put(path, body) });
    let doing = || "Error authenticating".to_owned();
    let answer = answer.map_err(|failure| Error::Asked { doing: doing(), failure })?;
    answer
        .secret()?
        .ok_or_else(|| Error::nothing("Error authenticating: the server answered without a token"))
}

/// A token logs in by being one.
fn by_token(session: &Session<'_>, words: &[String]) -> Result<Secret> {
    let given = match words {
        [] => None,
        [word] => Some(word.strip_prefix("token=").unwrap_or(word)),
        _ => return Err(Error::local("Too many arguments: a token is one word")),
    };
    let token = Token::new(prompt::secret(session, given, "Token")?);
    let request = Request { plain: true, ..Request::get("auth/token/lookup-self") }.by(token.clone());
    let answer = session.ask(&request, || "Error authenticating: error looking up token".to_owned())?;
    let found = answer.secret()?.unwrap_or_default();
    Ok(Secret { auth: Some(auth_of(&token, &found.data.unwrap_or_default())), ..Secret::default() })
}

fn auth_of(token: &Token, found: &Map<String, Value>) -> Auth {
    let text = |name: &str| found.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let texts = |name: &str| -> Option<Vec<String>> {
        Some(
            found.get(name)?.as_array()?.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect(),
        )
    };
    let of_token = texts("policies").unwrap_or_default();
    let of_identity = texts("identity_policies");
    let mut all: Vec<String> = of_token.iter().chain(of_identity.iter().flatten()).cloned().collect();
    all.sort();
    all.dedup();
    Auth {
        client_token: token.expose().clone(),
        accessor: text("accessor"),
        policies: Some(all),
        token_policies: Some(of_token),
        identity_policies: of_identity,
        metadata: found.get("meta").and_then(Value::as_object).cloned(),
        orphan: found.get("orphan") == Some(&json!(true)),
        entity_id: text("entity_id"),
        lease_duration: found.get("ttl").and_then(Value::as_i64).unwrap_or_default(),
        renewable: found.get("renewable") == Some(&json!(true)),
        mfa_requirement: None,
    }
}

/// Keeps the token, and prints it.
fn finish(session: &Session<'_>, secret: &Secret) -> Result<()> {
    let (given, out) = (&session.given, &session.out);
    let token = secret.auth.as_ref().map(|auth| auth.client_token.as_str()).filter(|token| !token.is_empty());
    if given.on("token-only") {
        let wrapping = secret.wrap_info.as_ref().map(|wrap| wrap.token.as_str());
        out.bare(token.or(wrapping).ok_or_else(|| Error::nothing("the server answered without a token"))?);
        return Ok(());
    }
    let stores = !given.on("no-store");
    if let (true, Some(token)) = (stores, token) {
        let helper = Helper::of(session.environment, &session.settings()?.address)?;
        helper.store(&Token::new(token.to_owned()))?;
        if let Some(variable) = session.environment.name_of("TOKEN") {
            out.warn(wrapped(&format!("WARNING! The {variable} environment variable is set! The value of this variable will take precedence; if this is unwanted please unset {variable} or update its value accordingly."), 0) + "\n");
        }
    }
    if given.on("no-print") {
        return Ok(());
    }
    if out.is_table() && out.field.is_none() && token.is_some() {
        out.say(wrapped(&greeting(session.program, stores), 0) + "\n");
    }
    out.secret(secret)
}

fn greeting(program: &str, stores: bool) -> String {
    if stores {
        format!(
            "Success! You are now authenticated. The token information displayed below is already stored in the token helper. \
             You do NOT need to run \"{program} login\" again. Future {program} requests will automatically use this token."
        )
    } else {
        format!(
            "Success! You are now authenticated. The token was not stored in token helper. Set the VAULT_TOKEN environment \
             variable or pass the token below with each request to {program}."
        )
    }
}
