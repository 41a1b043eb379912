//! What takes several keys: one begins it, then each hands in a share.

use serde_json::{Value, json};

use crate::{Error, client::Request, error::Result, output::plain, prompt, session::Session};

/// One that is going on.
pub(super) struct Ceremony<'s> {
    pub session: &'s Session<'s>,
    /// Where its state is.
    pub state: &'static str,
    /// Where shares are handed in.
    pub update: &'static str,
    /// What it is called, within a sentence.
    pub called: &'static str,
}

impl Ceremony<'_> {
    /// How far it is.
    pub(super) fn state(&self) -> Result<Value> {
        let doing = || format!("Error getting {} status", self.called);
        Ok(self.session.ask(&Request::get(self.state), doing)?.json()?)
    }

    /// Hands in the share that was given, and tells what came of it.
    pub(super) fn hand_in(&self, begin: &str) -> Result<Value> {
        let state = self.state()?;
        if state["started"] != true {
            return Err(Error::local(format!(
                "No {} is in progress. Start one by running \"{} {begin}\".",
                self.called, self.session.program
            )));
        }
        let given = self.session.given.text("nonce");
        let nonce = given.map_or_else(|| plain(&state["nonce"]), str::to_owned);
        let key = prompt::secret(self.session, self.session.given.text("KEY"), "Unseal Key")?;
        let request = Request::put(self.update, json!({ "key": key, "nonce": nonce }));
        Ok(self.session.ask(&request, || "Error posting unseal key".to_owned())?.json()?)
    }

    /// Gives it up.
    pub(super) fn cancel(&self, said: &str) -> Result<()> {
        self.session.ask(&Request::delete(self.state), || format!("Error canceling {}", self.called))?;
        self.session.out.say(said);
        Ok(())
    }

    /// Prints what a state says, under the names that people know.
    pub(super) fn show(&self, state: &Value, names: &[(&str, &str)]) -> Result<()> {
        let out = &self.session.out;
        if !out.is_table() {
            return out.document(state);
        }
        let mut rows = Vec::new();
        for (name, field) in names {
            let value = match *field {
                "progress" => format!(
                    "{}/{}",
                    plain(&state["progress"]),
                    plain(state.get("required").unwrap_or(&state["t"]))
                ),
                field => state.get(field).map(plain).unwrap_or_default(),
            };
            if !value.is_empty() && value != "<nil>" {
                rows.push(vec![(*name).to_owned(), value]);
            }
        }
        out.say(crate::output::columns(&rows));
        Ok(())
    }
}
