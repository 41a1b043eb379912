//! Conversations with a server at a shell: every command, in the forms for people and for programs, with its exit code.

mod conversation;
mod data;
mod kv;
mod logins;
mod mounts;
mod operator;
mod plugins;
mod policies;
mod put_back;
mod secrecy;
mod shell;
mod shells;
mod tokens;
mod variables;
mod wrapper;

use shell::Shell;
