use std::time::Duration;

use domain::{Lockout, LockoutConfig, MountKind};

use crate::{
    error::Result,
    fields::{Fields, WrittenDuration},
    mounts::Refusal,
};

/// New settings of how a mount locks users out; absent ones stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LockoutTuning {
    threshold: Option<u64>,
    duration: Option<Duration>,
    counter_reset: Option<Duration>,
    disable: Option<bool>,
}

impl LockoutTuning {
    /// As a request names them; none: it does not.
    pub(crate) fn of(fields: &Fields, kind: MountKind, plugin: &str) -> Result<Option<Self>> {
        let Some(given) = fields.object("user_lockout_config")? else { return Ok(None) };
        if kind != MountKind::Auth || !Lockout::applies_to(plugin) {
            return Err(Refusal::Lockout(plugin.to_owned()).into());
        }
        Ok(Some(Self {
            threshold: number(&given, "lockout_threshold")?,
            duration: time(&given, "lockout_duration")?,
            counter_reset: time(&given, "lockout_counter_reset_duration")?,
            disable: given.flag("lockout_disable")?,
        }))
    }

    pub(crate) fn into_config(self) -> LockoutConfig {
        let mut config = LockoutConfig::default();
        self.apply(&mut config);
        config
    }

    pub(crate) fn apply(self, config: &mut LockoutConfig) {
        config.threshold = self.threshold.unwrap_or(config.threshold);
        config.duration = self.duration.unwrap_or(config.duration);
        config.counter_reset = self.counter_reset.unwrap_or(config.counter_reset);
        config.disable = self.disable.unwrap_or(config.disable);
    }
}

fn number(fields: &Fields, name: &'static str) -> Result<Option<u64>> {
    match fields.text(name)? {
        Some(text) if !text.is_empty() => {
            Ok(text.parse().map(Some).map_err(|_| Refusal::LockoutNumber(name, text))?)
        }
        _ => Ok(None),
    }
}

/// `system` is what is usual.
fn time(fields: &Fields, name: &'static str) -> Result<Option<Duration>> {
    let Some(WrittenDuration { text, value }) = fields.duration(name)? else { return Ok(None) };
    match text.as_str() {
        "" => Ok(None),
        "system" => Ok(Some(Duration::ZERO)),
        _ => Ok(value.map(Some).map_err(|why| Refusal::LockoutTime { name, text, why })?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str, plugin: &str) -> Result<Option<LockoutTuning>, String> {
        let fields = Fields::parse(body.as_bytes()).unwrap();
        LockoutTuning::of(&fields, MountKind::Auth, plugin).map_err(|error| error.to_string())
    }

    #[test]
    fn settings_are_read_as_clients_write_them_and_the_others_stay() {
        let body = r#"{"user_lockout_config":{"lockout_threshold":"3","lockout_duration":"10m",
            "lockout_counter_reset_duration":"","lockout_disable":null}}"#;
        let mut config = LockoutConfig {
            counter_reset: Duration::from_secs(7),
            disable: true,
            ..LockoutConfig::default()
        };
        of(body, "userpass").unwrap().unwrap().apply(&mut config);
        let (seven, ten) = (Duration::from_secs(7), Duration::from_secs(600));
        let expected = LockoutConfig { threshold: 3, duration: ten, counter_reset: seven, disable: true };
        assert_eq!(config, expected);
        assert_eq!(of("{}", "jwt"), Ok(None));
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        assert_eq!(
            of(r#"{"user_lockout_config":{}}"#, "jwt").unwrap_err(),
            r#"tuning of user lockout configuration for auth type "jwt" not allowed"#
        );
        for body in [
            r#"{"user_lockout_config":{"lockout_threshold":"-1"}}"#,
            r#"{"user_lockout_config":{"lockout_duration":"soon"}}"#,
            r#"{"user_lockout_config":3}"#,
        ] {
            assert!(of(body, "userpass").is_err(), "{body}");
        }
    }
}
