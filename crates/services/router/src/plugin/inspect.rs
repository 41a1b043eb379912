use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::{Error, error::Result};

/// The members of a plugin's answer that have a meaning for the host, as they were written. Found in the one pass that
/// checks that the whole is JSON; the rest is passed on unseen.
#[derive(Debug, Default)]
pub(crate) struct Data<'d> {
    /// How many members there are; none too when the data are `null`.
    pub(crate) count: usize,
    pub(super) error: Option<&'d RawValue>,
    pub(super) data: Option<&'d RawValue>,
    pub(super) keys: Option<&'d RawValue>,
    pub(super) http_content_type: Option<&'d RawValue>,
    pub(super) http_status_code: Option<&'d RawValue>,
    pub(super) http_raw_body: Option<&'d RawValue>,
    pub(super) http_raw_cache_control: Option<&'d RawValue>,
    pub(super) http_raw_pragma: Option<&'d RawValue>,
    pub(super) http_www_authenticate: Option<&'d RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Member {
    Error,
    Data,
    Keys,
    HttpContentType,
    HttpStatusCode,
    HttpRawBody,
    HttpRawCacheControl,
    HttpRawPragma,
    HttpWwwAuthenticate,
    #[serde(other)]
    Other,
}

impl<'d> Data<'d> {
    /// Reads the data of an answer; empty: there are none.
    pub(crate) fn of(bytes: &'d [u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Ok(Self::default());
        }
        let text = std::str::from_utf8(bytes).map_err(|error| Error::BadAnswer(error.to_string()))?;
        serde_json::from_str(text).map_err(|error| Error::BadAnswer(error.to_string()))
    }

    /// Whether the whole is an error: nothing but the sentence, or the sentence and more about it.
    pub(super) fn is_error(&self) -> bool {
        let others = usize::from(self.data.is_some());
        self.error.is_some() && self.count == 1 + others
    }

    pub(super) fn error_text(&self) -> Option<String> {
        self.error.map(text_of)
    }
}

/// The text that a value is; anything else is shown as it is written.
pub(super) fn text_of(value: &RawValue) -> String {
    serde_json::from_str(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

impl<'de> Deserialize<'de> for Data<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Data<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object or null")
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Data::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut found = Data::default();
                while let Some(member) = map.next_key()? {
                    found.count += 1;
                    let slot = match member {
                        Member::Error => &mut found.error,
                        Member::Data => &mut found.data,
                        Member::Keys => &mut found.keys,
                        Member::HttpContentType => &mut found.http_content_type,
                        Member::HttpStatusCode => &mut found.http_status_code,
                        Member::HttpRawBody => &mut found.http_raw_body,
                        Member::HttpRawCacheControl => &mut found.http_raw_cache_control,
                        Member::HttpRawPragma => &mut found.http_raw_pragma,
                        Member::HttpWwwAuthenticate => &mut found.http_www_authenticate,
                        Member::Other => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    };
                    let value: &RawValue = map.next_value()?;
                    *slot = (value.get() != "null").then_some(value);
                }
                Ok(found)
            }
        }

        deserializer.deserialize_any(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_a_meaning_are_found_and_others_only_counted() {
        let data = Data::of(br#"{"a":{"error":1},"keys":["x"],"http_status_code":404,"b":[1,2]}"#).unwrap();
        assert_eq!(data.count, 4);
        assert_eq!(data.keys.unwrap().get(), r#"["x"]"#);
        assert_eq!(data.http_status_code.unwrap().get(), "404");
        assert!(data.error.is_none());
    }

    #[test]
    fn an_answer_is_an_error_when_it_says_nothing_else() {
        let is_error = |text: &str| Data::of(text.as_bytes()).unwrap().is_error();
        assert!(is_error(r#"{"error":"no"}"#));
        assert!(is_error(r#"{"error":"no","data":{"a":1}}"#));
        assert!(!is_error(r#"{"error":"no","value":1}"#));
        assert!(!is_error(r#"{"error":null}"#));
        assert!(!is_error("null"));
        assert!(!is_error(""));
    }

    #[test]
    fn what_is_no_json_object_is_refused() {
        for bad in ["[1]", "{", "{\"a\":1} x", "\"text\"", "{\"a\":\"\u{1}\"}"] {
            assert!(Data::of(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(Data::of(b"{\"a\":\"\xff\"}").is_err());
    }

    #[test]
    fn depth_is_no_danger() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Data::of(deep.as_bytes()).is_ok());
    }
}
