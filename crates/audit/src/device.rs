use std::{io, path::PathBuf, time::Duration};

use bytes::Bytes;
use futures::{StreamExt, stream::FuturesUnordered};
use tokio::{sync::oneshot, time::timeout};

use crate::{
    Options, Record, Refusal, Salt, SortOfDevice,
    error::Unfit,
    options::{Style, Target},
    output::Output,
    place,
    sink::{Outcome, Sink},
    veil::Veil,
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn device(path: &str) -> Device {
        let options = [("file_path".to_owned(), path.to_owned())].into();
        let salt = Salt::new(&[1; 32]);
        Device::new("d/", SortOfDevice::File, &options, salt, &Surroundings::default()).unwrap()
    }

    #[tokio::test]
    async fn a2_one_device_that_writes_is_enough_and_none_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.log");
        let good = device(path.to_str().unwrap());
        let bad = || Device::broken("b/", "its record is damaged".to_owned()).unwrap();
        let (one, two) = (bad(), bad());
        assert_eq!(write_to_one([&one, &good, &two], &Record::default()).await, Ok(()));
        assert_eq!(write_to_one([&one, &two], &Record::default()).await, Err(NotWritten));
        assert_eq!(write_to_one([], &Record::default()).await, Err(NotWritten));
        assert_eq!(fs::read_to_string(path).unwrap().lines().count(), 1);
        assert!(
            one.test(&Record::default()).await.unwrap_err().to_string().contains("its record is damaged")
        );
    }
}
