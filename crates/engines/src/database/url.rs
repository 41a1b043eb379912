//! Passwords in addresses of databases.

/// Where the password is in an address, if there is one and the address is well formed: one with `{{username}}` in it is
/// a template, and no address yet.
fn password(url: &str) -> Option<std::ops::Range<usize>> {
    let authority = url.find("://")? + 3;
    let end = url[authority..].find(['/', '?', '#']).map_or(url.len(), |length| authority + length);
    let at = authority + url[authority..end].rfind('@')?;
    let colon = authority + url[authority..at].find(':')?;
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "-._~:!$&'()*+,;=%@".contains(c);
    url[authority..at].chars().all(is_fit).then_some(colon + 1..at)
}

/// Whether a reader of the address would read a password.
pub(super) fn has_password(url: &str) -> bool {
    password(url).is_some()
}

/// The address as Go shows it to readers.
pub(super) fn without_password(url: &str) -> String {
    match password(url) {
        Some(range) => [&url[..range.start], "xxxxx", &url[range.end..]].concat(),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn t10_a_password_in_an_address_is_not_shown() {
        for (url, shown) in [
            ("postgresql://u:p@h:5432/db", "postgresql://u:xxxxx@h:5432/db"),
            ("postgresql://u:p%40q:r@h", "postgresql://u:xxxxx@h"),
            ("postgresql://u@h:5432/db", "postgresql://u@h:5432/db"),
            ("postgresql://{{username}}:{{password}}@h/db", "postgresql://{{username}}:{{password}}@h/db"),
            ("h:5432/a@b", "h:5432/a@b"),
            ("x://h/a:b@c", "x://h/a:b@c"),
        ] {
            assert_eq!(without_password(url), shown);
            assert_eq!(has_password(url), url != shown);
        }
    }
}
