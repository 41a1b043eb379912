/// What tokens begin with that this host makes.
const OURS: [&str; 2] = ["hvs.", "hvb."];

/// The id of the namespace that a token says it belongs to, in its own text: `hvs.AbC.x4Yz1`. None: the root namespace.
///
/// It says where to look for the token, and nothing else: whether there is one is for that namespace to know.
pub fn namespace_of_token(token: &str) -> Option<&str> {
    let inner = OURS.iter().find_map(|prefix| token.strip_prefix(prefix))?;
    inner.rsplit_once('.').map(|(_, id)| id).filter(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_says_where_it_belongs_by_its_end() {
        assert_eq!(namespace_of_token("hvs.CAESIJ.x4Yz1"), Some("x4Yz1"));
        assert_eq!(namespace_of_token("hvb.AAAAAQ.x4Yz1"), Some("x4Yz1"));
        for of_root in ["hvs.CAESIJ", "hvs.CAESIJ.", "hvb.AA", "chosen", "chosen.x4Yz1", "", "hvs."] {
            assert_eq!(namespace_of_token(of_root), None, "{of_root}");
        }
    }
}
