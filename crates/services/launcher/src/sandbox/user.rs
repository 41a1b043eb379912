use std::{
    fs,
    os::unix::fs::{MetadataExt, chown},
    path::Path,
};

use rustix::process::{Gid, Uid};

use super::{Missing, Offers};

/// Gives the process's folder to its user, and sees that the user gets there.
pub(super) fn prepare(
    (user, group): (u32, u32),
    offers: &Offers,
    folder: &Path,
) -> Result<(Uid, Gid), Missing> {
    if !offers.changes_users {
        return Err(Missing::User);
    }
    for above in folder.ancestors().skip(1).filter(|path| !path.as_os_str().is_empty()) {
        let path = || above.to_owned();
        let metadata = fs::metadata(above).map_err(|source| Missing::Path { path: path(), source })?;
        let (owner, shared, mode) = (metadata.uid(), metadata.gid(), metadata.mode());
        let passes = match () {
            () if owner == user => mode & 0o100,
            () if shared == group => mode & 0o010,
            () => mode & 0o001,
        };
        if passes == 0 {
            return Err(Missing::Unreachable { user, path: path() });
        }
    }
    chown(folder, Some(user), Some(group))
        .map_err(|source| Missing::Path { path: folder.to_owned(), source })?;
    Ok((Uid::from_raw(user), Gid::from_raw(group)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_that_the_user_cannot_pass_is_named() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("in");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let offers = Offers { changes_users: true, ..Offers::detect() };
        let refused = prepare((61_234, 61_234), &offers, &folder).unwrap_err().to_string();
        assert!(refused.starts_with("user 61234 cannot enter /"), "{refused}");
        assert!(refused.contains(outer.path().to_str().unwrap()), "{refused}");
    }

    #[test]
    fn a_host_without_the_right_says_so() {
        let offers = Offers { changes_users: false, ..Offers::detect() };
        let refused = prepare((1, 1), &offers, Path::new("/")).unwrap_err();
        assert!(matches!(refused, Missing::User));
    }
}
