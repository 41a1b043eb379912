//! Where the token is between two commands: a file in the home folder, or a program that is named in `~/.vault`.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use domain::{Token, document};

use crate::{Error, environment::Environment, error::Result};

/// What keeps a token.
#[derive(Debug)]
pub enum Helper {
    /// A file that only its owner can read.
    File(PathBuf),
    /// A program that is run with `get`, `store` or `erase`.
    Program {
        /// Its path.
        path: PathBuf,
        /// Whose token: a program may keep one for each server.
        address: String,
    },
}

impl Helper {
    /// The one that the user has.
    pub fn of(environment: &Environment, address: &str) -> Result<Self> {
        let home = || {
            environment
                .home
                .clone()
                .ok_or_else(|| Error::local("there is no home folder to keep a token in: set VAULT_TOKEN"))
        };
        let config = match environment.get("CONFIG_PATH") {
            Some(path) => PathBuf::from(path),
            None => home()?.join(".vault"),
        };
        match fs::read_to_string(&config) {
            Ok(text) => {
                match program(&text).map_err(|why| Error::local(format!("{}: {why}", config.display())))? {
                    Some(path) => Ok(Self::Program { path, address: address.to_owned() }),
                    None => Ok(Self::File(home()?.join(".vault-token"))),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Self::File(home()?.join(".vault-token")))
            }
            Err(error) => Err(Error::unreadable(&config, &error)),
        }
    }

    /// The token, if there is one.
    pub fn get(&self) -> Result<Option<Token>> {
        let text = match self {
            Self::File(path) => match fs::read_to_string(path) {
                Ok(text) => text,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(Error::unreadable(path, &error)),
            },
            Self::Program { .. } => self.run("get", None)?,
        };
        Ok(Some(text.trim()).filter(|text| !text.is_empty()).map(|text| Token::new(text.to_owned())))
    }

    /// Keeps another one in its place.
    pub fn store(&self, token: &Token) -> Result<()> {
        let Self::File(path) = self else { return self.run("store", Some(token)).map(drop) };
        let part = path.with_extension("part");
        let write = || {
            let _ = fs::remove_file(&part);
            let mut file = fs::File::options().write(true).create_new(true).mode(0o600).open(&part)?;
            file.write_all(token.expose().as_bytes())?;
            fs::rename(&part, path)
        };
        write()
            .map_err(|error| Error::local(format!("cannot store the token in {}: {error}", path.display())))
    }

    fn run(&self, word: &str, input: Option<&Token>) -> Result<String> {
        let Self::Program { path, address } = self else { return Ok(String::new()) };
        let failed = |why: String| {
            Error::local(format!("the token helper {} failed to {word} the token: {why}", path.display()))
        };
        let mut command = Command::new(path);
        command
            .arg(word)
            .env("VAULT_ADDR", address)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        if let (Some(mut pipe), Some(token)) = (child.stdin.take(), input) {
            // One that does not read it says itself whether it is content.
            let _ = pipe.write_all(token.expose().as_bytes());
        }
        let done = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
        if !done.status.success() {
            return Err(failed(format!("{}, {}", done.status, String::from_utf8_lossy(&done.stderr).trim())));
        }
        String::from_utf8(done.stdout).map_err(|_| failed("it printed what is no text".to_owned()))
    }
}

/// The program that a configuration names.
fn program(text: &str) -> Result<Option<PathBuf>, String> {
    let entries = document::parse(text).map_err(|problem| problem.to_string())?;
    let Some(entry) = entries.iter().find(|entry| entry.name == "token_helper") else { return Ok(None) };
    let path = entry.node.text().ok_or("token_helper has to be a text")?;
    let path = PathBuf::from(path);
    // A relative one is beside the user's other programs, or where the user is.
    Ok(Some(if path.is_relative() && path.components().count() > 1 {
        env::current_dir().unwrap_or_default().join(path)
    } else {
        path
    }))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn home(config: Option<&str>) -> (tempfile::TempDir, Environment) {
        let folder = tempfile::tempdir().unwrap();
        if let Some(config) = config {
            fs::write(folder.path().join(".vault"), config).unwrap();
        }
        let environment = Environment::default().at(folder.path());
        (folder, environment)
    }

    #[test]
    fn a_token_is_kept_in_a_file_that_only_its_owner_reads() {
        let (folder, environment) = home(None);
        let helper = Helper::of(&environment, "a").unwrap();
        assert!(helper.get().unwrap().is_none());
        for text in ["hvs.one", "hvs.two"] {
            helper.store(&Token::new(text.to_owned())).unwrap();
            assert_eq!(helper.get().unwrap().unwrap().expose(), text);
        }
        let mode = fs::metadata(folder.path().join(".vault-token")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_program_keeps_the_token_for_whoever_names_one() {
        let (folder, _) = home(None);
        let program = folder.path().join("helper");
        let kept = folder.path().join("kept");
        let script = format!(
            "#!/bin/sh\ncase $1 in get) cat {0} 2>/dev/null;; store) cat > {0}; echo $VAULT_ADDR > {0}.addr;; esac\nexit 0\n",
            kept.display()
        );
        fs::write(&program, script).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        fs::write(
            folder.path().join(".vault"),
            format!("token_helper = {:?}\n", program.display().to_string()),
        )
        .unwrap();
        let environment = Environment::default().at(folder.path());
        let helper = Helper::of(&environment, "http://h:1").unwrap();
        assert!(helper.get().unwrap().is_none());
        helper.store(&Token::new("hvs.x".to_owned())).unwrap();
        assert_eq!(helper.get().unwrap().unwrap().expose(), "hvs.x");
        assert_eq!(fs::read_to_string(kept.with_extension("addr")).unwrap(), "http://h:1\n");
    }

    #[test]
    fn a_program_that_fails_is_told_of_without_the_token() {
        let helper = Helper::Program { path: "/bin/false".into(), address: String::new() };
        let error = helper.store(&Token::new("hvs.hidden".to_owned())).unwrap_err().to_string();
        assert!(error.contains("/bin/false") && !error.contains("hidden"), "{error}");
        let (_folder, environment) = home(Some("token_helper = 1"));
        assert!(Helper::of(&environment, "a").is_err());
    }
}
