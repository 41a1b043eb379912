use tenon::{Announcement, System};

/// Announces what was done at a path inside the mount, and where its data is now, if there is any.
pub(super) fn announce(
    system: &dyn System,
    (version, operation): (u8, &str),
    path: String,
    data_path: Option<String>,
    more: impl IntoIterator<Item = (&'static str, String)>,
) {
    if !system.is_heard() {
        return;
    }
    let mut metadata =
        vec![("modified", "true".to_owned()), ("operation", operation.to_owned()), ("path", path)];
    metadata.extend(data_path.map(|path| ("data_path", path)));
    metadata.extend(more);
    system.announce(Announcement { event_type: format!("kv-v{version}/{operation}"), metadata });
}
