//! Code generated from proto/ at build time, and its conversions to domain.
