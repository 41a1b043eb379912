use domain::{MountPath, NamespacePath, RequestPath, SpecialPaths, policy::Pattern};
use gateway::fuzzing;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::parts;

/// The path of a request as it is sent, one where something is mounted, a pattern, and a namespace: a line each.
pub fn paths(data: &[u8]) {
    let Some([sent, mount, pattern, namespace]) = parts(data, '\n') else { return };
    if let Some(namespace) = NamespacePath::called(namespace) {
        named(&namespace);
    }
    let path = fuzzing::path(sent);
    if let Some(path) = &path {
        canonical(path);
    }
    let mount = mount.parse::<MountPath>().ok();
    if let Some(mount) = &mount {
        mounted(mount);
    }
    if let (Some(path), Some(mount)) = (&path, &mount) {
        beside(path.as_str(), mount);
    }
    if let Some(path) = &path {
        special(path.as_str(), pattern);
    }
}

fn canonical(path: &RequestPath) {
    let text = path.as_str();
    assert!(!text.starts_with('/') && !text.contains("//") && !text.contains('\\'), "{text:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(!text.split('/').any(|segment| matches!(segment, "." | "..")), "{text:?}");
    assert_eq!(text.parse::<RequestPath>().as_ref(), Ok(path), "it is canonical already");
    let encoded = utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    assert_eq!(fuzzing::path(&encoded).as_ref(), Some(path), "{encoded}");
    let folder = path.clone().as_folder();
    assert!(text.is_empty() || folder.as_str().trim_end_matches('/') == text.trim_end_matches('/'));
    assert_eq!(folder.as_str().parse::<RequestPath>().as_ref(), Ok(&folder));
    assert_eq!(folder.clone().as_folder(), folder);
}

fn named(namespace: &NamespacePath) {
    let text = namespace.as_str();
    assert_eq!(NamespacePath::called(text).as_ref(), Some(namespace), "it is canonical already");
    assert!(text.parse::<RequestPath>().is_ok(), "it is a part of paths: {text:?}");
    assert!(
        namespace.is_root() || text.parse::<MountPath>().is_ok_and(|path| path.as_str() == text),
        "{text:?}"
    );
    let above = namespace.parent();
    assert!(above.is_none_or(|above| above.contains(namespace) && above.relative(namespace).is_some()));
}

fn mounted(mount: &MountPath) {
    assert_eq!(mount.as_str().parse::<MountPath>().as_ref(), Ok(mount), "it is canonical already");
    let request = mount.as_str().parse::<RequestPath>();
    assert_eq!(request.unwrap().as_str(), mount.as_str(), "whatever is mounted can be asked");
    assert!(mount.overlaps(mount));
}

fn beside(path: &str, mount: &MountPath) {
    let Ok(other) = path.parse::<MountPath>() else { return };
    assert_eq!(mount.overlaps(&other), other.overlaps(mount));
    let inside = other.as_str().starts_with(mount.as_str());
    assert!(!inside || mount.overlaps(&other));
}

fn special(path: &str, pattern: &str) {
    let list = vec![pattern.to_owned()];
    let special = SpecialPaths { root: list.clone(), unauthenticated: list };
    let open = special.is_open(path);
    if !pattern.split('/').any(|segment| segment.trim_end_matches('*') == "+") {
        assert_eq!(open, special.needs_sudo(path), "without a plus both sorts are the same");
    }
    assert!(!open || pattern.contains(['+', '*']) || pattern == path);
    if let Ok(rule) = Pattern::parse(pattern)
        && rule.matches(path)
    {
        assert!(path.starts_with(rule.head()), "{rule:?} matches {path:?}");
        let folders = path.match_indices('/').map(|(at, _)| &path[..=at]);
        assert!(folders.into_iter().all(|folder| rule.reaches_into(folder)), "{rule:?} matches {path:?}");
    }
}
