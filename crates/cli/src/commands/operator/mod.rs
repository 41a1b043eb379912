//! What the operator of a server does.

mod ceremony;
mod init;
mod keys;
mod rekey;
mod root;

use serde_json::json;

use crate::{
    client::Request,
    error::Result,
    leaf::{
        Flag,
        Kind::{Number, Text, Truth},
        Leaf, Prints,
    },
    prompt,
    session::Session,
};

/// How many shares a key has, and how many of them it takes.
const SHARES: &[Flag] = &[
    Flag::own(Number, "key-shares", "How many shares the unseal key is divided into.").or(&["n"]),
    Flag::own(Number, "key-threshold", "How many of them it takes to unseal.").or(&["t"]),
];

/// The steps of what takes several keys.
const STEPS: &[Flag] = &[
    Flag::own(Truth, "init", "Begins."),
    Flag::own(Truth, "cancel", "Gives it up."),
    Flag::own(Truth, "status", "Tells how far it is."),
    Flag::own(Text, "nonce", "What beginning gave."),
];

pub const LEAVES: &[Leaf] = &[
    Leaf {
        words: "operator init",
        about: "Initialise a server: its keys and its first token are printed once.",
        takes: &[],
        flags: &[SHARES, &[Flag::own(Truth, "status", "Tells whether it is; 2 if not.")]],
        prints: Prints::Format,
        run: init::init,
    },
    Leaf {
        words: "operator unseal",
        about: "Hand in a share of the unseal key.",
        takes: &["[KEY]"],
        flags: &[&[
            Flag::own(Truth, "reset", "Forgets the shares that were handed in."),
            Flag::own(Truth, "migrate", "Moves to another seal."),
        ]],
        prints: Prints::Format,
        run: unseal,
    },
    Leaf {
        words: "operator seal",
        about: "Seal the server.",
        takes: &[],
        flags: &[],
        prints: Prints::Words,
        run: seal,
    },
    Leaf {
        words: "operator step-down",
        about: "Have another node become the active one.",
        takes: &[],
        flags: &[],
        prints: Prints::Words,
        run: step_down,
    },
    Leaf {
        words: "operator rotate",
        about: "Make a new key for everything that is stored from now on.",
        takes: &[],
        flags: &[],
        prints: Prints::Format,
        run: keys::rotate,
    },
    Leaf {
        words: "operator key-status",
        about: "Tell about the key that everything is stored with.",
        takes: &[],
        flags: &[],
        prints: Prints::Format,
        run: keys::status,
    },
    Leaf {
        words: "operator rekey",
        about: "Make new shares of the unseal key.",
        takes: &["[KEY]"],
        flags: &[
            SHARES,
            STEPS,
            &[Flag::own(Truth, "verify", "The new shares are handed in before they are in force.")],
        ],
        prints: Prints::Format,
        run: rekey::rekey,
    },
    Leaf {
        words: "operator generate-root",
        about: "Make a root token with the unseal key.",
        takes: &["[KEY]"],
        flags: &[
            STEPS,
            &[
                Flag::own(Text, "otp", "The password that the token is encoded with."),
                Flag::own(Truth, "generate-otp", "Prints such a password."),
                Flag::own(Text, "decode", "Prints the token out of its encoded form; takes -otp."),
            ],
        ],
        prints: Prints::Format,
        run: root::generate,
    },
];

fn unseal(session: &Session<'_>) -> Result<()> {
    let body = if session.given.on("reset") {
        json!({ "reset": true })
    } else {
        let key = prompt::secret(session, session.given.text("KEY"), "Unseal Key")?;
        json!({ "key": key, "migrate": session.given.on("migrate") })
    };
    let answer = session.ask(&Request::put("sys/unseal", body), || "Error unsealing".to_owned())?;
    super::status::show(session, &answer.json()?)
}

fn seal(session: &Session<'_>) -> Result<()> {
    session.ask(&Request::act("sys/seal"), || "Error sealing".to_owned())?;
    session.out.say("Success! The server is sealed.");
    Ok(())
}

fn step_down(session: &Session<'_>) -> Result<()> {
    session.ask(&Request::act("sys/step-down"), || "Error stepping down".to_owned())?;
    session.out.say(format!("Success! Stepped down: {}", session.client()?.address()));
    Ok(())
}
