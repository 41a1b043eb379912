//! Stories of the whole system, told over HTTP with real plugins; one file each.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a story that cannot go on has failed, and says where it is"
)]

mod announcements;
mod artifacts;
mod audit;
mod auth;
mod backup;
mod bad_handshakes;
mod bad_plugins;
mod catalog;
mod chaos;
mod checksum_changed;
mod cli;
mod command_line;
mod containers;
mod crash_loops;
mod crowd;
mod cut_off;
mod database;
mod database_plugins;
mod degraded;
mod durability;
mod engines;
mod files;
mod go_kv;
mod host_killed;
mod hvac;
mod identity;
mod images;
mod kill_under_load;
mod kv2;
mod leases;
mod many_mounts;
mod marked;
mod migrate;
mod monitoring;
mod mounts;
mod namespaces;
mod old_plugins;
mod paths;
mod postgresql;
mod replay;
mod request_ids;
mod rounds;
mod sandbox;
mod seal;
mod strangers;
mod swap_race;
mod system_view;
mod telemetry;
mod terminations;
mod tls;
mod tokens;
mod traces;
mod upgrade;
mod vaultrs;
mod versions;
mod visible;
mod wrapping;
