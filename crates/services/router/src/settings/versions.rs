use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Setting;
use crate::Config;

/// The versions of this program that have served what is stored, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions(Vec<Version>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Version {
    pub(crate) version: String,
    pub(crate) build_date: String,
    /// When it was first unsealed.
    pub(crate) installed: Timestamp,
}

impl Versions {
    /// Each with the one before it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Version, Option<&str>)> {
        let before = self.0.iter().map(|version| Some(version.version.as_str()));
        self.0.iter().zip(std::iter::once(None).chain(before))
    }

    fn has(&self, version: &str) -> bool {
        self.0.iter().any(|each| each.version == version)
    }

    fn with(&self, version: Version) -> Self {
        Self(self.0.iter().cloned().chain([version]).collect())
    }
}

/// Notes that this version serves. It is no reason to stay sealed if that cannot be written.
pub(super) async fn note(versions: &Setting<Versions>, config: &Config) {
    if versions.now().has(&config.version) {
        return;
    }
    let version = Version {
        version: config.version.clone(),
        build_date: config.build_date.clone(),
        installed: Timestamp::now(),
    };
    if let Err(error) = versions.change(|versions| Ok(versions.with(version))).await {
        tracing::warn!(%error, "which version serves could not be noted");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_knows_the_one_before_it() {
        let version = |version: &str| Version {
            version: version.to_owned(),
            build_date: String::new(),
            installed: Timestamp::UNIX_EPOCH,
        };
        let versions = Versions::default().with(version("1.0.0")).with(version("1.1.0"));
        let before: Vec<_> = versions.iter().map(|(each, before)| (each.version.as_str(), before)).collect();
        assert_eq!(before, [("1.0.0", None), ("1.1.0", Some("1.0.0"))]);
        assert!(versions.has("1.1.0") && !versions.has("1.2.0"));
    }
}
