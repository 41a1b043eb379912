//! The stories are in `tests/`; this package has nothing else but the fixture that they need.
