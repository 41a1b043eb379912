//! Real servers, plugins and waiting, for tests.
