//! Who may ask, where it goes, what follows: tokens, mount table, pipeline.
