use std::{collections::HashMap, sync::Arc, time::Duration};

use domain::{MountConfig, MountEntry, MountKind, MountPath, MountState, PluginVersion};

use super::{Mount, Mounts, Refusal};
use crate::{error::Result, lockout::LockoutTuning};

/// A setting that may be changed: absent stays as it is.
type Setting<T> = Option<T>;

/// New settings of a mount.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tuning {
    /// Zero: the system's.
    pub(crate) default_lease_ttl: Setting<Duration>,
    pub(crate) max_lease_ttl: Setting<Duration>,
    pub(crate) description: Setting<String>,
    /// Merged into what there is; an empty value takes an option away.
    pub(crate) options: Setting<HashMap<String, String>>,
    pub(crate) plugin_version: Setting<PluginVersion>,
    /// Only for a mount whose record is damaged.
    pub(crate) plugin_name: Setting<String>,
    pub(crate) listing_visibility: Setting<String>,
    pub(crate) token_type: Setting<String>,
    pub(crate) audit_non_hmac_request_keys: Setting<Vec<String>>,
    pub(crate) audit_non_hmac_response_keys: Setting<Vec<String>>,
    pub(crate) passthrough_request_headers: Setting<Vec<String>>,
    pub(crate) allowed_response_headers: Setting<Vec<String>>,
    pub(crate) allowed_managed_keys: Setting<Vec<String>>,
    pub(crate) delegated_auth_accessors: Setting<Vec<String>>,
    pub(crate) identity_token_key: Setting<String>,
    pub(crate) trim_request_trailing_slashes: Setting<bool>,
    pub(crate) user_lockout: Setting<LockoutTuning>,
}

impl Mounts {
    /// Changes the settings of a mount, and answers with a warning if it has one. A damaged record is written anew.
    pub(crate) async fn tune(&self, path: &MountPath, tuning: Tuning) -> Result<Option<String>> {
        let sets_up_anew = tuning.options.is_some() || tuning.plugin_name.is_some();
        let (mount, warning) = self.store_tuning(path, tuning).await?;
        if mount.is_core() || !mount.is_ready() {
            // The next request starts its plugin, and with the new settings.
            return Ok(warning);
        }
        let told = self.launch.tune(&mount).await;
        if sets_up_anew {
            self.note_start(&mount, &mount.launched(), told).await?;
        } else if told.is_err() {
            mount.forgotten();
        }
        Ok(warning)
    }

    async fn store_tuning(&self, path: &MountPath, tuning: Tuning) -> Result<(Arc<Mount>, Option<String>)> {
        let _turn = self.turn.lock().await;
        let mount = self.get(path).ok_or_else(|| Refusal::NothingToTune(path.clone()))?;
        if mount.entry.state != MountState::Mounted {
            return Err(Refusal::Removing(path.clone()).into());
        }
        let (entry, warning) = tuning.apply(&mount)?;
        let tuned = Arc::new(mount.with(entry));
        self.persist(&tuned).await?;
        self.publish(|table| table.replace(path, tuned.clone()));
        Ok((tuned, warning))
    }
}

impl Tuning {
    fn apply(self, mount: &Mount) -> std::result::Result<(MountEntry, Option<String>), Refusal> {
        let mut entry = mount.entry.clone();
        let warning = self.options.as_ref().map_or(Ok(None), |new| change_version(&entry, new))?;
        if let Some(name) = self.plugin_name {
            if mount.damage.is_none() {
                return Err(Refusal::PluginNameIsFixed);
            }
            entry.plugin = name;
        }
        if let Some(description) = self.description {
            entry.description = description;
        }
        if let Some(version) = self.plugin_version {
            entry.plugin_version = version;
        }
        for (name, value) in self.options.into_iter().flatten() {
            let options = entry.options.get_or_insert_default();
            if value.is_empty() {
                options.remove(&name)
            } else {
                options.insert(name, value)
            };
        }
        if let Some(token_type) = self.token_type {
            entry.config.token_type = token_type_for(&entry, token_type)?;
        }
        let config = &mut entry.config;
        set(&mut config.default_lease_ttl, self.default_lease_ttl);
        set(&mut config.max_lease_ttl, self.max_lease_ttl);
        check_order(config)?;
        set(&mut config.listing_visibility, self.listing_visibility);
        set(&mut config.audit_non_hmac_request_keys, self.audit_non_hmac_request_keys);
        set(&mut config.audit_non_hmac_response_keys, self.audit_non_hmac_response_keys);
        set(&mut config.passthrough_request_headers, self.passthrough_request_headers);
        set(&mut config.allowed_response_headers, self.allowed_response_headers);
        set(&mut config.allowed_managed_keys, self.allowed_managed_keys);
        set(&mut config.delegated_auth_accessors, self.delegated_auth_accessors);
        set(&mut config.identity_token_key, self.identity_token_key);
        set(&mut config.trim_request_trailing_slashes, self.trim_request_trailing_slashes);
        if let Some(lockout) = self.user_lockout {
            lockout.apply(config.user_lockout.get_or_insert_default());
        }
        Ok((entry, warning))
    }
}

