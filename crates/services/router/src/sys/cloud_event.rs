//! The two forms of what plugins announce: JSON, as CloudEvents has it, and protobuf.

use bytes::Bytes;
use domain::{NamespacePath, notice::Facts};
use jiff::Timestamp;
use prost::Message;
use prost_types::{Value as Given, value::Kind};
use serde_json::{Value, json};
use uuid::Uuid;
use wire::{
    json::map_of,
    launcher::v1::{MountSpec, Notice},
    logical::{EventData, EventPluginInfo, EventReceived},
};

use crate::answer::json as text;

/// What plugins say in it is inside of their mount, and told from outside.
const PATHS: [&str; 2] = ["path", "data_path"];

/// A notice, with whose it is.
pub(super) struct Announced {
    pub(super) event_type: String,
    event: EventData,
    plugin: EventPluginInfo,
    namespace: String,
}

impl Announced {
    /// Of the mount at this path of a namespace.
    pub(super) fn of(notice: &Notice, spec: &MountSpec, mount: &str, namespace: &NamespacePath) -> Self {
        let mut event = notice.event.clone().unwrap_or_default();
        if event.id.is_empty() {
            event.id = Uuid::new_v4().to_string();
        }
        for field in event.metadata.iter_mut().flat_map(|metadata| &mut metadata.fields) {
            if let (name, Given { kind: Some(Kind::StringValue(path)) }) = field
                && PATHS.contains(&name.as_str())
            {
                *path = format!("{mount}{path}");
            }
        }
        let plugin = EventPluginInfo {
            mount_class: spec.r#type.clone(),
            mount_accessor: spec.accessor.clone(),
            mount_path: mount.to_owned(),
            plugin: spec.plugin.clone(),
            plugin_version: notice.plugin_version.clone(),
            version: spec.options.get("version").cloned().unwrap_or_default(),
        };
        Self { event_type: notice.event_type.clone(), event, plugin, namespace: namespace.to_string() }
    }

    fn said(&self, name: &str) -> &str {
        match self.event.metadata.as_ref().and_then(|metadata| metadata.fields.get(name)) {
            Some(Given { kind: Some(Kind::StringValue(text)) }) => text,
            _ => "",
        }
    }

    /// What filters can ask about it.
    pub(super) fn facts(&self) -> Facts<'_> {
        Facts {
            event_type: &self.event_type,
            operation: self.said("operation"),
            source_plugin_mount: &self.plugin.mount_path,
            data_path: self.said("data_path"),
            namespace: &self.namespace,
        }
    }

    /// What it is about, for policies: where nothing is said, the mount.
    pub(super) fn path(&self) -> &str {
        let said = ["data_path", "path"].map(|name| self.said(name));
        said.into_iter().find(|path| !path.is_empty()).unwrap_or(&self.plugin.mount_path)
    }

    /// As CloudEvents has it.
    pub(super) fn json(self, source: &str) -> Bytes {
        let EventData { id, metadata, entity_ids, note } = self.event;
        let metadata = metadata.map(|metadata| Value::Object(map_of(metadata)));
        let event = sparse([
            ("id", id.into()),
            ("metadata", metadata.unwrap_or_default()),
            ("entity_ids", entity_ids.into()),
            ("note", note.into()),
        ]);
        let plugin = self.plugin;
        let plugin = sparse(
            [
                ("mount_class", plugin.mount_class),
                ("mount_accessor", plugin.mount_accessor),
                ("mount_path", plugin.mount_path),
                ("plugin", plugin.plugin),
                ("plugin_version", plugin.plugin_version),
                ("version", plugin.version),
            ]
            .map(|(name, value)| (name, value.into())),
        );
        let data = sparse([
            ("event", event),
            ("event_type", self.event_type.into()),
            ("namespace", self.namespace.into()),
            ("plugin_info", plugin),
        ]);
        text(&json!({
            "id": Uuid::new_v4(),
            "source": source,
            "specversion": "1.0",
            "type": "*",
            "data": data,
            "datacontentype": "application/cloudevents",
            "time": Timestamp::now(),
        }))
    }

    /// As protobuf.
    pub(super) fn binary(self) -> Bytes {
        let Self { event_type, event, plugin, namespace } = self;
        let received = EventReceived { event: Some(event), namespace, event_type, plugin_info: Some(plugin) };
        received.encode_to_vec().into()
    }
}

/// An object without what is empty, as Go writes protobuf in JSON.
fn sparse<const N: usize>(members: [(&str, Value); N]) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(all) => all.is_empty(),
        Value::Object(all) => all.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    let members = members.into_iter().filter(|(_, value)| !is_empty(value));
    Value::Object(members.map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use prost_types::Struct;

    use super::*;

    fn announced() -> Announced {
        let said = |text: &str| Given { kind: Some(Kind::StringValue(text.to_owned())) };
        let fields = [("path", "data/foo"), ("data_path", "data/foo"), ("operation", "data-write")];
        let four = Given { kind: Some(Kind::NumberValue(4.0)) };
        let fields = fields.map(|(name, text)| (name.to_owned(), said(text)));
        let fields = fields.into_iter().chain([("current_version".to_owned(), four)]).collect();
        let event = EventData { metadata: Some(Struct { fields }), ..EventData::default() };
        let notice = Notice {
            event_type: "kv-v2/data-write".to_owned(),
            event: Some(event),
            plugin_version: "v0.25.0".to_owned(),
            ..Notice::default()
        };
        let spec = MountSpec {
            r#type: "secret".to_owned(),
            accessor: "kv_1".to_owned(),
            plugin: "kv".to_owned(),
            options: [("version".to_owned(), "2".to_owned())].into(),
            ..MountSpec::default()
        };
        Announced::of(&notice, &spec, "secret/", &NamespacePath::called("team").unwrap())
    }

    #[test]
    fn paths_are_told_as_they_are_from_outside() {
        let announced = announced();
        let facts = announced.facts();
        assert_eq!((facts.data_path, facts.operation), ("secret/data/foo", "data-write"));
        assert_eq!((facts.source_plugin_mount, facts.namespace), ("secret/", "team/"));
        assert_eq!(announced.path(), "secret/data/foo");
    }

    #[test]
    fn both_forms_tell_the_same() {
        let json: Value = serde_json::from_slice(&announced().json("vault://c")).unwrap();
        assert_eq!((&json["specversion"], &json["source"]), (&json!("1.0"), &json!("vault://c")));
        assert_eq!(json["data"]["event"]["metadata"]["path"], "secret/data/foo");
        assert_eq!(json["data"]["event"]["metadata"]["current_version"], json!(4));
        assert_eq!(json["data"]["event_type"], "kv-v2/data-write");
        assert_eq!(json["data"]["namespace"], "team/");
        let info = json!({
            "mount_class": "secret", "mount_accessor": "kv_1", "mount_path": "secret/",
            "plugin": "kv", "plugin_version": "v0.25.0", "version": "2",
        });
        assert_eq!(json["data"]["plugin_info"], info);
        assert!(json["data"]["event"].get("note").is_none());
        let binary = EventReceived::decode(announced().binary()).unwrap();
        assert_eq!((binary.event_type.as_str(), binary.namespace.as_str()), ("kv-v2/data-write", "team/"));
        assert_eq!(binary.plugin_info.unwrap().mount_path, "secret/");
    }
}
