use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use domain::{parse_bool, parse_duration};

use crate::{Refusal, syslog::Facility};

/// The three sorts of devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortOfDevice {
    /// Adds lines to a file.
    File,
    /// Sends lines to a socket.
    Socket,
    /// Sends messages to the local syslog.
    Syslog,
}

/// What a device was enabled with: all texts, as Vault takes and lists them.
pub type Options = BTreeMap<String, String>;

/// Where records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Stdout,
    Discard,
    /// No mode: that of the file stays.
    File {
        path: PathBuf,
        mode: Option<u32>,
    },
    Socket {
        address: String,
        protocol: Protocol,
        timeout: Duration,
    },
    Syslog {
        facility: Facility,
        tag: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Tcp,
    Udp,
    Unix,
}

/// What records look like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    pub(crate) raw: bool,
    pub(crate) hmac_accessor: bool,
    pub(crate) elide_lists: bool,
    pub(crate) prefix: String,
}

/// Options of editions that this is none of.
const ENTERPRISE: [&str; 3] = ["exclude", "fallback", "filter"];

const DEFAULT_MODE: u32 = 0o600;
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);
const DEFAULT_TAG: &str = "vault";

impl std::str::FromStr for SortOfDevice {
    type Err = Refusal;

    fn from_str(word: &str) -> Result<Self, Refusal> {
        match word {
            "file" => Ok(Self::File),
            "socket" => Ok(Self::Socket),
            "syslog" => Ok(Self::Syslog),
            other => Err(Refusal::Sort(other.to_owned())),
        }
    }
}

impl Style {
    pub(crate) fn read(options: &Options, prefix_allowed: bool) -> Result<Self, Refusal> {
        if ENTERPRISE.iter().any(|name| options.contains_key(*name)) {
            return Err(Refusal::Enterprise);
        }
        match text(options, "format") {
            "" | "json" => {}
            "jsonx" => return Err(Refusal::Jsonx),
            _ => return Err(Refusal::Format),
        }
        let prefix = options.get("prefix").cloned().unwrap_or_default();
        if !prefix.is_empty() && !prefix_allowed {
            return Err(Refusal::Prefix);
        }
        Ok(Self {
            raw: flag(options, "log_raw", false)?,
            hmac_accessor: flag(options, "hmac_accessor", true)?,
            elide_lists: flag(options, "elide_list_responses", false)?,
            prefix,
        })
    }
}

impl Target {
    pub(crate) fn read(sort: SortOfDevice, options: &Options) -> Result<Self, Refusal> {
        match sort {
            SortOfDevice::File => file(options),
            SortOfDevice::Socket => socket(options),
            SortOfDevice::Syslog => syslog(options),
        }
    }
}

fn file(options: &Options) -> Result<Target, Refusal> {
    let path = [text(options, "file_path"), text(options, "path")];
    let path = path.into_iter().find(|path| !path.is_empty()).ok_or(Refusal::Required("file_path"))?;
    let mode = mode(options)?;
    Ok(match path {
        word if word.eq_ignore_ascii_case("stdout") => Target::Stdout,
        word if word.eq_ignore_ascii_case("discard") => Target::Discard,
        // Rebuilt from its components, so that the same path is recognised in another spelling.
        path => Target::File { path: PathBuf::from(path).components().collect(), mode },
    })
}

fn mode(options: &Options) -> Result<Option<u32>, Refusal> {
    let text = text(options, "mode");
    if text.is_empty() {
        return Ok(Some(DEFAULT_MODE));
    }
    let wanted = "a file mode in octal digits";
    let mode = u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777);
    match mode.ok_or_else(|| value("mode", text, wanted))? {
        0 => Ok(None),
        mode if mode & 0o111 != 0 => Err(Refusal::Executable(text.to_owned())),
        mode if mode & 0o7000 != 0 => Err(Refusal::SetId(text.to_owned())),
        mode => Ok(Some(mode)),
    }
}

fn socket(options: &Options) -> Result<Target, Refusal> {
    let address = text(options, "address");
    if address.is_empty() {
        return Err(Refusal::Required("address"));
    }
    let protocol = match text(options, "socket_type") {
        "" | "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        "unix" => Protocol::Unix,
        other => return Err(value("socket_type", other, "tcp, udp or unix")),
    };
    let timeout = match text(options, "write_timeout") {
        "" => DEFAULT_TIMEOUT,
        text => {
            let timeout = parse_duration(text).ok().filter(|timeout| !timeout.is_zero());
            timeout.ok_or_else(|| value("write_timeout", text, "a duration above zero"))?
        }
    };
    Ok(Target::Socket { address: address.to_owned(), protocol, timeout })
}

