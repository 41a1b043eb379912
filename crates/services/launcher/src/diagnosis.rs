//! Why a program did not become a plugin, in one sentence that says what to do.

use std::{fmt, fs::File, io, os::unix::fs::FileExt, path::Path, time::Duration};

use goplugin::{Excerpt, HandshakeError, host::StartError};
use object::{
    Endianness,
    elf::{self, FileHeader32, FileHeader64},
    read::elf::{FileHeader, ProgramHeader},
};

use crate::{child::Exit, sandbox::Refusal};

/// As much of a program as a diagnosis looks at: its headers, and the name of its loader.
const HEAD: usize = 64 << 10;

/// What is wrong with a program that did not become a plugin.
#[derive(Debug)]
pub enum Cause {
    /// Built for another processor.
    WrongArchitecture {
        /// What it was built for.
        program: String,
    },
    /// The loader that it names is not on this system.
    MissingLoader(String),
    /// The interpreter that its first line names is not on this system.
    MissingInterpreter(String),
    /// Neither a program nor a script.
    NotAProgram,
    /// It cannot have the sandbox that it is registered with.
    Sandbox(Refusal),
    /// The system does not execute it.
    Exec(io::Error),
    /// It ended before it had said who it is.
    Ended {
        /// How.
        exit: Exit,
        /// Its last words.
        said: LastWords,
    },
    /// It could not lock its memory.
    MlockRefused(LastWords),
    /// A library that it needs is not on this system.
    MissingLibrary(LastWords),
    /// It runs, but does not speak the protocol, or too late.
    Greeting {
        /// What was wrong.
        error: StartError,
        /// The time that it was given.
        limit: Duration,
        /// Its last words.
        said: LastWords,
    },
    /// It was greeted, but its first call failed.
    FirstCall {
        /// What it answered.
        error: String,
        /// Its last words.
        said: LastWords,
    },
}

impl Cause {
    /// Whether it is a plugin, and was only greeted as those of today are: it names the version before, or it ended
    /// because it had no token to fetch its certificate with.
    pub fn is_of_an_old_plugin(&self) -> bool {
        match self {
            Self::Greeting {
                error: StartError::Handshake(HandshakeError::Version { plugin, .. }), ..
            } => *plugin == 4,
            Self::Ended { exit: Exit::Code(0), said } => said.contain(&["plugin tls init"]),
            _ => false,
        }
    }
}

/// The last lines that a program wrote to its standard error, fit to be shown.
#[derive(Clone, Debug, Default)]
pub struct LastWords(pub Vec<String>);

impl LastWords {
    fn contain(&self, any: &[&str]) -> bool {
        self.0.iter().any(|line| any.iter().any(|part| line.contains(part)))
    }
}

impl fmt::Display for LastWords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("; it wrote nothing to its standard error");
        }
        f.write_str("; its last words were ")?;
        for (at, line) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{}", Excerpt::new(line.as_bytes()))?;
        }
        Ok(())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongArchitecture { program } => {
                let host = std::env::consts::ARCH;
                write!(
                    f,
                    "its program was built for {program}, this host is {host}; register one built for {host}"
                )
            }
            Self::MissingLoader(path) => write!(
                f,
                "its program needs the loader {path}, which this system does not have; build it statically \
                 (CGO_ENABLED=0) or install that C library"
            ),
            Self::MissingInterpreter(path) => {
                write!(f, "its script names the interpreter {path}, which this system does not have")
            }
            Self::NotAProgram => {
                f.write_str("its file is neither a program nor a script that begins with #!")
            }
            Self::Sandbox(refusal) => write!(f, "its sandbox cannot be had: {refusal}"),
            Self::Exec(error) => write!(f, "the system refuses to execute its program: {error}"),
            Self::Ended { exit, said } => {
                write!(f, "its process {exit} before it printed its handshake{said}")
            }
            Self::MlockRefused(said) => write!(
                f,
                "it could not lock its memory; raise the limit of locked memory (ulimit -l), or set disable_mlock{said}"
            ),
            Self::MissingLibrary(said) => {
                write!(f, "its program needs a library that this system does not have{said}")
            }
            Self::Greeting { error: StartError::Timeout { printed }, limit, said } => {
                write!(f, "it printed no handshake within {limit:?}")?;
                if !printed.is_empty() {
                    write!(f, ", only {printed} without an end of line")?;
                }
                write!(f, "{said}")
            }
            Self::Greeting { error: StartError::Silent, limit: _, said } => {
                write!(f, "it closed its output before it printed its handshake{said}")
            }
            Self::Greeting { error, limit: _, said } => {
                write!(f, "{error}")?;
                let mut source = std::error::Error::source(error);
                while let Some(deeper) = source {
                    write!(f, ": {deeper}")?;
                    source = deeper.source();
                }
                write!(f, "{said}")
            }
            Self::FirstCall { error, said } => {
                write!(f, "it printed its handshake, but then answered: {error}{said}")
            }
        }
    }
}

