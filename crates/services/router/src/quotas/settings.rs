use serde::{Deserialize, Serialize};

/// What is said of all quotas, under Vault's names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct QuotaSettings {
    pub(crate) absolute_rate_limit_exempt_paths: Option<Vec<String>>,
    pub(crate) enable_rate_limit_audit_logging: bool,
    pub(crate) enable_rate_limit_response_headers: bool,
    pub(crate) rate_limit_exempt_paths: Vec<String>,
}

impl Default for QuotaSettings {
    fn default() -> Self {
        let exempt = [
            "sys/generate-recovery-token/attempt",
            "sys/generate-recovery-token/update",
            "sys/generate-root/attempt",
            "sys/generate-root/update",
            "sys/health",
            "sys/seal-status",
            "sys/unseal",
        ];
        Self {
            absolute_rate_limit_exempt_paths: None,
            enable_rate_limit_audit_logging: false,
            enable_rate_limit_response_headers: false,
            rate_limit_exempt_paths: exempt.map(str::to_owned).into(),
        }
    }
}

impl QuotaSettings {
    /// Whether a path is counted by no rule: it is exempt itself, or below what is exempt.
    pub(super) fn exempts(&self, path: &str) -> bool {
        let absolute = self.absolute_rate_limit_exempt_paths.iter().flatten();
        absolute.chain(&self.rate_limit_exempt_paths).any(|exempt| match exempt.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => is_below(path, exempt.trim_end_matches('/')),
        })
    }
}

fn is_below(path: &str, exempt: &str) -> bool {
    !exempt.is_empty()
        && path.strip_prefix(exempt).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_exempt_is_so_with_what_lies_below_it() {
        let settings = QuotaSettings {
            absolute_rate_limit_exempt_paths: Some(vec!["kv/a*".to_owned(), String::new()]),
            ..QuotaSettings::default()
        };
        for exempt in ["sys/health", "sys/unseal/x", "kv/ab"] {
            assert!(settings.exempts(exempt), "{exempt}");
        }
        for counted in ["sys/healthy", "kv/b", "", "sys"] {
            assert!(!settings.exempts(counted), "{counted}");
        }
    }
}
