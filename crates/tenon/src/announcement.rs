/// Something that a backend has done, for those who want to hear of such things. Never a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What sort it is, as `kv-v2/data-write`.
    pub event_type: String,
    /// What there is to say, by name: `path`, `data_path`, `operation`, `modified` mean the same everywhere.
    pub metadata: Vec<(&'static str, String)>,
}
