//! Turns a catalog entry into a running plugin and keeps it running.
