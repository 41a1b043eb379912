use std::{borrow::Cow, io, path::PathBuf, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use serde_json::value::{RawValue, to_raw_value};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Options, Record, Refusal, Salt, SortOfDevice, Veiled, VeiledJson,
    error::Unfit,
    options::{Style, Target},
    output::Output,
    place, redact,
    sink::{Outcome, Sink},
};

/// How long a device may take to write a record. A hanging file or network must not keep requests for ever.
const PATIENCE: Duration = Duration::from_secs(10);

/// What devices need to know of the server they belong to.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// No file of records may be in it.
    pub plugin_directory: Option<PathBuf>,
    /// Where the local syslog listens.
    pub syslog: PathBuf,
    /// Whether records may begin with a text of the operator's choice.
    pub prefix_allowed: bool,
}

/// One audit device.
#[derive(Debug)]
pub struct Device {
    veil: Veil,
    sink: Sink,
}

/// No device has written a record.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("no audit device has written the record")]
pub struct NotWritten;

/// What a device shows of secrets.
#[derive(Debug)]
pub(crate) struct Veil {
    salt: Salt,
    style: Style,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { plugin_directory: None, syslog: PathBuf::from("/dev/log"), prefix_allowed: false }
    }
}

impl Device {
    /// A device, if its options make sense. Nothing is opened before the first record.
    ///
    /// # Errors
    /// The options make no sense.
    pub fn new(
        name: &str,
        sort: SortOfDevice,
        options: &Options,
        salt: Salt,
        around: &Surroundings,
    ) -> Result<Self, Refusal> {
        let style = Style::read(options, around.prefix_allowed)?;
        let target = Target::read(sort, options)?;
        let output = target.output(around.plugin_directory.as_deref(), &around.syslog);
        Self::over(name, output, Veil { salt, style })
    }

    /// A device of which nothing good is known but that it was enabled: it writes nothing.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn broken(name: &str, why: String) -> Result<Self, Refusal> {
        let style = Style { raw: false, hmac_accessor: true, elide_lists: false, prefix: String::new() };
        Self::over(name, Box::new(Broken(why)), Veil { salt: Salt::new(&[0; 32]), style })
    }

    fn over(name: &str, output: Box<dyn Output>, veil: Veil) -> Result<Self, Refusal> {
        let sink = Sink::start(name, output).map_err(|error| Refusal::Test(error.to_string()))?;
        Ok(Self { veil, sink })
    }

    /// The file that a device with these options writes.
    pub fn file(sort: SortOfDevice, options: &Options) -> Option<PathBuf> {
        match Target::read(sort, options) {
            Ok(Target::File { path, .. }) => Some(path),
            _ => None,
        }
    }

    /// Sees whether a device with these options can open its file. It blocks.
    ///
    /// # Errors
    /// It cannot.
    pub fn try_file(sort: SortOfDevice, options: &Options, around: &Surroundings) -> Result<(), Refusal> {
        let Target::File { path, mode } = Target::read(sort, options)? else { return Ok(()) };
        match place::open(&path, mode, around.plugin_directory.as_deref()) {
            Ok(_) => Ok(()),
            Err(Unfit::PluginDirectory) => Err(Refusal::PluginDirectory),
            Err(why) => Err(Refusal::File { path, why }),
        }
    }

    /// Writes a record of no consequence.
    ///
    /// # Errors
    /// It could not be written.
    pub async fn test(&self, record: &Record<'_>) -> Result<(), Refusal> {
        let outcome = timeout(PATIENCE, self.write(record)).await;
        outcome.unwrap_or(Err("it takes too long".into())).map_err(|why| Refusal::Test(why.to_string()))
    }

    /// Opens its file anew.
    pub fn reopen(&self) {
        self.sink.reopen();
    }

    /// The HMAC of a text, as its records show it.
    pub fn hash(&self, text: &str) -> String {
        self.veil.salt.hash(text.as_bytes())
    }

    fn write(&self, record: &Record<'_>) -> impl Future<Output = Outcome> + use<> {
        let outcome = self.sink.write(self.veil.line(record));
        async {
            outcome
                .await
                .unwrap_or_else(|oneshot::error::RecvError { .. }| Err("its thread has ended".into()))
        }
    }
}

/// Hands a record to all devices at once, and waits for the first that has written it.
///
/// # Errors
/// None has.
pub async fn write_to_one(
    devices: impl IntoIterator<Item = &Device>,
    record: &Record<'_>,
) -> Result<(), NotWritten> {
    let mut written: FuturesUnordered<_> = devices.into_iter().map(|device| device.write(record)).collect();
    let first = async {
        while let Some(outcome) = written.next().await {
            if outcome.is_ok() {
                return Ok(());
            }
        }
        Err(NotWritten)
    };
    timeout(PATIENCE, first).await.unwrap_or(Err(NotWritten))
}

struct Broken(String);

impl Output for Broken {
    fn write(&mut self, _: &[Bytes]) -> Result<(), Unfit> {
        Err(io::Error::other(self.0.clone()).into())
    }
}

impl Veil {
    pub(crate) fn text(&self, veiled: &mut Veiled<'_>) {
        self.lift(veiled, self.style.raw);
    }

    pub(crate) fn accessor(&self, veiled: &mut Veiled<'_>) {
        self.lift(veiled, self.style.raw || !self.style.hmac_accessor);
    }

    fn lift(&self, veiled: &mut Veiled<'_>, raw: bool) {
        if let Veiled::Secret(text) = *veiled {
            let shown =
                if raw || text.is_empty() { text.to_owned() } else { self.salt.hash(text.as_bytes()) };
            *veiled = Veiled::Shown(Cow::Owned(shown));
        }
    }

