use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Serialize};

/// Where the records of policies are.
pub(super) const RECORDS: &str = "core/policies/acl/";

/// What stands for itself in the name of a record. A name may hold slashes and dots, which mean something to storage.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

/// What is stored about one policy, whatever it is for.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// As it was written.
    pub(super) text: String,
}

/// Where the record of a policy is.
pub(super) fn key(name: &str) -> String {
    format!("{RECORDS}{}", encoded(name))
}

/// A name as a part of a key.
pub(super) fn encoded(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, PLAIN)
}

/// The name of the policy of a record.
pub(super) fn name(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_record_of_its_own() {
        assert_eq!(key("team-a_1"), "core/policies/acl/team-a_1");
        for each in ["a/b", "a%2fb", "..", "a b", "ünï"] {
            let record = key(each);
            let encoded = record.strip_prefix(RECORDS).unwrap();
            assert!(!encoded.contains(['/', '.']), "{encoded}");
            assert_eq!(name(encoded), each);
        }
    }
}
