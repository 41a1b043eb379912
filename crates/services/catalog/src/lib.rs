//! The encrypted storage, which plugins exist, and their checksums.
