use std::{collections::BTreeMap, fmt, sync::Arc};

use ::audit::{
    Device, NotWritten, Options, Record as Told, Refusal, SortOfDevice, Surroundings, write_to_one,
};
use arc_swap::ArcSwap;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{
    Headers, description,
    record::{HEADERS, RECORDS, Record, View, key},
};
use crate::{Config, Error, core::is_damage, error::Result, random, store::Store};

/// All devices that are enabled, and the only way to change them. A change is stored before it counts.
pub(crate) struct Audit {
    store: Store,
    around: Surroundings,
    /// Of the mounts that this service answers for itself.
    pub(super) version: String,
    now: ArcSwap<Table>,
    /// Changes take turns; requests do not come here.
    turn: Mutex<()>,
}

/// The devices at one moment.
#[derive(Clone, Default)]
pub(super) struct Table {
    devices: BTreeMap<String, Arc<Entry>>,
    pub(super) headers: Arc<Headers>,
}

struct Entry {
    record: Record,
    device: Device,
    damage: Option<Damage>,
}

/// Why a device writes nothing, though nothing may be wrong with where it wrote.
struct Damage {
    why: String,
    /// Nobody knows any more what it was to do.
    is_final: bool,
}

/// A device that somebody wants to enable.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) path: String,
    pub(crate) r#type: String,
    pub(crate) description: String,
    pub(crate) options: Options,
    pub(crate) local: bool,
}

impl Audit {
    /// Reads all records. A device that cannot be had is one that writes nothing: without another one that does,
    /// requests are refused, but the server is unsealed.
    pub(crate) async fn open(store: Store, config: &Config) -> Result<Self> {
        let around = config.audit.clone();
        let mut table = Table { headers: Arc::new(headers(&store).await?), ..Table::default() };
        for name in store.list(RECORDS).await? {
            let entry = entry(&store, &name, &around).await?;
            table.devices.insert(entry.record.path.clone(), Arc::new(entry));
        }
        let version = format!("v{}+builtin", config.version);
        Ok(Self { store, around, version, now: ArcSwap::from_pointee(table), turn: Mutex::new(()) })
    }

    /// Whether anything is recorded.
    pub(crate) fn is_on(&self) -> bool {
        !self.now.load().devices.is_empty()
    }

    /// Whether nothing can ever be recorded again as long as the devices are those that there are.
    pub(super) fn is_lost(&self) -> bool {
        let table = self.now.load();
        !table.devices.is_empty() && table.devices.values().all(|entry| entry.is_lost())
    }

    pub(crate) fn headers(&self) -> Arc<Headers> {
        self.now.load().headers.clone()
    }

    /// All devices, as clients see them.
    pub(crate) fn list(&self) -> Value {
        let table = self.now.load();
        let views: BTreeMap<&str, View<'_>> =
            table.devices.iter().map(|(path, entry)| (path.as_str(), entry.view())).collect();
        serde_json::to_value(views).unwrap_or_default()
    }

    /// The HMAC of a text, as a device's records show it.
    pub(crate) fn hash(&self, path: &str, text: &str) -> Option<String> {
        self.now.load().devices.get(path).map(|entry| entry.device.hash(text))
    }

