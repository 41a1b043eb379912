//! A real Docker engine of one test's own, and the stacks of `docker-compose.yml` on it.

mod engine;
mod stack;

pub use self::{
    engine::{Engine, alone},
    stack::Stack,
};
