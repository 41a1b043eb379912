use crate::{
    error::Result,
    leaf::{Leaf, Prints},
    session::Session,
};

pub const LEAVES: &[Leaf] = &[Leaf {
    words: "print token",
    about: "Print the token that commands ask with.",
    takes: &[],
    flags: &[],
    prints: Prints::Words,
    run: token,
}];

fn token(session: &Session<'_>) -> Result<()> {
    let token = session.token(&session.settings()?)?;
    session.out.say(token.as_ref().map_or("", |token| token.expose()));
    Ok(())
}
