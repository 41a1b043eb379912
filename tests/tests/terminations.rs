//! Every way in which a plugin's process ends: what it is asked first, what becomes of the requests inside and of the
//! leases, and which reason is told, once.

mod asked;
mod unasked;
mod watched;
