use std::time::Duration;

use wire::{
    pb::{RequestWrapInfo, ResponseWrapInfo},
    router::v1::Request,
};

/// What callers and plugins write who want the token as a signed JWT.
const JWT: &str = "jwt";

/// How an answer shall be wrapped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    /// Never zero.
    ttl: Duration,
    /// Empty: a plain token.
    format: String,
}

impl Wish {
    /// What the caller asks for. A format alone asks for nothing.
    pub(crate) fn of_caller(request: &Request) -> Option<Self> {
        Self::new(request.wrap_ttl, &request.wrap_format)
    }

    /// What a plugin asks for that wraps something itself; none: for no time.
    pub(crate) fn of_plugin(nanos: i64, jwt: bool) -> Option<Self> {
        Self::new(nanos, if jwt { JWT } else { "" })
    }

    /// What comes out of what a caller and a plugin ask for: the shorter life, and the plugin's format before the
    /// caller's.
    pub(crate) fn narrowed(caller: Option<Self>, plugin: Option<&ResponseWrapInfo>) -> Option<Self> {
        let Some(plugin) = plugin else { return caller };
        let wanted = Self::new(plugin.ttl, &plugin.format);
        let ttls = caller.iter().chain(&wanted).map(|wish| wish.ttl);
        let ttl = ttls.min()?;
        let formats = [Some(plugin.format.clone()), caller.map(|caller| caller.format)];
        let format = formats.into_iter().flatten().find(|format| !format.is_empty()).unwrap_or_default();
        Some(Self { ttl, format })
    }

    /// With this life at most.
    pub(super) fn within(wish: Option<Self>, ttl: Duration) -> Self {
        let format = wish.as_ref().map(|wish| wish.format.clone()).unwrap_or_default();
        Self { ttl: wish.map_or(ttl, |wish| wish.ttl.min(ttl)), format }
    }

    pub(crate) const fn ttl(&self) -> Duration {
        self.ttl
    }

    /// Whole seconds, at least one.
    pub(super) fn seconds(&self) -> u64 {
        self.ttl.as_secs().max(1)
    }

    pub(super) fn jwt(&self) -> bool {
        self.format == JWT
    }

    /// As a plugin is told.
    pub(crate) fn told(&self) -> RequestWrapInfo {
        let ttl = i64::try_from(self.ttl.as_nanos()).unwrap_or(i64::MAX);
        RequestWrapInfo { ttl, format: self.format.clone(), seal_wrap: false }
    }

    fn new(nanos: i64, format: &str) -> Option<Self> {
        let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos > 0)?;
        Some(Self { ttl: Duration::from_nanos(nanos), format: format.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn caller(seconds: i64, format: &str) -> Option<Wish> {
        let request =
            Request { wrap_ttl: seconds * SECOND, wrap_format: format.to_owned(), ..Request::default() };
        Wish::of_caller(&request)
    }

    fn plugin(seconds: i64, format: &str) -> ResponseWrapInfo {
        ResponseWrapInfo { ttl: seconds * SECOND, format: format.to_owned(), ..ResponseWrapInfo::default() }
    }

    #[test]
    fn the_shorter_life_and_the_plugins_format_win() {
        for (of_caller, of_plugin, outcome) in [
            ((60, ""), None, Some((60, false))),
            ((60, "jwt"), Some((30, "")), Some((30, true))),
            ((20, ""), Some((30, "jwt")), Some((20, true))),
            ((20, "jwt"), Some((30, "plain")), Some((20, false))),
            ((20, "jwt"), Some((0, "")), Some((20, true))),
            ((0, "jwt"), Some((30, "")), Some((30, false))),
            ((0, "jwt"), Some((-5, "jwt")), None),
            ((0, "jwt"), None, None),
        ] {
            let plugin = of_plugin.map(|(ttl, format)| plugin(ttl, format));
            let wish = Wish::narrowed(caller(of_caller.0, of_caller.1), plugin.as_ref());
            assert_eq!(wish.map(|wish| (wish.seconds(), wish.jwt())), outcome, "{of_caller:?} {of_plugin:?}");
        }
    }

    #[test]
    fn less_than_a_second_is_one() {
        assert_eq!(Wish::new(1, "").unwrap().seconds(), 1);
    }
}
