//! The built-in plugins, written with tenon, each also a program of its own.
