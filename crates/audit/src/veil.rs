use std::borrow::Cow;

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};

use crate::{Record, Salt, Veiled, VeiledJson, options::Style, redact};

/// What a device shows of secrets.
#[derive(Debug)]
pub(crate) struct Veil {
    pub(crate) salt: Salt,
    pub(crate) style: Style,
}

impl Veil {
    pub(crate) fn text(&self, veiled: &mut Veiled<'_>) {
        self.lift(veiled, self.style.raw);
    }

    pub(crate) fn accessor(&self, veiled: &mut Veiled<'_>) {
        self.lift(veiled, self.style.raw || !self.style.hmac_accessor);
    }

    fn lift(&self, veiled: &mut Veiled<'_>, raw: bool) {
        if let Veiled::Secret(text) = *veiled {
            let shown =
                if raw || text.is_empty() { text.to_owned() } else { self.salt.hash(text.as_bytes()) };
            *veiled = Veiled::Shown(Cow::Owned(shown));
        }
    }

    pub(crate) fn json(&self, veiled: &mut VeiledJson<'_>, clear: &[String], is_list: bool) {
        if let VeiledJson::Secret(json) = *veiled
            && !veiled.is_empty()
        {
            let shown = self.members(json, clear);
            let elided = (is_list && self.style.elide_lists).then(|| redact::elided(&shown)).flatten();
            *veiled = VeiledJson::Shown(elided.unwrap_or(shown));
        }
    }

    fn members(&self, json: &[u8], clear: &[String]) -> Box<RawValue> {
        let raw = || RawValue::from_string(String::from_utf8(json.to_vec()).ok()?).ok();
        let hashed = || redact::redacted(json, clear, |text| self.salt.hash(text));
        let shown = if self.style.raw { raw() } else { hashed() };
        // What is no JSON is still something that was sent.
        shown.unwrap_or_else(|| to_raw_value(&self.salt.hash(json)).expect("a text has a form in JSON"))
    }

    /// A record as the device writes it, with its line break.
    pub(crate) fn line(&self, record: &Record<'_>) -> Bytes {
        let mut record = record.clone();
        record.show(self);
        let mut line = self.style.prefix.clone().into_bytes();
        serde_json::to_writer(&mut line, &record).expect("a record has a form in JSON");
        line.push(b'\n');
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Auth, Options, Request, Response, Secret, WrapInfo};

    fn veil(pairs: &[(&str, &str)], salt: u8) -> Veil {
        let options: Options =
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Veil { salt: Salt::new(&[salt; 32]), style: Style::read(&options, true).unwrap() }
    }

    fn record() -> Record<'static> {
        let secret = Veiled::Secret("canary");
        let auth = Auth { accessor: secret.clone(), client_token: secret.clone(), ..Auth::default() };
        let wrapped = WrapInfo {
            accessor: secret.clone(),
            token: secret.clone(),
            wrapped_accessor: secret.clone(),
            ..WrapInfo::default()
        };
        Record {
            auth: Some(auth.clone()),
            request: Some(Request {
                client_token: secret.clone(),
                client_token_accessor: secret.clone(),
                data: VeiledJson::Secret(br#"{"a":"canary","b":[{"c":"canary"}]}"#),
                headers: [("x-a", vec![secret.clone()])].into(),
                ..Request::default()
            }),
            response: Some(Response {
                auth: Some(auth),
                data: VeiledJson::Secret(br#"{"keys":["canary","x"]}"#),
                headers: [("x-b", vec![secret.clone()])].into(),
                redirect: secret.clone(),
                secret: Some(Secret { lease_id: "a/b" }),
                warnings: vec![secret],
                wrap_info: Some(wrapped),
                is_list: true,
                ..Response::default()
            }),
            r#type: "response",
            ..Record::default()
        }
    }

    fn line(veil: &Veil) -> String {
        String::from_utf8(veil.line(&record()).to_vec()).unwrap()
    }

    fn hash() -> String {
        veil(&[], 1).salt.hash(b"canary")
    }

    #[test]
    fn a3_nothing_secret_is_in_a_record() {
        let line = line(&veil(&[], 1));
        assert!(!line.contains("canary") && !line.contains("[secret]"), "{line}");
        assert!(line.ends_with("}\n"));
        assert_eq!(line.matches(&hash()).count(), 16, "{line}");
    }

    #[test]
    fn a4_options_of_a_device_are_its_own() {
        let hash = hash();
        let seen = |pairs: &[(&str, &str)], salt| {
            let line = line(&veil(pairs, salt));
            (line.matches("\"canary\"").count(), line.matches(&hash).count(), line)
        };
        assert_eq!(seen(&[("log_raw", "true")], 1).0, 16);
        let (clear, hashed, _) = seen(&[("hmac_accessor", "false")], 1);
        assert_eq!((clear, hashed), (5, 11));
        assert_eq!(seen(&[], 2).1, 0);
        let (_, _, elided) = seen(&[("elide_list_responses", "true")], 1);
        assert!(elided.contains(r#""data":{"keys":2}"#), "{elided}");
        let (_, _, prefixed) = seen(&[("prefix", "@cee: ")], 1);
        assert!(prefixed.starts_with("@cee: {"), "{prefixed}");
        assert_eq!(seen(&[], 1).1, 16);
    }

    #[test]
    fn members_are_in_order_and_empty_ones_left_out() {
        let line = line(&veil(&[("log_raw", "1")], 1));
        let value: Value = serde_json::from_str(&line).unwrap();
        // This map sorts its keys.
        assert_eq!(serde_json::to_string(&value).unwrap(), line.trim_end());
        assert_eq!(value["request"]["data"], json!({"a": "canary", "b": [{"c": "canary"}]}));
        assert!(value.get("error").is_none() && value["request"].get("mount_type").is_none());
    }
}
