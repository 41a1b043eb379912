use audit::Surroundings;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

use domain::{LockoutConfig, Token};
use serde_json::{Map, Value};

use crate::{Loggers, Meters, loggers::NoLoggers, meters::NoMeters};

/// What the operator decides about this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where clients reach this node.
    pub api_addr: String,
    /// How long a lease lasts when neither mount nor plugin says anything.
    pub default_lease_ttl: Duration,
    /// The longest that a lease lasts when the mount says nothing.
    pub max_lease_ttl: Duration,
    /// The semantic version that clients are told, without a leading `v`.
    pub version: String,
    /// When this program was built, in RFC 3339; the zero time when nobody knows.
    pub build_date: String,
    /// The pause after the first failed revocation of a lease; each further one is twice as long.
    pub lease_retry: Duration,
    /// Requests that are worked on at the same time; more are refused at once.
    pub in_flight: usize,
    /// How long one request may take.
    pub deadline: Duration,
    /// The root token that initialisation makes; none: a random one. For servers that keep nothing.
    pub first_token: Option<Token>,
    /// What audit devices need to know.
    pub audit: Surroundings,
    /// How much this process logs.
    pub loggers: Arc<dyn Loggers>,
    /// What this process counts.
    pub meters: Arc<dyn Meters>,
    /// What is stored can be read and changed past everything, by those who may.
    pub raw_storage: bool,
    /// How those are locked out who guess, by the type of the auth method, where its mounts do not say.
    pub lockouts: BTreeMap<String, LockoutConfig>,
    /// How the server is configured, as those may see it who ask: without secrets.
    pub shown: Map<String, Value>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            api_addr: String::new(),
            default_lease_ttl: Duration::from_secs(768 * 3600),
            max_lease_ttl: Duration::from_secs(768 * 3600),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            build_date: "0001-01-01T00:00:00Z".to_owned(),
            lease_retry: Duration::from_secs(10),
            in_flight: 4096,
            deadline: Duration::from_secs(90),
            first_token: None,
            audit: Surroundings::default(),
            loggers: Arc::new(NoLoggers),
            meters: Arc::new(NoMeters),
            raw_storage: false,
            lockouts: BTreeMap::new(),
            shown: Map::new(),
        }
    }
}
