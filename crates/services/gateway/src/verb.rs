use domain::{Operation, parse_bool};
use http::Method;

use crate::{parameters::Parameters, refusal::Refusal};

/// Where the parameters of a request stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    Query,
    Body,
    Nowhere,
}

/// What a verb asks for. Only these operations can be asked for from outside.
///
/// # Errors
/// A verb that Vault's API does not have, or a `list` that is neither true nor false.
pub fn operation(method: &Method, query: &mut Parameters<'_>) -> Result<(Operation, Source), Refusal> {
    Ok(match method.as_str() {
        "HELP" => (Operation::Help, Source::Nowhere),
        "GET" if !query.first("help").is_empty() => (Operation::Help, Source::Nowhere),
        "GET" if asks_for_list(query)? => (Operation::List, Source::Query),
        "GET" => (Operation::Read, Source::Query),
        "LIST" => (Operation::List, Source::Query),
        "PUT" | "POST" => (Operation::Update, Source::Body),
        "PATCH" => (Operation::Patch, Source::Body),
        "DELETE" => (Operation::Delete, Source::Query),
        // Vault asks its backends, too, and none of them knows an answer.
        "OPTIONS" => (Operation::Header, Source::Nowhere),
        "RECOVER" => return Err(Refusal::Snapshot),
        _ => return Err(Refusal::Method),
    })
}

fn asks_for_list(query: &mut Parameters<'_>) -> Result<bool, Refusal> {
    let list = match query.first("list") {
        "" => false,
        text => parse_bool(text).ok_or(Refusal::Parameter)?,
    };
    if list {
        query.remove("list");
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(method: &str, query: &str) -> Result<(Operation, Source), Refusal> {
        operation(&method.parse().unwrap(), &mut Parameters::read(query.as_bytes()))
    }

    #[test]
    fn each_verb_is_one_operation() {
        for (method, query, operation, source) in [
            ("GET", "", Operation::Read, Source::Query),
            ("GET", "list=false", Operation::Read, Source::Query),
            ("GET", "list=", Operation::Read, Source::Query),
            ("GET", "list=True", Operation::List, Source::Query),
            ("GET", "list=1&help=1", Operation::Help, Source::Nowhere),
            ("GET", "help=", Operation::Read, Source::Query),
            ("LIST", "", Operation::List, Source::Query),
            ("PUT", "list=true", Operation::Update, Source::Body),
            ("POST", "help=1", Operation::Update, Source::Body),
            ("PATCH", "", Operation::Patch, Source::Body),
            ("DELETE", "", Operation::Delete, Source::Query),
            ("HELP", "", Operation::Help, Source::Nowhere),
            ("OPTIONS", "", Operation::Header, Source::Nowhere),
        ] {
            assert_eq!(asked(method, query), Ok((operation, source)), "{method} {query}");
        }
    }

    #[test]
    fn r5_nothing_else_can_be_asked_for() {
        for method in
            ["HEAD", "SCAN", "FOO", "TRACE", "CONNECT", "REVOKE", "RENEW", "ROLLBACK", "get", "list"]
        {
            assert_eq!(asked(method, "operation=rollback"), Err(Refusal::Method), "{method}");
        }
        assert_eq!(asked("RECOVER", ""), Err(Refusal::Snapshot));
        assert_eq!(asked("GET", "list=maybe"), Err(Refusal::Parameter));
    }

    #[test]
    fn the_word_list_is_not_handed_on() {
        let mut query = Parameters::read(b"list=true&after=a");
        operation(&Method::GET, &mut query).unwrap();
        assert_eq!(query.into_query_data().unwrap(), r#"{"after":"a"}"#);
    }
}
