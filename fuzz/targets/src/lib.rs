//! What the fuzz targets do with their input. Each panics when something that has to hold does not: that the input does
//! no harm is the least of it.

#![allow(clippy::unwrap_used, reason = "what cannot be is what is looked for")]

mod bodies;
mod configurations;
mod paths;
mod policies;
mod print;
mod shape;
mod tokens;

pub use bodies::bodies;
pub use configurations::configurations;
pub use paths::paths;
pub use policies::policies;
pub use tokens::tokens;

/// A target: takes an input, and panics when it finds something wrong.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const ALL: [(&str, Target); 5] = [
    ("bodies", bodies),
    ("configurations", configurations),
    ("paths", paths),
    ("policies", policies),
    ("tokens", tokens),
];

/// The parts of an input that are divided by a character; missing ones are empty.
fn parts<const N: usize>(data: &[u8], divider: char) -> Option<[&str; N]> {
    let mut rest = std::str::from_utf8(data).ok()?.splitn(N, divider);
    Some(std::array::from_fn(|_| rest.next().unwrap_or_default()))
}