    /// Enables a device, if it can write.
    pub(crate) async fn enable(&self, wanted: Wanted) -> Result<()> {
        let _turn = self.turn.lock().await;
        let sort: SortOfDevice = wanted.r#type.parse()?;
        let now = self.now.load_full();
        now.refuse_conflicts(&wanted, sort)?;
        self.try_file(sort, &wanted.options).await?;
        let mut record = Record::new(wanted.path, wanted.r#type, random::bytes()?);
        (record.description, record.options, record.local) =
            (wanted.description, wanted.options, wanted.local);
        let device = Device::new(&record.path, sort, &record.options, record.salt(), &self.around)?;
        let probe = Uuid::new_v4().to_string();
        device.test(&description::probe(&probe)).await?;
        self.store.write(key(&record.path), &record).await?;
        tracing::info!(path = record.path, r#type = record.r#type, "audit device enabled");
        self.change(|table| {
            table.devices.insert(record.path.clone(), Arc::new(Entry { record, device, damage: None }))
        });
        Ok(())
    }

    async fn try_file(&self, sort: SortOfDevice, options: &Options) -> Result<()> {
        let (options, around) = (options.clone(), self.around.clone());
        let tried = tokio::task::spawn_blocking(move || Device::try_file(sort, &options, &around)).await;
        Ok(tried.map_err(|_| Error::CutOff)??)
    }

    /// Disables a device, if there is one.
    pub(crate) async fn disable(&self, path: &str) -> Result<()> {
        let _turn = self.turn.lock().await;
        if !self.now.load().devices.contains_key(path) {
            return Ok(());
        }
        self.store.delete(key(path)).await?;
        tracing::info!(path, "audit device disabled");
        self.change(|table| table.devices.remove(path));
        Ok(())
    }

    /// Records a header from now on.
    pub(crate) async fn add_header(&self, name: &str, hmac: bool) -> Result<()> {
        self.change_headers(|headers| headers.with(name, hmac)).await
    }

    /// Records a header no more.
    pub(crate) async fn remove_header(&self, name: &str) -> Result<()> {
        self.change_headers(|headers| headers.without(name)).await
    }

    async fn change_headers(&self, change: impl FnOnce(&Headers) -> Headers) -> Result<()> {
        let _turn = self.turn.lock().await;
        let headers = Arc::new(change(&self.headers()));
        self.store.write(HEADERS.to_owned(), &*headers).await?;
        self.change(|table| table.headers = headers);
        Ok(())
    }

    fn change<T>(&self, change: impl FnOnce(&mut Table) -> T) {
        let mut table = Table::clone(&self.now.load());
        change(&mut table);
        self.now.store(Arc::new(table));
    }

    /// Opens the files of all devices anew.
    pub(crate) fn reopen(&self) {
        self.now.load().devices.values().for_each(|entry| entry.device.reopen());
    }

    /// Writes a record, if there is a device; at least one has it then.
    pub(super) async fn tell(&self, told: &Told<'_>) -> Result<(), NotWritten> {
        let table = self.now.load_full();
        if table.devices.is_empty() {
            return Ok(());
        }
        write_to_one(table.devices.values().map(|entry| &entry.device), told).await
    }
}

impl Entry {
    fn view(&self) -> View<'_> {
        self.record.view(self.damage.as_ref().map(|damage| damage.why.as_str()))
    }

    fn is_lost(&self) -> bool {
        self.damage.as_ref().is_some_and(|damage| damage.is_final)
    }
}

impl Table {
    fn refuse_conflicts(&self, wanted: &Wanted, sort: SortOfDevice) -> Result<(), Refusal> {
        let path = wanted.path.as_str();
        if self.devices.keys().any(|other| other.starts_with(path) || path.starts_with(other.as_str())) {
            return Err(Refusal::PathInUse);
        }
        let file = Device::file(sort, &wanted.options);
        if file.is_some() && self.devices.values().any(|entry| entry.record.file() == file) {
            return Err(Refusal::FileInUse);
        }
        Ok(())
    }
}

impl Record {
    fn file(&self) -> Option<std::path::PathBuf> {
        Device::file(self.r#type.parse().ok()?, &self.options)
    }
}

/// A damaged list hides nothing that was shown before, and shows nothing that was hidden.
async fn headers(store: &Store) -> Result<Headers> {
    match store.read::<Headers>(HEADERS).await {
        Ok(headers) => Ok(headers.unwrap_or_default()),
        Err(error) if is_damage(&error) => {
            tracing::error!(%error, "which headers are recorded is not known; it is as in the beginning");
            Ok(Headers::default())
        }
        Err(error) => Err(error),
    }
}

async fn entry(store: &Store, name: &str, around: &Surroundings) -> Result<Entry> {
    let read = store.read::<Record>(&format!("{RECORDS}{name}")).await;
    let (record, why, is_final) = match read {
        Ok(Some(record)) => {
            let sort = record.r#type.parse();
            let device =
                sort.and_then(|sort| Device::new(&record.path, sort, &record.options, record.salt(), around));
            match device {
                Ok(device) => return Ok(Entry { record, device, damage: None }),
                Err(refusal) => (record, refusal.to_string(), false),
            }
        }
        Ok(None) => (unknown(name), "its record is gone".to_owned(), true),
        Err(error) if is_damage(&error) => (unknown(name), error.to_string(), true),
        Err(error) => return Err(error),
    };
    tracing::error!(path = record.path, why, "an audit device that was enabled writes nothing");
    let device = Device::broken(&record.path, why.clone())?;
    Ok(Entry { record, device, damage: Some(Damage { why, is_final }) })
}

fn unknown(name: &str) -> Record {
    let path = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
    Record::new(path, "unknown".to_owned(), [0; 32])
}

/// The moment of a record.
pub(super) fn now() -> String {
    Timestamp::now().to_string()
}

impl fmt::Debug for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Audit").field("devices", &self.now.load().devices.len()).finish_non_exhaustive()
    }
}