    pub(crate) fn json(&self, veiled: &mut VeiledJson<'_>, clear: &[String], is_list: bool) {
        if let VeiledJson::Secret(json) = *veiled
            && !veiled.is_empty()
        {
            let shown = self.members(json, clear);
            let elided = (is_list && self.style.elide_lists).then(|| redact::elided(&shown)).flatten();
            *veiled = VeiledJson::Shown(elided.unwrap_or(shown));
        }
    }

    fn members(&self, json: &[u8], clear: &[String]) -> Box<RawValue> {
        let raw = || RawValue::from_string(String::from_utf8(json.to_vec()).ok()?).ok();
        let hashed = || redact::redacted(json, clear, |text| self.salt.hash(text));
        let shown = if self.style.raw { raw() } else { hashed() };
        // What is no JSON is still something that was sent.
        shown.unwrap_or_else(|| to_raw_value(&self.salt.hash(json)).expect("a text has a form in JSON"))
    }

    fn line(&self, record: &Record<'_>) -> Bytes {
        let mut record = record.clone();
        record.show(self);
        let mut line = self.style.prefix.clone().into_bytes();
        serde_json::to_writer(&mut line, &record).expect("a record has a form in JSON");
        line.push(b'\n');
        line.into()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::{Value, json};

    use super::*;
    use crate::{Auth, Request, Response, Secret, WrapInfo};

    fn options(pairs: &[(&str, &str)]) -> Options {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn device(pairs: &[(&str, &str)], salt: u8) -> Device {
        let around = Surroundings { prefix_allowed: true, ..Surroundings::default() };
        Device::new("d/", SortOfDevice::File, &options(pairs), Salt::new(&[salt; 32]), &around).unwrap()
    }

    fn record() -> Record<'static> {
        let secret = Veiled::Secret("canary");
        let auth = Auth { accessor: secret.clone(), client_token: secret.clone(), ..Auth::default() };
        let wrapped = WrapInfo {
            accessor: secret.clone(),
            token: secret.clone(),
            wrapped_accessor: secret.clone(),
            ..WrapInfo::default()
        };
        Record {
            auth: Some(auth.clone()),
            request: Some(Request {
                client_token: secret.clone(),
                client_token_accessor: secret.clone(),
                data: VeiledJson::Secret(br#"{"a":"canary","b":[{"c":"canary"}]}"#),
                headers: [("x-a", vec![secret.clone()])].into(),
                ..Request::default()
            }),
            response: Some(Response {
                auth: Some(auth),
                data: VeiledJson::Secret(br#"{"keys":["canary","x"]}"#),
                headers: [("x-b", vec![secret.clone()])].into(),
                redirect: secret.clone(),
                secret: Some(Secret { lease_id: "a/b" }),
                warnings: vec![secret],
                wrap_info: Some(wrapped),
                is_list: true,
                ..Response::default()
            }),
            r#type: "response",
            ..Record::default()
        }
    }

    fn line(device: &Device) -> String {
        String::from_utf8(device.veil.line(&record()).to_vec()).unwrap()
    }

    const DISCARD: (&str, &str) = ("file_path", "discard");

    #[test]
    fn a3_nothing_secret_is_in_a_record() {
        let line = line(&device(&[DISCARD], 1));
        assert!(!line.contains("canary") && !line.contains("[secret]"), "{line}");
        assert!(line.ends_with("}\n"));
        let hash = device(&[DISCARD], 1).hash("canary");
        assert_eq!(line.matches(&hash).count(), 16, "{line}");
    }

    #[tokio::test]
    async fn a4_options_of_a_device_are_its_own() {
        let hash = device(&[DISCARD], 1).hash("canary");
        let seen = |pairs: &[(&str, &str)], salt| {
            let line = line(&device(&[&[DISCARD], pairs].concat(), salt));
            (line.matches("\"canary\"").count(), line.matches(&hash).count(), line)
        };
        assert_eq!(seen(&[("log_raw", "true")], 1).0, 16);
        let (clear, hashed, _) = seen(&[("hmac_accessor", "false")], 1);
        assert_eq!((clear, hashed), (5, 11));
        assert_eq!(seen(&[], 2).1, 0);
        let (_, _, elided) = seen(&[("elide_list_responses", "true")], 1);
        assert!(elided.contains(r#""data":{"keys":2}"#), "{elided}");
        let (_, _, prefixed) = seen(&[("prefix", "@cee: ")], 1);
        assert!(prefixed.starts_with("@cee: {"), "{prefixed}");
        assert_eq!(seen(&[], 1).1, 16);
    }

    #[test]
    fn members_are_in_order_and_empty_ones_left_out() {
        let line = line(&device(&[("file_path", "discard"), ("log_raw", "1")], 1));
        let value: Value = serde_json::from_str(&line).unwrap();
        // This map sorts its keys.
        assert_eq!(serde_json::to_string(&value).unwrap(), line.trim_end());
        assert_eq!(value["request"]["data"], json!({"a": "canary", "b": [{"c": "canary"}]}));
        assert!(value.get("error").is_none() && value["request"].get("mount_type").is_none());
    }

    #[tokio::test]
    async fn a2_one_device_that_writes_is_enough_and_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let good = device(&[("file_path", path.to_str().unwrap())], 1);
        let bad = || Device::broken("b/", "its record is damaged".to_owned()).unwrap();
        let (one, two) = (bad(), bad());
        assert_eq!(write_to_one([&one, &good, &two], &record()).await, Ok(()));
        assert_eq!(write_to_one([&one, &two], &record()).await, Err(NotWritten));
        assert_eq!(write_to_one([], &record()).await, Err(NotWritten));
        assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 1);
        assert!(one.test(&record()).await.unwrap_err().to_string().contains("its record is damaged"));
    }
}
