use proptest::prelude::*;
use serde_json::{Map, Value as Json};

use super::*;

fn checked(text: &str) -> Result<bool, Refused> {
    check(text, &Limits::default())
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}", open.repeat(times), close.repeat(times))
}

#[test]
fn an_object_is_data_and_nothing_is_no_data() {
    for text in ["{}", r#" {"a":1} "#, r#"{"a":[1,2.5e3,-0],"b":{"c":null,"d":true}}"#, r#"{"\u0061":"\n"}"#]
    {
        assert_eq!(checked(text), Ok(true), "{text}");
    }
    for text in ["null", r#""""#, " null\n"] {
        assert_eq!(checked(text), Ok(false), "{text}");
    }
}

#[test]
fn every_refusal_says_what_vault_says() {
    for (text, sentence) in [
        (r#"{"a":"#, "malformed JSON, unclosed containers"),
        ("[", "malformed JSON, unclosed containers"),
        ("{}x", "invalid character 'x' after top-level value"),
        ("{}\n {}", "invalid character '{' after top-level value"),
        (r#"{"a":"b","a":"c"}"#, "duplicate key 'a' in object"),
        (r#"{"o":{"a":1,"\u0061":2}}"#, "duplicate key 'a' in object"),
        (
            r#"["a"]"#,
            "error parsing JSON: failed to parse JSON input: json: cannot unmarshal array into Go value of type map[string]interface {}",
        ),
    ] {
        assert_eq!(checked(text).unwrap_err().to_string(), sentence, "{text}");
    }
    for (text, what) in [("1", "number"), ("-1.5e300", "number"), (r#""x""#, "string"), ("true", "bool")] {
        assert_eq!(checked(text), Err(Refused::NotAnObject(what)), "{text}");
    }
    for text in ["{a}", "{'a':1}", "\u{feff}{}", "01", r#"{"a":1,}"#, r#"{"a":"\ud800"}"#, "{\"a\":\"\n\"}"] {
        assert!(checked(text).is_err(), "{text}");
    }
}

#[test]
fn a_long_key_is_not_repeated_to_the_client() {
    let key = "k".repeat(65);
    assert_eq!(
        checked(&format!(r#"{{"{key}":1,"{key}":2}}"#)).unwrap_err().to_string(),
        "duplicate key '...' in object"
    );
}

#[test]
fn g2_each_limit_is_met_exactly() {
    let limits = Limits { depth: 3, string: 4, number: 1024, entries: 2, elements: 2, tokens: 12 };
    let checked = |text: &str| check(text, &limits);
    assert_eq!(checked(r#"{"a":[[1]]}"#), Ok(true));
    assert_eq!(checked(r#"{"a":[[[]]]}"#), Err(Refused::Depth));
    assert_eq!(checked(r#"{"abcd":"äö"}"#), Ok(true));
    assert_eq!(checked(r#"{"a":"äöü"}"#), Err(Refused::String));
    assert_eq!(checked(r#"{"abcde":""}"#), Err(Refused::String));
    assert_eq!(checked(r#"{"a":1,"b":2,"c":3}"#), Err(Refused::Entries));
    assert_eq!(checked(r#"{"a":[1,2,3]}"#), Err(Refused::Elements));
    assert_eq!(checked(r#"{"a":[1,2],"b":[3,4]}"#), Ok(true));
    assert_eq!(checked(r#"{"a":[1,2],"b":[3,[]]}"#), Err(Refused::Tokens));
}

#[test]
fn a_number_has_so_many_digits() {
    let limits = Limits { number: 5, ..Limits::default() };
    for (text, expected) in [(r#"{"a":1.234}"#, Ok(true)), (r#"{"a":1.2345}"#, Err(Refused::Number))] {
        assert_eq!(check(text, &limits), expected, "{text}");
    }
}

#[test]
fn g2_vaults_own_limits_stand() {
    assert_eq!(checked(&nested(r#"{"a":"#, "1", "}", 300)), Ok(true));
    assert_eq!(checked(&nested(r#"{"a":"#, "1", "}", 301)), Err(Refused::Depth));
    let full = vec!["0"; 10_000].join(",");
    assert_eq!(checked(&format!(r#"{{"a":[{full}]}}"#)), Ok(true));
    assert_eq!(checked(&format!(r#"{{"a":[{full},0]}}"#)), Err(Refused::Elements));
    let members = (0..=10_000).map(|n| format!(r#""{n}":0"#)).collect::<Vec<_>>().join(",");
    assert_eq!(checked(&format!("{{{members}}}")), Err(Refused::Entries));
    let rows = vec![format!("[{full}]"); 50].join(",");
    assert_eq!(checked(&format!(r#"{{"a":[{rows}]}}"#)), Err(Refused::Tokens));
    assert_eq!(checked(&format!(r#"{{"a":"{}"}}"#, "x".repeat((1 << 20) + 1))), Err(Refused::String));
}

#[test]
fn thirty_two_mebibytes_of_openings_end_early() {
    for opening in ["[", r#"{"a":"#] {
        assert_eq!(checked(&opening.repeat((32 << 20) / opening.len())), Err(Refused::Depth));
    }
}

#[test]
fn the_librarys_own_words_cannot_be_smuggled_in() {
    for text in [
        r#"{"$serde_json::private::RawValue":"[1]"}"#,
        r#"{"a":{"$serde_json::private::RawValue":"[1]"}}"#,
        r#"{"a":{"$serde_json::private::Number":"x"}}"#,
        r#"{"a":{"$serde_json::private::Number":"1","b":[]}}"#,
        r#"{"a":{"b":1,"$serde_json::private::Number":"1"}}"#,
        r#"{"$serde_json::private::Number":{"$serde_json::private::Number":{}}}"#,
    ] {
        assert!(checked(text).is_err(), "{text}");
    }
}

fn json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(Json::from),
        ".{0,12}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Json::from),
            prop::collection::hash_map(".{0,6}", inner, 0..6)
                .prop_map(|members| Json::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_is_taken(value in json()) {
        let expected = match &value {
            Json::Object(_) => Ok(true),
            Json::Null => Ok(false),
            Json::String(text) if text.is_empty() => Ok(false),
            _ => Err(()),
        };
        prop_assert_eq!(checked(&value.to_string()).map_err(drop), expected);
    }

    #[test]
    fn what_is_taken_is_json(text in r#"[\[\]{}",:0-9a\\eE+.\-tnul ]{0,24}"#) {
        let value = serde_json::from_str::<Json>(&text);
        match checked(&text) {
            Ok(true) => prop_assert!(value.unwrap().is_object()),
            Ok(false) => prop_assert!(matches!(value.unwrap(), Json::Null | Json::String(_))),
            // Only a duplicate key, or something other than an object, is refused though it is JSON.
            Err(Refused::Duplicate(_) | Refused::NotAnObject(_)) => prop_assert!(value.is_ok()),
            Err(_) => prop_assert!(value.is_err()),
        }
    }

    #[test]
    fn an_object_cut_short_is_not_taken(value in json(), cut in any::<prop::sample::Index>()) {
        let text = format!(r#"{{"a":{value}}}"#);
        let end = cut.index(text.len());
        prop_assume!(text.is_char_boundary(end));
        prop_assert!(checked(&text[..end]).is_err());
    }
}
