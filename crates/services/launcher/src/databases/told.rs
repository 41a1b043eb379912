//! What an engine is told of a failure.

use tenon::database::{self, Settings};
use tonic::Code;

use crate::{Error, masks::Masks};

/// Makes an engine's error of ours.
pub(super) type Told<'c> = Box<dyn Fn(Error) -> database::Error + Send + Sync + 'c>;

/// Says what was being done, and never repeats a secret: plugins and databases do.
pub(super) fn told(doing: &'static str, masks: Masks) -> Told<'static> {
    Box::new(move |error| match error_of(doing, &error) {
        database::Error::Invalid(sentence) => database::Error::Invalid(masks.hide(sentence).into_owned()),
        database::Error::Failed(sentence) => database::Error::Failed(masks.hide(sentence).into_owned()),
        database::Error::Unsupported(sentence) => {
            database::Error::Unsupported(masks.hide(sentence).into_owned())
        }
        // Of our own making.
        other => other,
    })
}

fn error_of(doing: &str, error: &Error) -> database::Error {
    match error {
        Error::Rpc { code, .. } => {
            let sentence = format!("{doing}: {error}");
            match code {
                Code::InvalidArgument => database::Error::Invalid(sentence),
                Code::Unimplemented => database::Error::Unsupported(sentence),
                _ => database::Error::Failed(sentence),
            }
        }
        Error::Interrupted { .. } => database::Error::Gone { received: true, detail: error.to_string() },
        Error::Died { .. } => database::Error::Gone { received: false, detail: error.to_string() },
        Error::Timeout { .. } | Error::AnswerTooLarge { .. } | Error::Panicked(_) => {
            database::Error::Failed(error.to_string())
        }
        Error::Shared(error) => error_of(doing, error),
        _ => database::Error::Unavailable(error.to_string()),
    }
}

/// Why a plugin could not be opened.
pub fn not_opened(error: &Error) -> database::Error {
    match error_of("unable to open the database plugin", error) {
        // Nothing was asked of it yet.
        database::Error::Gone { detail, .. } => database::Error::Unavailable(detail),
        other => other,
    }
}

/// What of a connection's settings is secret: by its name, or because it stands in a URL as a password.
pub(super) fn secrets_of(settings: &Settings) -> Vec<&str> {
    const SECRET: [&str; 5] = ["password", "private_key", "secret", "token", "credentials"];
    let texts = settings.0.iter().filter_map(|(key, value)| Some((key, value.as_str()?)));
    texts
        .filter_map(
            |(key, text)| {
                if SECRET.iter().any(|word| key.contains(word)) { Some(text) } else { password_in(text) }
            },
        )
        .filter(|text| !text.starts_with("{{"))
        .collect()
}

/// `hunter2` in `postgres://user:hunter2@host/db`.
fn password_in(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?']).next()?;
    let (user, _) = authority.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::entry::Entry;

    #[test]
    fn t10_what_a_plugin_repeats_of_its_settings_is_hidden() {
        let settings = json!({
            "password": "hunter22",
            "connection_url": "postgres://vault:swordfish@localhost/db",
            "templated": "postgres://{{username}}:{{password}}@localhost/db",
            "username": "vaultadmin",
            "port": 5432,
        });
        let settings = Settings(serde_json::from_value(settings).unwrap());
        let masks = Masks::of(&Entry::named("db")).and(secrets_of(&settings));
        let said = "cannot log in as vaultadmin with hunter22 or swordfish at {{password}}";
        let rpc = Error::Rpc { code: Code::Internal, message: said.to_owned() };
        assert_eq!(
            told("unable to initialize", masks)(rpc),
            database::Error::Failed(
                "unable to initialize: rpc error: code = Internal desc = cannot log in as vaultadmin with *** or *** at {{password}}"
                    .to_owned()
            )
        );
    }

    #[test]
    fn an_engine_learns_whether_the_plugin_may_have_acted() {
        let (plugin, how) = ("db".to_owned(), "ended".to_owned());
        let interrupted = Error::Interrupted { plugin: plugin.clone(), how: how.clone() };
        assert!(matches!(error_of("", &interrupted), database::Error::Gone { received: true, .. }));
        let died = Error::Died { plugin, how };
        assert!(matches!(error_of("", &died), database::Error::Gone { received: false, .. }));
    }
}