fn set<T>(slot: &mut T, new: Setting<T>) {
    if let Some(new) = new {
        *slot = new;
    }
}

fn token_type_for(entry: &MountEntry, token_type: String) -> Result<String, Refusal> {
    match entry.kind {
        MountKind::Secret => Err(Refusal::TokenTypeOfSecrets),
        MountKind::Auth if entry.plugin == "token" => Err(Refusal::TokenTypeOfToken),
        MountKind::Auth => Ok(token_type),
    }
}

fn check_order(config: &MountConfig) -> Result<(), Refusal> {
    let (default, max) = (config.default_lease_ttl, config.max_lease_ttl);
    if !max.is_zero() && max < default { Err(Refusal::MaxBelowDefault(max, default)) } else { Ok(()) }
}

/// The version of a versioned engine goes up, never down.
fn change_version(entry: &MountEntry, new: &HashMap<String, String>) -> Result<Option<String>, Refusal> {
    let Some(wanted) = new.get("version").filter(|text| !text.is_empty()) else { return Ok(None) };
    let current = entry.options.as_ref().and_then(|options| options.get("version"));
    let current: u64 = current.and_then(|text| text.parse().ok()).unwrap_or(0);
    let invalid = || Refusal::OptionVersion(wanted.clone());
    let version: u64 = wanted.parse().map_err(|_| invalid())?;
    if version == 0 || version > 2 {
        return Err(invalid());
    }
    if version < current {
        return Err(Refusal::Downgrade(current));
    }
    Ok((version > current).then(|| {
        format!(
            "Upgrading mount from version {current} to version {version}. This mount will be unavailable for a \
             brief period and will resume service shortly."
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mounts::record::unreadable;

    const HOUR: Duration = Duration::from_secs(3600);

    fn kv(version: Option<&str>) -> Mount {
        let mut mount = unreadable("u", "test");
        mount.damage = None;
        mount.entry.options =
            Some(version.map(|v| ("version".to_owned(), v.to_owned())).into_iter().collect());
        mount
    }

    fn to_version(version: &str) -> Tuning {
        let options = [("version".to_owned(), version.to_owned())].into_iter().collect();
        Tuning { options: Some(options), ..Tuning::default() }
    }

    #[test]
    fn what_is_not_named_stays() {
        let mut mount = kv(Some("2"));
        mount.entry.config.passthrough_request_headers = vec!["X-A".to_owned()];
        let tuning = Tuning { max_lease_ttl: Some(HOUR), ..Tuning::default() };
        let (entry, warning) = tuning.apply(&mount).unwrap();
        assert_eq!(warning, None);
        assert_eq!(entry.config.max_lease_ttl, HOUR);
        let unchanged = MountEntry {
            config: MountConfig { max_lease_ttl: Duration::ZERO, ..entry.config.clone() },
            ..entry
        };
        assert_eq!(unchanged, mount.entry);
    }

    #[test]
    fn versions_go_up_and_never_down() {
        let (entry, warning) = to_version("2").apply(&kv(None)).unwrap();
        assert_eq!(entry.options.unwrap()["version"], "2");
        assert!(warning.unwrap().starts_with("Upgrading mount from version 0 to version 2."));
        let refused = |tuning: Tuning, mount| tuning.apply(&mount).unwrap_err().to_string();
        assert_eq!(refused(to_version("1"), kv(Some("2"))), "cannot downgrade mount from version 2");
        assert_eq!(refused(to_version("7"), kv(Some("1"))), "invalid version provided: 7");
        assert_eq!(to_version("2").apply(&kv(Some("2"))).unwrap().1, None);
    }

    #[test]
    fn lease_times_keep_their_order() {
        let tuning =
            Tuning { default_lease_ttl: Some(3 * HOUR), max_lease_ttl: Some(2 * HOUR), ..Tuning::default() };
        assert_eq!(
            tuning.apply(&kv(None)).unwrap_err().to_string(),
            "backend max lease TTL of 7200 would be less than backend default lease TTL of 10800"
        );
    }
}
