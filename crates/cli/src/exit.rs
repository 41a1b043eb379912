use std::process::ExitCode;

/// What a script learns from a command, in Vault's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It was done.
    Success,
    /// The command line is wrong, or something on this machine.
    Local,
    /// The server refused it, does not know it, or cannot be reached; or, asked for its status, it is sealed.
    Remote,
    /// There is no such command.
    Unknown,
}

impl Exit {
    /// The number of the process.
    pub const fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Local => 1,
            Self::Remote => 2,
            Self::Unknown => 127,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.number().into()
    }
}
