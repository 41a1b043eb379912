use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;
use tokio::time::timeout;

use crate::{
    json::{self, Limits},
    parameters::Parameters,
    refusal::Refusal,
};

/// What is set aside at once for a body in pieces, whatever length it claims.
const FIRST_RESERVE: usize = 64 << 10;

/// How long we listen on to a body that is refused for its length. Most clients read no answer before they have sent
/// all; a connection closed under them would hide it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads a body into memory, no more than `limit` bytes of it. A body in one piece is not copied.
pub async fn read<B>(mut body: B, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let claimed = body.size_hint().lower();
    if claimed > limit as u64 {
        return refuse_long(body, claimed, limit).await;
    }
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::BodyBroken)?.into_data() else { continue };
        if first.len() + whole.len() + data.len() > limit {
            return refuse_long(body, 0, limit).await;
        }
        if whole.is_empty() && first.is_empty() {
            first = data;
        } else {
            if whole.is_empty() {
                whole.reserve(FIRST_RESERVE.min(claimed as usize).max(first.len() + data.len()));
                whole.extend_from_slice(&std::mem::take(&mut first));
            }
            whole.extend_from_slice(&data);
        }
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

/// Refuses a body after letting the client send it, as long as that stays bounded.
async fn refuse_long<B>(mut body: B, claimed: u64, limit: usize) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = 2 * limit;
    let ends_soon = claimed <= left as u64;
    let drain = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    if ends_soon {
        // Whether it ended in time or not: the answer is the same.
        let _ = timeout(PATIENCE, drain).await;
    }
    Err(Refusal::BodyTooLarge)
}

/// The parameters that a body holds, as a JSON object; empty when it holds none.
pub fn data(bytes: Bytes, content_type: &str, limits: &Limits) -> Result<Bytes, Refusal> {
    if bytes.is_empty() {
        return Ok(bytes);
    }
    if is_form(&bytes, content_type) {
        return Ok(Parameters::read(&bytes).into_form_data(limits)?);
    }
    let bytes = match std::str::from_utf8(&bytes) {
        Ok(_) => bytes,
        Err(_) => String::from_utf8_lossy(&bytes).into_owned().into(),
    };
    let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::BodyBroken)?;
    if text.trim_ascii().is_empty() {
        return Ok(Bytes::new());
    }
    Ok(if json::check(text, limits)? { bytes } else { Bytes::new() })
}

/// Some clients name this type whatever they send, so the first byte has a say.
fn is_form(bytes: &[u8], content_type: &str) -> bool {
    essence(content_type).eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !matches!(bytes.first(), Some(b'{' | b'['))
}

/// A media type without its parameters.
pub fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures::stream;

    use super::*;

    fn chunks(parts: &[&'static str]) -> Body {
        let parts: Vec<_> = parts.iter().map(|part| Ok::<_, std::io::Error>(*part)).collect();
        Body::from_stream(stream::iter(parts))
    }

    fn taken(body: &[u8], content_type: &str) -> Result<Bytes, String> {
        let bytes = Bytes::copy_from_slice(body);
        data(bytes, content_type, &Limits::default()).map_err(|refusal| refusal.to_string())
    }

    #[tokio::test]
    async fn a_body_is_read_up_to_its_limit() {
        assert_eq!(read(Body::empty(), 4).await.unwrap(), "");
        assert_eq!(read(Body::from("abcd"), 4).await.unwrap(), "abcd");
        assert_eq!(read(Body::from("abcde"), 4).await, Err(Refusal::BodyTooLarge));
        assert_eq!(read(chunks(&["ab", "", "c", "d"]), 4).await.unwrap(), "abcd");
        assert_eq!(read(chunks(&["ab", "c", "de"]), 4).await, Err(Refusal::BodyTooLarge));
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let bytes = Bytes::from_static(b"{}");
        assert_eq!(read(Body::from(bytes.clone()), 4).await.unwrap().as_ptr(), bytes.as_ptr());
        assert_eq!(taken(b"{}", "").unwrap(), "{}");
    }

    #[test]
    fn nothing_in_any_form_is_no_data() {
        for nothing in ["", " \n", "null", r#""""#] {
            assert_eq!(taken(nothing.as_bytes(), "application/json").unwrap(), "", "{nothing:?}");
        }
    }

    #[test]
    fn a_form_is_known_by_its_type_and_first_byte() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        assert_eq!(taken(b"a=b&c=d&c=e", form).unwrap(), r#"{"a":"b","c":"d,e"}"#);
        assert_eq!(taken(br#"{"a":1}"#, form).unwrap(), r#"{"a":1}"#);
        assert!(taken(b"a=b", "application/json").is_err());
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced_and_a_byte_order_mark_is_refused() {
        assert_eq!(taken(b"{\"a\":\"\xff\"}", "").unwrap(), "{\"a\":\"\u{fffd}\"}");
        assert!(taken(b"\xef\xbb\xbf{}", "").is_err());
    }
}
