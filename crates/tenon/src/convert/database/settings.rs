use prost_types::Struct;
use wire::json;

use crate::database::Settings;

/// Settings as they go to the peer.
pub fn to_struct(settings: Settings) -> Struct {
    json::to_struct(settings.0)
}

/// Settings as they came from the peer.
pub fn settings_of(message: Option<Struct>) -> Settings {
    Settings(json::map_of(message.unwrap_or_default()))
}
