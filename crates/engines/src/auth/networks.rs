use std::net::IpAddr;

use ipnet::IpNet;
use tenon::{Connection, Error, Result};

/// Networks as they are written: addresses, or ranges in CIDR form.
pub(crate) struct Networks;

impl Networks {
    /// Checks what a field says.
    pub(crate) fn checked(field: &str, written: Vec<String>) -> Result<Vec<String>> {
        match written.iter().find(|text| parse(text).is_none()) {
            Some(text) => {
                let sentence = format!("{field}: {text:?} is neither an address nor a network in CIDR form");
                Err(Error::refused(sentence))
            }
            None => Ok(written),
        }
    }

    /// Whether each lies within one of the allowed ones; where nothing is said, anything does.
    pub(crate) fn all_within(networks: &[String], allowed: &[String]) -> bool {
        let allowed_networks: Vec<IpNet> = allowed.iter().filter_map(|text| parse(text)).collect();
        let within = |network: IpNet| allowed_networks.iter().any(|allowed| allowed.contains(&network));
        allowed.is_empty() || networks.iter().all(|text| parse(text).is_some_and(within))
    }
}

/// Whether a caller may come from there; without networks, from anywhere.
pub(crate) fn admits(networks: &[String], connection: Option<&Connection>) -> bool {
    if networks.is_empty() {
        return true;
    }
    let address = connection.and_then(|connection| connection.remote_addr.parse::<IpAddr>().ok());
    let Some(address) = address.map(|address| address.to_canonical()) else { return false };
    networks.iter().filter_map(|text| parse(text)).any(|network| network.contains(&address))
}

fn parse(text: &str) -> Option<IpNet> {
    text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_admitted_from_one_of_the_networks_or_from_anywhere_without_any() {
        let from = |address: &str| Connection { remote_addr: address.to_owned(), ..Connection::default() };
        let networks = ["10.0.0.0/8".to_owned(), "192.0.2.7".to_owned()];
        for (address, admitted) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("", false),
        ] {
            assert_eq!(admits(&networks, Some(&from(address))), admitted, "{address}");
        }
        assert!(!admits(&networks, None));
        assert!(admits(&[], None));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        assert!(Networks::checked("token_bound_cidrs", vec!["10.0.0.0/8".to_owned()]).is_ok());
        assert!(Networks::checked("token_bound_cidrs", vec!["10.0.0.0/40".to_owned()]).is_err());
    }
}
