//! Whole-system stories over HTTP.
