use std::borrow::Cow;

use bytes::Bytes;
use indexmap::IndexMap;
use serde_json::value::RawValue;
use wire::router::v1::Envelope;

/// The keys of every envelope, in Vault's order.
const KEYS: [&str; 9] = [
    "request_id",
    "lease_id",
    "renewable",
    "lease_duration",
    "data",
    "wrap_info",
    "warnings",
    "auth",
    "mount_type",
];

/// Writes an envelope around the bytes of its parts, which stay as they are: whoever made it has seen that each is JSON.
///
/// # Errors
/// Data that are to stand on top too, and are no object.
pub fn render(envelope: &Envelope) -> Result<Bytes, serde_json::Error> {
    let parts = envelope.data.len() + envelope.auth.len() + envelope.wrap_info.len();
    let mut out = Vec::with_capacity(parts + 320);
    out.extend_from_slice(br#"{"request_id":"#);
    serde_json::to_writer(&mut out, &envelope.request_id)?;
    out.extend_from_slice(br#","lease_id":"#);
    serde_json::to_writer(&mut out, &envelope.lease_id)?;
    out.extend_from_slice(br#","renewable":"#);
    serde_json::to_writer(&mut out, &envelope.renewable)?;
    out.extend_from_slice(br#","lease_duration":"#);
    serde_json::to_writer(&mut out, &envelope.lease_duration)?;
    out.extend_from_slice(br#","data":"#);
    part(&mut out, &envelope.data);
    out.extend_from_slice(br#","wrap_info":"#);
    part(&mut out, &envelope.wrap_info);
    out.extend_from_slice(br#","warnings":"#);
    let warnings = Some(&envelope.warnings).filter(|warnings| !warnings.is_empty());
    serde_json::to_writer(&mut out, &warnings)?;
    out.extend_from_slice(br#","auth":"#);
    part(&mut out, &envelope.auth);
    out.extend_from_slice(br#","mount_type":"#);
    serde_json::to_writer(&mut out, &envelope.mount_type)?;
    if envelope.data_on_top {
        members(&mut out, &envelope.data)?;
    }
    out.extend_from_slice(b"}\n");
    Ok(out.into())
}

fn part(out: &mut Vec<u8>, json: &[u8]) {
    out.extend_from_slice(if json.is_empty() { b"null" } else { json });
}

/// Every member of an object once more, except those whose name is the envelope's own.
fn members(out: &mut Vec<u8>, object: &[u8]) -> Result<(), serde_json::Error> {
    if object.is_empty() {
        return Ok(());
    }
    let all: IndexMap<Cow<'_, str>, &RawValue> = serde_json::from_slice(object)?;
    for (name, value) in all.iter().filter(|(name, _)| !KEYS.contains(&name.as_ref())) {
        out.push(b',');
        serde_json::to_writer(&mut *out, name)?;
        out.push(b':');
        out.extend_from_slice(value.get().as_bytes());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(envelope: &Envelope) -> String {
        String::from_utf8(render(envelope).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn every_key_is_there_in_vaults_order() {
        assert_eq!(
            text(&Envelope::default()),
            concat!(
                r#"{"request_id":"","lease_id":"","renewable":false,"lease_duration":0,"data":null,"#,
                r#""wrap_info":null,"warnings":null,"auth":null,"mount_type":""}"#,
                "\n"
            )
        );
    }

    #[test]
    fn data_stays_as_it_is() {
        let envelope = Envelope {
            request_id: "id".to_owned(),
            lease_duration: 2_764_800,
            data: Bytes::from_static(br#"{"big":12345678901234567890,"f":1.50}"#),
            warnings: vec!["a \"b\"".to_owned()],
            mount_type: "kv".to_owned(),
            ..Envelope::default()
        };
        assert_eq!(
            text(&envelope),
            concat!(
                r#"{"request_id":"id","lease_id":"","renewable":false,"lease_duration":2764800,"#,
                r#""data":{"big":12345678901234567890,"f":1.50},"wrap_info":null,"warnings":["a \"b\""],"#,
                r#""auth":null,"mount_type":"kv"}"#,
                "\n"
            )
        );
    }

    #[test]
    fn members_stand_on_top_too_but_never_over_the_envelopes_own() {
        let envelope = Envelope {
            data: Bytes::from_static(br#"{"keys":["a"],"data":1,"x\"y":{"auth":2}}"#),
            data_on_top: true,
            ..Envelope::default()
        };
        let answer = text(&envelope);
        assert!(
            answer.ends_with("\"mount_type\":\"\",\"keys\":[\"a\"],\"x\\\"y\":{\"auth\":2}}\n"),
            "{answer}"
        );
        assert!(
            text(&Envelope { data_on_top: true, ..Envelope::default() }).ends_with("\"mount_type\":\"\"}\n")
        );
    }

    #[test]
    fn only_an_object_stands_on_top() {
        for (data, stands) in [("{}", true), ("", true), ("null", false), ("[1]", false)] {
            let data = Bytes::from_static(data.as_bytes());
            let envelope = Envelope { data, data_on_top: true, ..Envelope::default() };
            assert_eq!(render(&envelope).is_ok(), stands, "{envelope:?}");
        }
    }
}
