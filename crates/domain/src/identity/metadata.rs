use std::collections::BTreeMap;

const MOST_PAIRS: usize = 64;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 512;

/// Why metadata are not taken. The values, which may be secrets, are not quoted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum InvalidMetadata {
    #[error("metadata cannot contain more than {MOST_PAIRS} key/value pairs")]
    TooMany,
    #[error("failed to load metadata pair ({key:?}): {why}")]
    Pair { key: String, why: &'static str },
    #[error(
        "custom_metadata validation failed: payload must contain at most {MOST_PAIRS} keys, provided {0}"
    )]
    TooManyCustom(usize),
    #[error(
        "custom_metadata validation failed: length of key {key:?} is {length} but max allowed is {LONGEST_KEY}"
    )]
    LongCustomKey { key: String, length: usize },
    #[error("custom_metadata validation failed: length of key is 0, but has to be at least 1")]
    EmptyCustomKey,
    #[error(
        "custom_metadata validation failed: length of value for key {key:?} is {length} but max allowed is {LONGEST_VALUE}"
    )]
    LongCustomValue { key: String, length: usize },
}

/// The limits of the metadata of entities and groups.
///
/// # Errors
/// They are beyond a limit.
pub fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), InvalidMetadata> {
    if metadata.len() > MOST_PAIRS {
        return Err(InvalidMetadata::TooMany);
    }
    metadata.iter().try_for_each(|(key, value)| {
        let why = pair_fault(key, value);
        why.map_or(Ok(()), |why| Err(InvalidMetadata::Pair { key: key.clone(), why }))
    })
}

fn pair_fault(key: &str, value: &str) -> Option<&'static str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"=/+_-".contains(&byte);
    match () {
        () if key.is_empty() => Some("key cannot be blank"),
        () if !key.bytes().all(plain) => Some("key contains invalid characters"),
        () if key.len() > LONGEST_KEY => Some("key is too long (limit: 128 characters)"),
        () if key.starts_with("vault-") => Some("key prefix \"vault-\" is reserved for internal use"),
        () if value.len() > LONGEST_VALUE => Some("value is too long (limit: 512 characters)"),
        () => None,
    }
}

/// The limits of the custom metadata of aliases.
///
/// # Errors
/// They are beyond a limit.
pub fn check_custom_metadata(metadata: &BTreeMap<String, String>) -> Result<(), InvalidMetadata> {
    if metadata.len() > MOST_PAIRS {
        return Err(InvalidMetadata::TooManyCustom(metadata.len()));
    }
    metadata.iter().try_for_each(|(key, value)| match (key.len(), value.len()) {
        (0, _) => Err(InvalidMetadata::EmptyCustomKey),
        (length, _) if length > LONGEST_KEY => {
            Err(InvalidMetadata::LongCustomKey { key: key.clone(), length })
        }
        (_, length) if length > LONGEST_VALUE => {
            Err(InvalidMetadata::LongCustomValue { key: key.clone(), length })
        }
        _ => Ok(()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(key: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(key.to_owned(), value.to_owned())])
    }

    fn many(count: usize) -> BTreeMap<String, String> {
        (0..count).map(|at| (at.to_string(), String::new())).collect()
    }

    #[test]
    fn metadata_have_limits() {
        for good in
            [one("team", "x"), one("a=b/c+d_e-F9", ""), one(&"k".repeat(128), &"v".repeat(512)), many(64)]
        {
            assert_eq!(check_metadata(&good), Ok(()));
            assert_eq!(check_custom_metadata(&good), Ok(()));
        }
        for bad in [one("", "x"), one("a b", "x"), one("vault-x", "x"), one(&"k".repeat(129), "x"), many(65)]
        {
            assert!(check_metadata(&bad).is_err(), "{bad:?}");
        }
        for bad in [one("", "x"), one(&"k".repeat(129), "x"), one("k", &"v".repeat(513)), many(65)] {
            assert!(check_custom_metadata(&bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_is_not_quoted() {
        let error = check_metadata(&one("pin", &"4711".repeat(200))).unwrap_err().to_string();
        assert_eq!(
            error,
            r#"failed to load metadata pair ("pin"): value is too long (limit: 512 characters)"#
        );
    }
}
