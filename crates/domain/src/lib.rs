//! Names, paths, digests, requests, mount table, process life: the pure rules, without IO.
