//! Conversations with a server at a shell: every command, in the forms for people and for programs, with its exit code.

mod data;
mod kv;
mod mounts;
mod operator;
mod plugins;
mod policies;
mod secrecy;
mod shell;
mod tokens;
mod wrapper;

use shell::Shell;
