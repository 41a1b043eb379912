use std::{collections::HashMap, env, fmt, path::PathBuf, time::Duration};

use domain::parse_bool;

use crate::{Error, error::Result};

/// The variables that commands look at, each under two names: `MORTISE_ADDR` wins over `VAULT_ADDR`.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// Where tokens and the settings of clients are kept.
    pub home: Option<PathBuf>,
}

impl Environment {
    /// This process's.
    pub fn of_process() -> Self {
        let known = |name: &String| name.starts_with("VAULT_") || name.starts_with("MORTISE_");
        let texts = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self { variables: texts.filter(|(name, _)| known(name)).collect(), home: env::home_dir() }
    }

    /// One that holds this.
    #[cfg(test)]
    pub fn with(variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self { variables: variables.iter().map(owned).collect(), home: None }
    }

    /// The same, of somebody who lives elsewhere.
    #[cfg(test)]
    pub fn at(self, home: &std::path::Path) -> Self {
        Self { home: Some(home.to_owned()), ..self }
    }

    /// A variable by the part of its name that both have: `ADDR`. One that is empty is not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        ["MORTISE", "VAULT"]
            .iter()
            .filter_map(|family| self.variables.get(&format!("{family}_{name}")))
            .find(|value| !value.is_empty())
            .map(String::as_str)
    }

    /// The whole name of a variable that is set.
    pub fn name_of(&self, name: &str) -> Option<String> {
        let names = ["MORTISE", "VAULT"].map(|family| format!("{family}_{name}"));
        names.into_iter().find(|name| self.variables.get(name).is_some_and(|value| !value.is_empty()))
    }

    /// A variable that says yes or no.
    pub fn on(&self, name: &str) -> Result<bool> {
        let Some(text) = self.get(name) else { return Ok(false) };
        parse_bool(text).ok_or_else(|| Error::local(format!("{name} is {text:?}: say true or false")))
    }

    /// A variable that says how long.
    pub fn duration(&self, name: &str) -> Result<Option<Duration>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let duration = domain::parse_duration(text);
        duration.map(Some).map_err(|error| Error::local(format!("{name} is no duration: {error}")))
    }

    /// A variable that says how many.
    pub fn number(&self, name: &str) -> Result<Option<u32>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| Error::local(format!("{name} is {text:?}: it has to be a number")))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_name_of_a_variable_wins_and_an_empty_one_is_none() {
        let environment =
            Environment::with(&[("VAULT_ADDR", "a"), ("MORTISE_ADDR", "b"), ("VAULT_TOKEN", "")]);
        assert_eq!(environment.get("ADDR"), Some("b"));
        assert_eq!(environment.get("TOKEN"), None);
        let emptied = Environment::with(&[("VAULT_ADDR", "a"), ("MORTISE_ADDR", "")]);
        assert_eq!(
            (emptied.get("ADDR"), emptied.name_of("ADDR").as_deref()),
            (Some("a"), Some("VAULT_ADDR"))
        );
    }

    #[test]
    fn values_that_mean_nothing_are_refused_by_name() {
        let environment = Environment::with(&[("VAULT_SKIP_VERIFY", "perhaps"), ("VAULT_MAX_RETRIES", "-1")]);
        assert!(environment.on("SKIP_VERIFY").unwrap_err().to_string().contains("SKIP_VERIFY"));
        assert!(environment.number("MAX_RETRIES").unwrap_err().to_string().contains("MAX_RETRIES"));
        assert_eq!(environment.duration("CLIENT_TIMEOUT").unwrap(), None);
    }
}
