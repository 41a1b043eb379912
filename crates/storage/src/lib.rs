//! The Storage trait, prefix views, the encrypting barrier, the backends.