/// Why the program could not be executed.
pub fn of_exec(error: io::Error, program: &File) -> Cause {
    let mut head = vec![0; HEAD];
    let length = program.read_at(&mut head, 0).unwrap_or_default();
    head.truncate(length);
    let missing = error.kind() == io::ErrorKind::NotFound;
    if let Some(interpreter) = interpreter(&head) {
        return if missing { Cause::MissingInterpreter(interpreter) } else { Cause::Exec(error) };
    }
    match Binary::read(&head) {
        Some(binary) if !binary.is_native() => Cause::WrongArchitecture { program: binary.machine() },
        Some(Binary { loader: Some(loader), .. }) if missing && !Path::new(&loader).exists() => {
            Cause::MissingLoader(loader)
        }
        Some(_) => Cause::Exec(error),
        None if error.raw_os_error() == Some(libc::ENOEXEC) => Cause::NotAProgram,
        None => Cause::Exec(error),
    }
}

/// What was observed of a program that was executed.
#[derive(Debug)]
pub struct Observed {
    /// How it ended, if it has ended by itself.
    pub exit: Option<Exit>,
    /// The time that it was given.
    pub limit: Duration,
    /// Whether it was asked to lock its memory.
    pub locks_memory: bool,
    /// Its last words.
    pub said: LastWords,
}

/// Why a program that was executed did not become a plugin.
pub fn of_greeting(error: StartError, observed: Observed) -> Cause {
    let Observed { exit, limit, locks_memory, said } = observed;
    // All that a plugin says is what the system told it.
    let refused = said.contain(&["operation not permitted", "cannot allocate memory", "mlock"]);
    if exit.is_some() && locks_memory && refused {
        return Cause::MlockRefused(said);
    }
    if said.contain(&["error while loading shared libraries"]) {
        return Cause::MissingLibrary(said);
    }
    match (error, exit) {
        (StartError::Silent | StartError::Timeout { .. }, Some(exit)) => Cause::Ended { exit, said },
        (error, _) => Cause::Greeting { error, limit, said },
    }
}

/// The interpreter that a script names.
fn interpreter(head: &[u8]) -> Option<String> {
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    Some(line.split_ascii_whitespace().next().unwrap_or_default().to_owned())
}

/// What the headers of a program say.
struct Binary {
    machine: elf::Machine,
    little_endian: bool,
    loader: Option<String>,
}

impl Binary {
    fn read(head: &[u8]) -> Option<Self> {
        FileHeader64::<Endianness>::parse(head).ok().and_then(|header| Self::of(header, head)).or_else(|| {
            FileHeader32::<Endianness>::parse(head).ok().and_then(|header| Self::of(header, head))
        })
    }

    fn of<H: FileHeader<Endian = Endianness>>(header: &H, head: &[u8]) -> Option<Self> {
        let endian = header.endian().ok()?;
        let segments = header.program_headers(endian, head).unwrap_or_default();
        let loader = segments.iter().find_map(|segment| segment.interpreter(endian, head).ok().flatten());
        Some(Self {
            machine: header.e_machine(endian),
            little_endian: header.is_little_endian(),
            loader: loader.map(|path| String::from_utf8_lossy(path).into_owned()),
        })
    }

    fn is_native(&self) -> bool {
        let machine = match std::env::consts::ARCH {
            "x86_64" => &[elf::EM_X86_64, elf::EM_386][..],
            "aarch64" => &[elf::EM_AARCH64, elf::EM_ARM],
            "riscv64" => &[elf::EM_RISCV],
            "powerpc64" => &[elf::EM_PPC64],
            "s390x" => &[elf::EM_S390],
            // Not known here: then the architecture is not what we blame.
            _ => return true,
        };
        machine.contains(&self.machine) && self.little_endian == cfg!(target_endian = "little")
    }

    fn machine(&self) -> String {
        let name = match self.machine {
            elf::EM_X86_64 => "x86_64",
            elf::EM_386 => "32-bit x86",
            elf::EM_AARCH64 => "aarch64",
            elf::EM_ARM => "32-bit ARM",
            elf::EM_RISCV => "riscv64",
            elf::EM_PPC64 => "powerpc64",
            elf::EM_S390 => "s390x",
            other => return format!("another processor ({other:?})"),
        };
        name.to_owned()
    }
}
