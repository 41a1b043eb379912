use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use domain::document;

use super::{
    problem::{Error, Place, Problem, Problems},
    server::{Config, Given},
    tree::Entry,
};

/// Reads files and folders in the order given, and lays what was given outside of them over it.
/// The second part of the answer is what has no effect.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub fn load(paths: &[PathBuf], given: Vec<Given>) -> Result<(Config, Vec<Problem>), Error> {
    read_texts(&texts(paths)?, given)
}

/// What is written in files, and in folders of such, each with its path.
pub(super) fn texts(paths: &[PathBuf]) -> Result<Vec<(PathBuf, String)>, Error> {
    let read = |file: PathBuf| match fs::read_to_string(&file) {
        Ok(text) => Ok((file, text)),
        Err(source) => Err(Error::Read { path: file, source }),
    };
    expand(paths)?.into_iter().map(read).collect()
}

/// Reads texts as [`load`] reads files; each has the path that its problems are to name.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub fn read_texts(texts: &[(PathBuf, String)], given: Vec<Given>) -> Result<(Config, Vec<Problem>), Error> {
    read(texts, given, Config::read)
}

/// Reads whatever is configured by texts.
pub(super) fn read<T>(
    texts: &[(PathBuf, String)],
    given: Vec<Given>,
    meaning: impl FnOnce(Vec<Entry>, &mut Problems) -> T,
) -> Result<(T, Vec<Problem>), Error> {
    let mut problems = Problems::default();
    let mut entries = Vec::new();
    for (file, text) in texts {
        match parse(file, text) {
            Ok(more) => entries.extend(more),
            Err(problem) => problems.errors.push(problem),
        }
    }
    entries.extend(given.into_iter().map(Entry::from));
    let meaning = meaning(entries, &mut problems);
    if problems.errors.is_empty() {
        Ok((meaning, problems.warnings))
    } else {
        Err(Error::Invalid(problems.errors))
    }
}

fn parse(file: &Path, text: &str) -> Result<Vec<Entry>, Problem> {
    let file: Arc<Path> = Arc::from(file);
    let entries = document::parse(text).map_err(|problem| refused(&file, &problem))?;
    Ok(entries.into_iter().map(|entry| Entry::of(&file, entry)).collect())
}

fn refused(file: &Arc<Path>, problem: &document::Problem) -> Problem {
    let text = match problem {
        document::Problem::Hcl { text, .. } => format!("this is not HCL: {text}"),
        document::Problem::Repeated { name, .. } => format!("`{name}` is set twice; keep one of them"),
        document::Problem::Json { .. } | document::Problem::Deep { .. } => problem.to_string(),
    };
    Problem { place: Place::Line { file: Arc::clone(file), line: problem.line() }, text }
}

fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        let unreadable = |source| Error::Read { path: path.clone(), source };
        if fs::metadata(path).map_err(unreadable)?.is_dir() {
            files.extend(folder(path)?);
        } else {
            files.push(path.clone());
        }
    }
    Ok(files)
}

/// The configurations in a folder, by name; what editors leave behind is passed over.
fn folder(path: &Path) -> Result<Vec<PathBuf>, Error> {
    let unreadable = |source| Error::Read { path: path.to_owned(), source };
    let entries = fs::read_dir(path).and_then(Iterator::collect::<io::Result<Vec<_>>>).map_err(unreadable)?;
    let mut files: Vec<PathBuf> =
        entries.into_iter().map(|entry| entry.path()).filter(|path| is_configuration(path)).collect();
    files.sort();
    if files.is_empty() { Err(Error::Empty(path.to_owned())) } else { Ok(files) }
}

fn is_configuration(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let ending = path.extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("hcl" | "json")) && !name.starts_with(['.', '#']) && path.is_file()
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
