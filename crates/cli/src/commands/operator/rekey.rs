use serde_json::{Value, json};

use super::{
    ceremony::Ceremony,
    init::{shares, texts},
};
use crate::{client::Request, error::Result, output::wrapped, session::Session};

const STATE: &[(&str, &str)] = &[
    ("Nonce", "nonce"),
    ("Started", "started"),
    ("Rekey Progress", "progress"),
    ("New Shares", "n"),
    ("New Threshold", "t"),
    ("Verification Required", "verification_required"),
    ("Verification Nonce", "verification_nonce"),
];

pub(super) fn rekey(session: &Session<'_>) -> Result<()> {
    let given = &session.given;
    let verifies = given.on("verify") && !given.on("init");
    let ceremony = Ceremony {
        session,
        state: if verifies { "sys/rekey/verify" } else { "sys/rekey/init" },
        update: if verifies { "sys/rekey/verify" } else { "sys/rekey/update" },
        called: "rekey",
    };
    if given.on("init") {
        let (shares, threshold) = shares(session);
        let body = json!({
            "secret_shares": shares, "secret_threshold": threshold, "require_verification": given.on("verify"),
        });
        let state: Value = session
            .ask(&Request::put("sys/rekey/init", body), || "Error initializing rekey".to_owned())?
            .json()?;
        return ceremony.show(&state, STATE);
    }
    if given.on("cancel") {
        return ceremony.cancel("Success! Canceled rekeying (if it was started)");
    }
    if given.on("status") {
        return ceremony.show(&ceremony.state()?, STATE);
    }
    let state = ceremony.hand_in("operator rekey -init")?;
    if state["complete"] == true { finished(session, &state, verifies) } else { ceremony.show(&state, STATE) }
}

fn finished(session: &Session<'_>, state: &Value, verifies: bool) -> Result<()> {
    let out = &session.out;
    if !out.is_table() {
        return out.document(state);
    }
    if verifies {
        out.say(wrapped(
            "Rekey verification successful. The rekey operation is complete and the new keys are now active.",
            0,
        ));
        return Ok(());
    }
    for (number, key) in (1..).zip(texts(&state["keys_base64"])) {
        out.say(format!("Key {number}: {key}"));
    }
    out.say(format!("\nOperation nonce: {}\n", state["nonce"].as_str().unwrap_or_default()));
    let next = if state["verification_required"] == true {
        format!(
            "These keys are not in force until they are verified: hand them in with \"{} operator rekey -verify\", and the \
             nonce {}. Until then, the old ones unseal.",
            session.program,
            state["verification_nonce"].as_str().unwrap_or_default()
        )
    } else {
        "The unseal keys have been rekeyed. Please securely distribute the key shares printed above; the old ones unseal \
         nothing any more."
            .to_owned()
    };
    out.say(wrapped(&next, 0));
    Ok(())
}
