mod connections;
mod cut_short;
mod dynamic;
mod fake;
mod mount;
mod statics;
