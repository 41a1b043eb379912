//! How a plugin is greeted: as plugins are today, or as they were before both ends made certificates of their own.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use domain::{PluginType, Token};
use goplugin::{Cookie, Identity, IdentityError, Security, SharedIdentity};
use serde_json::json;
use tenon::convert::to_nanos;
use wire::launcher::v1::{WrapData, answer_request::Answer, question::Asks};

use crate::{Error, Result, entry::Entry, host::Host, questions::Questions};

/// How long an old plugin has for fetching its certificate.
const FETCHED_WITHIN: Duration = Duration::from_secs(60);

/// In what manner a plugin is greeted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Both ends make a certificate, and tell each other.
    Current,
    /// The plugin fetches the one certificate that both use, from the host's API.
    Older,
    /// An old plugin that is only asked who it is: without any certificate, and given nothing.
    Metadata,
}

/// What a plugin is told when it is started, and what is expected of it then.
#[derive(Debug)]
pub struct Greeting {
    /// How the connections to it are secured.
    pub security: Security,
    /// The versions of the protocol that are offered.
    pub versions: &'static [u32],
    manner: Manner,
    /// By which an old plugin fetches its certificate, once.
    token: Option<Token>,
}

impl Greeting {
    /// Prepares to greet a plugin. An old one is put its certificate ready.
    pub async fn prepare(host: &Host, entry: &Entry, manner: Manner) -> Result<Self> {
        let (security, token) = match manner {
            Manner::Current => (Security::Mutual(Identity::generate().map_err(no_certificate)?), None),
            Manner::Metadata => (Security::None, None),
            Manner::Older => {
                let shared = SharedIdentity::generate().map_err(no_certificate)?;
                let token = put_ready(&host.questions, entry, &shared).await?;
                (Security::Shared(shared.identity), Some(token))
            }
        };
        Ok(Self { security, versions: versions(entry.plugin_type, manner), manner, token })
    }

    /// What Vault's plugins read in their environment.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let word = |is: bool| if is { "true" } else { "false" };
        let token = self.token.as_ref().map(|token| ("VAULT_UNWRAP_TOKEN", token.expose().as_str()));
        let always = [
            ("VAULT_PLUGIN_METADATA_MODE", word(self.manner == Manner::Metadata)),
            // Without this Go plugins try to unwrap a token instead, and exit.
            ("VAULT_PLUGIN_AUTOMTLS_ENABLED", word(self.manner == Manner::Current)),
        ];
        always.into_iter().chain(token)
    }
}

/// The cookie by which a plugin of this type knows that it is started by a host.
pub const fn cookie(plugin_type: PluginType) -> Cookie {
    match plugin_type {
        PluginType::Auth | PluginType::Secret => Cookie::BACKEND,
        PluginType::Database => Cookie::DATABASE,
    }
}

const fn versions(plugin_type: PluginType, manner: Manner) -> &'static [u32] {
    match (plugin_type, manner) {
        (PluginType::Database, _) => &[5, 6],
        (_, Manner::Current) => &[5],
        (_, Manner::Older | Manner::Metadata) => &[4],
    }
}

fn no_certificate(error: IdentityError) -> Error {
    Error::host("make a certificate for mutual TLS")(std::io::Error::other(error))
}

/// Has the router wrap the certificate and its key, to be fetched once and soon.
async fn put_ready(questions: &Questions, entry: &Entry, shared: &SharedIdentity) -> Result<Token> {
    let data = json!({
        "ServerCert": STANDARD.encode(&shared.certificate),
        "ServerKey": STANDARD.encode(&shared.key),
    });
    let data = WrapData { data: data.to_string().into(), ttl: to_nanos(FETCHED_WITHIN), jwt: true };
    let refused = |why: String| Error::NotFetchable { plugin: entry.to_string(), why };
    // It is nothing of any mount's: it is wrapped in the root namespace.
    match questions.ask(String::new(), Asks::Wrap(data)).await {
        Ok(Answer::WrapInfo(info)) => Ok(Token::new(info.token)),
        Ok(Answer::Refusal(why)) => Err(refused(why)),
        Ok(Answer::Password(_)) => Err(refused("the router gave no token".to_owned())),
        Err(unanswered) => Err(refused(unanswered.to_string())),
    }
}

#[cfg(test)]
impl Greeting {
    /// That of today, for tests.
    pub fn current() -> Result<Self> {
        let security = Security::Mutual(Identity::generate().map_err(no_certificate)?);
        let (manner, versions) = (Manner::Current, versions(PluginType::Secret, Manner::Current));
        Ok(Self { security, versions, manner, token: None })
    }
}

/// The plugins that turned out to be old. A program does not change, so this is asked of each once.
#[derive(Debug, Default)]
pub struct OldPlugins(Mutex<HashSet<Arc<Entry>>>);

impl OldPlugins {
    /// This is one.
    pub fn add(&self, entry: &Arc<Entry>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(Arc::clone(entry));
    }

    /// Whether this is one.
    pub fn contain(&self, entry: &Arc<Entry>) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(entry)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn only_an_old_plugin_in_use_gets_a_token() {
        let greeting = |manner, token: Option<&str>| Greeting {
            security: Security::None,
            versions: versions(PluginType::Secret, manner),
            manner,
            token: token.map(|token| Token::new(token.to_owned())),
        };
        let told = |manner, token| -> HashMap<&str, String> {
            greeting(manner, token).variables().map(|(name, value)| (name, value.to_owned())).collect()
        };
        let current = told(Manner::Current, None);
        assert_eq!(current["VAULT_PLUGIN_AUTOMTLS_ENABLED"], "true");
        assert_eq!(current["VAULT_PLUGIN_METADATA_MODE"], "false");
        let metadata = told(Manner::Metadata, None);
        assert_eq!(metadata["VAULT_PLUGIN_AUTOMTLS_ENABLED"], "false");
        assert_eq!(metadata["VAULT_PLUGIN_METADATA_MODE"], "true");
        let older = told(Manner::Older, Some("ey.a.b"));
        assert_eq!(older["VAULT_UNWRAP_TOKEN"], "ey.a.b");
        assert_eq!(older["VAULT_PLUGIN_METADATA_MODE"], "false");
        assert!(!current.contains_key("VAULT_UNWRAP_TOKEN") && !metadata.contains_key("VAULT_UNWRAP_TOKEN"));
        assert!(!format!("{:?}", greeting(Manner::Older, Some("ey.a.b"))).contains("ey.a.b"));
    }
}