fn syslog(options: &Options) -> Result<Target, Refusal> {
    let facility = match text(options, "facility") {
        "" => Facility::default(),
        word => Facility::named(word).ok_or_else(|| value("facility", word, "a facility of syslog"))?,
    };
    let tag = match text(options, "tag") {
        "" => DEFAULT_TAG,
        tag if tag.chars().all(|c| c.is_ascii_graphic() && !"[]:".contains(c)) => tag,
        tag => return Err(value("tag", tag, "a word of letters, digits and dashes")),
    };
    Ok(Target::Syslog { facility, tag: tag.to_owned() })
}

fn flag(options: &Options, name: &'static str, default: bool) -> Result<bool, Refusal> {
    match text(options, name) {
        "" => Ok(default),
        other => parse_bool(other).ok_or_else(|| value(name, other, "true or false")),
    }
}

fn text<'o>(options: &'o Options, name: &str) -> &'o str {
    options.get(name).map(|text| text.trim()).unwrap_or_default()
}

fn value(name: &'static str, value: &str, wanted: &'static str) -> Refusal {
    Refusal::Value { name, value: value.to_owned(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> Options {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn refused(sort: &str, pairs: &[(&str, &str)]) -> String {
        let read = || {
            Target::read(sort.parse()?, &options(pairs))?;
            Style::read(&options(pairs), false)
        };
        read().unwrap_err().to_string()
    }

    #[test]
    fn options_that_make_no_sense_are_refused_in_vaults_words() {
        let file = ("file_path", "/x");
        for (sort, pairs, sentence) in [
            ("zzz", &[][..], "unknown backend type: \"zzz\": invalid configuration"),
            (
                "file",
                &[],
                "unable to create new audit backend: \"file_path\" is required: invalid configuration",
            ),
            (
                "socket",
                &[],
                "unable to create new audit backend: \"address\" is required: invalid configuration",
            ),
            (
                "file",
                &[file, ("mode", "0777")],
                "unable to create new audit backend: file mode may not be executable: 0777",
            ),
            (
                "file",
                &[file, ("format", "xml")],
                "unable to create new audit backend: unsupported \"format\": invalid configuration",
            ),
            (
                "file",
                &[file, ("filter", "operation == read")],
                "unable to create new audit backend: enterprise-only options supplied: invalid configuration",
            ),
            (
                "file",
                &[file, ("prefix", "#!/bin/sh\n")],
                "audit prefixing is not enabled in configuration, audit prefixing may not be configured for file sinks",
            ),
        ] {
            assert_eq!(refused(sort, pairs), sentence);
        }
        for (sort, pairs, part) in [
            ("file", &[file, ("mode", "4600")][..], "4600"),
            ("file", &[file, ("mode", "rw")], "octal"),
            ("file", &[file, ("format", "jsonx")], "use json"),
            ("file", &[file, ("log_raw", "maybe")], "true or false"),
            ("socket", &[("address", "a"), ("socket_type", "carrier pigeon")], "tcp, udp or unix"),
            ("socket", &[("address", "a"), ("write_timeout", "0")], "above zero"),
            ("syslog", &[("facility", "NONE")], "facility"),
            ("syslog", &[("tag", "a b")], "tag"),
        ] {
            assert!(refused(sort, pairs).contains(part), "{}", refused(sort, pairs));
        }
    }

    #[test]
    fn what_is_not_said_is_as_in_vault() {
        let target = |sort, pairs: &[(&str, &str)]| Target::read(sort, &options(pairs)).unwrap();
        let file = |path: &str, mode| Target::File { path: path.into(), mode };
        assert_eq!(target(SortOfDevice::File, &[("path", "/a//b/./c")]), file("/a/b/c", Some(0o600)));
        assert_eq!(target(SortOfDevice::File, &[("file_path", "/a"), ("mode", "0000")]), file("/a", None));
        assert_eq!(target(SortOfDevice::File, &[("file_path", "STDOUT")]), Target::Stdout);
        let timeout = Duration::from_secs(2);
        let socket = Target::Socket { address: "a:1".to_owned(), protocol: Protocol::Tcp, timeout };
        assert_eq!(target(SortOfDevice::Socket, &[("address", "a:1")]), socket);
        let style = Style::read(&options(&[]), false).unwrap();
        assert_eq!((style.raw, style.hmac_accessor, style.elide_lists), (false, true, false));
        assert_eq!(Style::read(&options(&[("prefix", "@cee: ")]), true).unwrap().prefix, "@cee: ");
    }
}
