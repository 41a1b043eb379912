use domain::Operation;
use spans::{Attribute, note};

use crate::{
    Error,
    asked::Asked,
    endpoint::{Access, find},
    error::Result,
    mounts::{CoreMount, Mount, Snapshot},
    namespaces::Namespace,
    sys,
};

/// Where a request goes: to a mount, with what of the path lies below it.
#[derive(Clone, Copy)]
pub(crate) enum Route<'r> {
    /// To an endpoint of our own.
    Own(&'r Mount, CoreMount, &'r str),
    /// To a plugin.
    Plugin(&'r Mount, &'r str),
    /// There is nothing.
    Nowhere,
}

impl<'r> Route<'r> {
    pub(crate) fn of(namespace: &Namespace, mounts: &'r Snapshot, path: &'r str) -> Result<Self> {
        Ok(match mounts.resolve(path) {
            Some((_, mount, rest)) if mount.serves() => match mount.core() {
                Some(CoreMount::System) if !namespace.is_root() && sys::is_of_root(rest) => {
                    return Err(Error::UnsupportedPath);
                }
                Some(core) => Self::Own(mount, core, rest),
                None => Self::Plugin(mount, rest),
            },
            _ => Self::Nowhere,
        })
    }

    /// Tells it in the trace, as far as an operator has named it.
    pub(crate) fn note(self) {
        if let Self::Own(mount, ..) | Self::Plugin(mount, _) = self {
            note(Attribute::Mount(&mount.entry.accessor));
            note(Attribute::Plugin(&mount.entry.plugin));
        }
    }

    /// Who may go there.
    pub(crate) fn access(self) -> Access {
        match self {
            Self::Own(_, core, rest) => {
                find(core.endpoints(), rest).map_or(Access::Token, |(endpoint, _)| endpoint.access)
            }
            Self::Plugin(mount, rest) => {
                let facts = mount.facts();
                if facts.special_paths.is_open(rest) {
                    Access::Open
                } else if facts.special_paths.needs_sudo(rest) {
                    Access::Sudo
                } else {
                    Access::Token
                }
            }
            Self::Nowhere => Access::Token,
        }
    }

    /// Whether a plugin is asked by whoever comes: then it may say who that is.
    pub(crate) fn is_login(self, access: Access) -> bool {
        access == Access::Open && matches!(self, Self::Plugin(..))
    }
}

/// A write to a folder is a mistake, unless the mount is told to overlook it.
pub(crate) fn refuse_trailing_slash(mounts: &Snapshot, asked: &mut Asked) -> Result<()> {
    let path = &mut asked.request.path;
    if !path.ends_with('/') || !matches!(asked.operation, Operation::Update | Operation::Patch) {
        return Ok(());
    }
    let mount = mounts.resolve(path).map(|(_, mount, _)| mount);
    if mount.is_some_and(|mount| mount.entry.config.trim_request_trailing_slashes) {
        path.truncate(path.trim_end_matches('/').len());
        return Ok(());
    }
    Err(Error::TrailingSlash)
}
