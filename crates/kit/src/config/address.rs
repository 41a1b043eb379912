use std::{fmt, str::FromStr};

/// A host and a port to listen at or to connect to: `127.0.0.1:8200`, `[::]:8200`, `catalog:8300`; `:8200` is every address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// A text that is no address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an address is HOST:PORT, such as 127.0.0.1:8200 or [::1]:8200")]
pub struct InvalidAddress;

impl Address {
    /// The text, as the system's resolver takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a server listens unless it is told otherwise.
impl Default for Address {
    fn default() -> Self {
        Self("127.0.0.1:8200".to_owned())
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let (host, port) = text.rsplit_once(':').ok_or(InvalidAddress)?;
        port.parse::<u16>().map_err(|_| InvalidAddress)?;
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let valid = match bracketed {
            Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
            None => host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_')),
        };
        match (valid, host) {
            (false, _) => Err(InvalidAddress),
            (true, "") => Ok(Self(format!("[::]:{port}"))),
            (true, _) => Ok(Self(text.to_owned())),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_names_and_both_kinds_of_ip_are_addresses() {
        for text in ["127.0.0.1:8200", "localhost:1", "[::1]:8200", "catalog:8300", "0.0.0.0:0"] {
            assert_eq!(text.parse::<Address>().unwrap().as_str(), text);
        }
        assert_eq!(":8200".parse::<Address>().unwrap().as_str(), "[::]:8200");
    }

    #[test]
    fn what_has_no_port_or_a_wrong_one_is_no_address() {
        for text in ["", "127.0.0.1", "::1:8200", "a:b", "a:70000", "http://a:1", "a b:1", "[a]:1"] {
            assert_eq!(text.parse::<Address>(), Err(InvalidAddress), "{text}");
        }
    }
}
