use std::{
    io::{self, Write},
    path::Path,
};

use bytes::Bytes;

use crate::{error::Unfit, file::AppendedFile, options::Target, socket::Socket, syslog::Syslog};

/// Where the records of one device end up. It blocks; a thread of its own calls it.
pub(crate) trait Output: Send + 'static {
    /// Takes some records, each ending in a line break. An error: nobody may rely on any of them.
    fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit>;

    /// What it writes to may have been moved away, to begin anew.
    fn reopen(&mut self) {}
}

struct Discard;

struct Stdout;

impl Output for Discard {
    fn write(&mut self, _: &[Bytes]) -> Result<(), Unfit> {
        Ok(())
    }
}

impl Output for Stdout {
    fn write(&mut self, records: &[Bytes]) -> Result<(), Unfit> {
        let mut out = io::stdout().lock();
        out.write_all(&records.concat())?;
        Ok(out.flush()?)
    }
}

impl Target {
    /// Nothing is opened yet.
    pub(crate) fn output(self, plugins: Option<&Path>, syslog: &Path) -> Box<dyn Output> {
        match self {
            Self::Stdout => Box::new(Stdout),
            Self::Discard => Box::new(Discard),
            Self::File { path, mode } => Box::new(AppendedFile::new(path, mode, plugins)),
            Self::Socket { address, protocol, timeout } => Box::new(Socket::new(address, protocol, timeout)),
            Self::Syslog { facility, tag } => Box::new(Syslog::new(syslog, facility, tag)),
        }
    }
}
