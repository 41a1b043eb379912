//! The settings of a mount, as requests name them.

use std::time::Duration;

use domain::{MountConfig, MountKind};

use crate::{
    error::Result,
    fields::{Fields, WrittenDuration},
    lockout::LockoutTuning,
    mounts::Refusal,
};

/// Settings for a new mount.
pub(super) fn config(
    fields: &Fields,
    kind: MountKind,
    plugin: &str,
    system_max: Duration,
) -> Result<MountConfig> {
    let default_lease_ttl = ttl(fields, "default_lease_ttl", "default")?.unwrap_or_default();
    let max_lease_ttl = ttl(fields, "max_lease_ttl", "max")?.unwrap_or_default();
    if !max_lease_ttl.is_zero() && default_lease_ttl > max_lease_ttl {
        return Err(Refusal::DefaultAboveMax.into());
    }
    if max_lease_ttl.is_zero() && default_lease_ttl > system_max {
        return Err(Refusal::DefaultAboveSystem(system_max).into());
    }
    let token_type = match (kind, token_type(fields)?) {
        (MountKind::Secret, None) => String::new(),
        (MountKind::Secret, Some(_)) => return Err(Refusal::TokenTypeOfSecrets.into()),
        (MountKind::Auth, given) => given.unwrap_or_else(|| "default-service".to_owned()),
    };
    let list = |name| fields.list(name).map(Option::unwrap_or_default);
    Ok(MountConfig {
        default_lease_ttl,
        max_lease_ttl,
        force_no_cache: fields.flag("force_no_cache")?.unwrap_or(false),
        listing_visibility: visibility(fields)?.unwrap_or_default(),
        token_type,
        audit_non_hmac_request_keys: list("audit_non_hmac_request_keys")?,
        audit_non_hmac_response_keys: list("audit_non_hmac_response_keys")?,
        passthrough_request_headers: list("passthrough_request_headers")?,
        allowed_response_headers: list("allowed_response_headers")?,
        allowed_managed_keys: list("allowed_managed_keys")?,
        delegated_auth_accessors: list("delegated_auth_accessors")?,
        identity_token_key: identity_token_key(fields)?.unwrap_or_default(),
        trim_request_trailing_slashes: fields.flag("trim_request_trailing_slashes")?.unwrap_or(false),
        user_lockout: LockoutTuning::of(fields, kind, plugin)?.map(LockoutTuning::into_config),
    })
}

/// A lease time: `system` is the system's; absent or empty: `None`.
pub(super) fn ttl(fields: &Fields, name: &str, which: &'static str) -> Result<Option<Duration>> {
    let Some(WrittenDuration { text, value }) = fields.duration(name)? else { return Ok(None) };
    match text.as_str() {
        "" => Ok(None),
        "system" => Ok(Some(Duration::ZERO)),
        _ => Ok(value.map(Some).map_err(|why| Refusal::Ttl { which, text, why })?),
    }
}

pub(super) fn visibility(fields: &Fields) -> Result<Option<String>> {
    match fields.text("listing_visibility")? {
        Some(text) if !matches!(text.as_str(), "" | "unauth" | "hidden") => {
            Err(Refusal::Visibility(text).into())
        }
        text => Ok(text),
    }
}

pub(super) fn token_type(fields: &Fields) -> Result<Option<String>> {
    match fields.text("token_type")?.filter(|text| !text.is_empty()) {
        Some(text) if !matches!(text.as_str(), "default-service" | "default-batch" | "service" | "batch") => {
            Err(Refusal::TokenType.into())
        }
        text => Ok(text),
    }
}

/// Keys that sign identity tokens do not exist yet; there is only the one that is called like the setting's default.
pub(super) fn identity_token_key(fields: &Fields) -> Result<Option<String>> {
    match fields.text("identity_token_key")? {
        Some(name) if !matches!(name.as_str(), "" | "default") => Err(Refusal::NoIdentityKey(name).into()),
        name => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SYSTEM: Duration = Duration::from_secs(2_764_800);

    fn secret(body: &str) -> Result<MountConfig, String> {
        let fields = Fields::parse(body.as_bytes()).unwrap();
        config(&fields, MountKind::Secret, "kv", SYSTEM).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_as_clients_write_them() {
        let read = secret(
            r#"{"default_lease_ttl":"1h","max_lease_ttl":86400,"options":null,"force_no_cache":true,
                "audit_non_hmac_response_keys":"c,d","passthrough_request_headers":["X-A"]}"#,
        )
        .unwrap();
        assert_eq!(read.default_lease_ttl, Duration::from_secs(3600));
        assert_eq!(read.max_lease_ttl, Duration::from_secs(86400));
        assert!(read.force_no_cache);
        assert_eq!(read.audit_non_hmac_response_keys, ["c", "d"]);
        assert_eq!(secret(r#"{"default_lease_ttl":"0s","max_lease_ttl":""}"#), Ok(MountConfig::default()));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused_in_vaults_words() {
        for (body, expected) in [
            (
                r#"{"default_lease_ttl":"abc"}"#,
                r#"unable to parse default TTL of abc: time: invalid duration "abc""#,
            ),
            (
                r#"{"default_lease_ttl":"2h","max_lease_ttl":"1h"}"#,
                "given default lease TTL greater than given max lease TTL",
            ),
            (
                r#"{"default_lease_ttl":"9999h"}"#,
                "given default lease TTL greater than system max lease TTL of 2764800",
            ),
            (r#"{"listing_visibility":"foo"}"#, "invalid listing_visibility foo"),
            (r#"{"token_type":"zzz"}"#, "invalid value for 'token_type'"),
            (r#"{"identity_token_key":"nope"}"#, r#"key "nope" does not exist"#),
        ] {
            assert_eq!(secret(body).unwrap_err(), expected);
        }
    }
}
