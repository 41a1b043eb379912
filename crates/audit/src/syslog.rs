use std::{
    io,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    time::Duration,
};

use bytes::Bytes;
use jiff::Zoned;

use crate::{error::Unfit, output::Output};

/// The part of the system that a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facility(u8);

/// How grave a message is: information.
const SEVERITY: u8 = 6;

/// How long a full syslog is waited for.
const TIMEOUT: Duration = Duration::from_secs(2);

/// In the order of their numbers; four have no name.
const NAMES: [&str; 24] = [
    "KERN", "USER", "MAIL", "DAEMON", "AUTH", "SYSLOG", "LPR", "NEWS", "UUCP", "CRON", "AUTHPRIV", "FTP", "",
    "", "", "", "LOCAL0", "LOCAL1", "LOCAL2", "LOCAL3", "LOCAL4", "LOCAL5", "LOCAL6", "LOCAL7",
];

impl Facility {
    /// By its name in any case.
    pub(crate) fn named(word: &str) -> Option<Self> {
        let number = NAMES.iter().position(|name| !name.is_empty() && name.eq_ignore_ascii_case(word))?;
        u8::try_from(number).ok().map(Self)
    }
}

impl Default for Facility {
    /// AUTH.
    fn default() -> Self {
        Self(4)
    }
}

/// The system's own log, which is told of each record as RFC 3164 has it.
pub(crate) struct Syslog {
    socket: PathBuf,
    facility: Facility,
    tag: String,
    connection: Option<UnixDatagram>,
}

impl Syslog {
    pub(crate) fn new(socket: &Path, facility: Facility, tag: String) -> Self {
        Self { socket: socket.to_owned(), facility, tag, connection: None }
    }

    fn send(&mut self, records: &[Bytes]) -> io::Result<()> {
        let head = self.head(&Zoned::now());
        let connection = match &self.connection {
            Some(connection) => connection,
            None => self.connection.insert(connect(&self.socket)?),
        };
        for record in records {
            let message = [head.as_bytes(), record.strip_suffix(b"\n").unwrap_or(record)].concat();
            connection.send(&message)?;
        }
        Ok(())
    }

    fn head(&self, now: &Zoned) -> String {
        let priority = u16::from(self.facility.0) * 8 + u16::from(SEVERITY);
        let time = now.strftime("%b %e %H:%M:%S");
        format!("<{priority}>{time} {}[{}]: ", self.tag, std::process::id())
    }
}

fn connect(path: &Path) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_write_timeout(Some(TIMEOUT))?;
    socket.connect(path)?;
    Ok(socket)
}

impl Output for Syslog {
    fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit> {
        let sent = self.send(records).or_else(|_| {
            self.connection = None;
            self.send(records)
        });
        Ok(sent?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_what_rfc_3164_says() {
        let facility = Facility::named("local0").unwrap();
        let syslog = Syslog::new(Path::new("/none"), facility, "vault".to_owned());
        let at = "2026-02-03T04:05:06+00[UTC]".parse::<Zoned>().unwrap();
        assert_eq!(syslog.head(&at), format!("<134>Feb  3 04:05:06 vault[{}]: ", std::process::id()));
        assert_eq!(Facility::named("auth"), Some(Facility::default()));
        assert_eq!(Facility::named(""), None);
    }

    #[test]
    fn a_syslog_that_was_started_anew_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut syslog = Syslog::new(&path, Facility::default(), "vault".to_owned());
        assert!(syslog.write(&[Bytes::from("lost\n")]).is_err());
        for text in ["one", "two"] {
            let daemon = UnixDatagram::bind(&path).unwrap();
            syslog.write(&[Bytes::from(format!("{text}\n"))]).unwrap();
            let mut buffer = [0; 200];
            let length = daemon.recv(&mut buffer).unwrap();
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            assert!(message.starts_with("<38>") && message.ends_with(&format!("]: {text}")), "{message}");
            std::fs::remove_file(&path).unwrap();
        }
    }
}
