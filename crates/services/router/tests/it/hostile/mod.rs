//! Clients, plugins and stored bytes that mean no good.

mod damage;
mod grants;
mod sentences;
mod strangers;
mod words;
