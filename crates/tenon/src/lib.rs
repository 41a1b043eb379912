//! The plugin SDK: a Backend trait, paths and fields, storage and system views, serve().
