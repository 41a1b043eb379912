//! Namespaces: how they come and go, and what is in one that no other sees.

mod apart;
mod authority;
mod end;
mod management;
mod there;
