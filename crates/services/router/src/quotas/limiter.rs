use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock, Reference},
    middleware::StateInformationMiddleware,
    state::{InMemoryState, NotKeyed},
};
use quick_cache::sync::Cache;
use wire::{pb::Header, router::v1::Response};

use super::RateLimit;

/// How many client addresses one rule counts at a time. Whoever has not asked for longest is forgotten first: anonymous
/// callers fill this table, so it has an end.
const CLIENTS: usize = 10_000;

/// What one rule counts.
pub(super) struct Limiter<C: Clock = DefaultClock> {
    rule: RateLimit,
    quota: Quota,
    clock: C,
    begun: C::Instant,
    clients: Cache<IpAddr, Arc<Client<C>>>,
}

/// What is counted of one client.
struct Client<C: Clock> {
    bucket: RateLimiter<NotKeyed, InMemoryState, C, StateInformationMiddleware>,
    /// Until when it gets no answer at all; nanoseconds since the limiter began.
    blocked: AtomicU64,
}

/// What is left to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(super) admitted: bool,
    limit: u32,
    remaining: u32,
    /// Until there is more.
    wait: Duration,
}

impl Limiter {
    /// None: the rule allows nothing that can be counted.
    pub(super) fn new(rule: &RateLimit) -> Option<Self> {
        Self::with_clock(rule, DefaultClock::default())
    }
}

impl<C: Clock + Clone> Limiter<C> {
    fn with_clock(rule: &RateLimit, clock: C) -> Option<Self> {
        let each = Duration::try_from_secs_f64(rule.interval.as_secs_f64() / rule.rate).ok()?;
        let quota = Quota::with_period(each)?.allow_burst(rule.burst()?);
        let begun = clock.now();
        Some(Self { rule: rule.clone(), quota, clock, begun, clients: Cache::new(CLIENTS) })
    }

    /// Whether it counts by this rule.
    pub(super) fn is_of(&self, rule: &RateLimit) -> bool {
        self.rule == *rule
    }

    /// Whether the rule is for the namespaces below, too.
    pub(super) const fn is_inherited(&self) -> bool {
        self.rule.inheritable
    }

    /// Counts one request.
    pub(super) fn take(&self, client: IpAddr) -> Allowance {
        let limit = self.quota.burst_size().get();
        let client = self.client(network(client));
        let now = self.clock.now().duration_since(self.begun).as_u64();
        let blocked = client.blocked.load(Ordering::Relaxed);
        if blocked > now {
            return Allowance {
                admitted: false,
                limit,
                remaining: 0,
                wait: Duration::from_nanos(blocked - now),
            };
        }
        match client.bucket.check() {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                Allowance { admitted: true, limit, remaining, wait: self.quota.replenish_interval() }
            }
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now()).max(self.rule.block_interval);
                if !self.rule.block_interval.is_zero() {
                    let block = u64::try_from(self.rule.block_interval.as_nanos()).unwrap_or(u64::MAX);
                    client.blocked.store(now.saturating_add(block), Ordering::Relaxed);
                }
                Allowance { admitted: false, limit, remaining: 0, wait }
            }
        }
    }

    fn client(&self, address: IpAddr) -> Arc<Client<C>> {
        self.clients.get(&address).unwrap_or_else(|| {
            let fresh = || {
                let bucket = RateLimiter::direct_with_clock(self.quota, self.clock.clone());
                Ok::<_, ()>(Arc::new(Client { bucket: bucket.with_middleware(), blocked: AtomicU64::new(0) }))
            };
            // Another request of the same client may have been faster: then its bucket is taken.
            self.clients
                .get_or_insert_with(&address, fresh)
                .unwrap_or_else(|()| unreachable!("it cannot fail"))
        })
    }
}

impl Allowance {
    /// As clients are told.
    pub(super) fn headers(&self) -> Vec<(String, String)> {
        let seconds = self.wait.as_secs() + u64::from(self.wait.subsec_nanos() > 0);
        let mut headers = vec![
            ("X-Ratelimit-Limit".to_owned(), self.limit.to_string()),
            ("X-Ratelimit-Remaining".to_owned(), self.remaining.to_string()),
            ("X-Ratelimit-Reset".to_owned(), seconds.to_string()),
        ];
        if !self.admitted {
            headers.push(("Retry-After".to_owned(), seconds.to_string()));
        }
        headers
    }

    /// Adds them to an answer.
    pub(crate) fn tell(&self, response: &mut Response) {
        let headers = self.headers().into_iter();
        response.headers.extend(headers.map(|(name, value)| (name, Header { header: vec![value] })));
    }
}

/// One client has a whole network of IPv6 addresses, and may come from any of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (!0 << 64)).into(),
        address => address,
    }
}

impl RateLimit {
    /// As much as may come at once.
    fn burst(&self) -> Option<NonZeroU32> {
        let whole = self.rate.ceil();
        // Not larger than what was checked, and a number.
        let whole = (1.0..=f64::from(u32::MAX)).contains(&whole).then_some(whole as u32)?;
        NonZeroU32::new(whole)
    }
}

impl<C: Clock> fmt::Debug for Limiter<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Limiter").field("rule", &self.rule).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn limiter(rate: f64, interval: u64, block: u64) -> (Limiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        let rule = RateLimit {
            rate,
            interval: Duration::from_secs(interval),
            block_interval: Duration::from_secs(block),
            ..RateLimit::default()
        };
        (Limiter::with_clock(&rule, clock.clone()).unwrap(), clock)
    }

    #[test]
    fn so_many_are_admitted_in_an_interval_and_more_as_time_goes_by() {
        let (limiter, clock) = limiter(2.0, 60, 0);
        assert_eq!([limiter.take(A).remaining, limiter.take(A).remaining], [1, 0]);
        let refused = limiter.take(A);
        assert_eq!((refused.admitted, refused.wait), (false, Duration::from_secs(30)));
        assert!(limiter.take(IpAddr::from([127, 0, 0, 2])).admitted);
        clock.advance(Duration::from_secs(30));
        assert!(limiter.take(A).admitted);
        assert!(!limiter.take(A).admitted);
    }

    #[test]
    fn less_than_one_a_second_is_a_rate_too() {
        let (limiter, clock) = limiter(0.5, 1, 0);
        assert!(limiter.take(A).admitted);
        clock.advance(Duration::from_secs(1));
        assert!(!limiter.take(A).admitted);
        clock.advance(Duration::from_secs(1));
        assert!(limiter.take(A).admitted);
    }

    #[test]
    fn who_asks_too_often_is_blocked_for_as_long_as_the_rule_says() {
        let (limiter, clock) = limiter(1.0, 1, 60);
        limiter.take(A);
        assert_eq!(limiter.take(A).wait, Duration::from_secs(60));
        clock.advance(Duration::from_secs(59));
        assert!(!limiter.take(A).admitted);
        clock.advance(Duration::from_secs(1));
        assert!(limiter.take(A).admitted);
    }

    #[test]
    fn one_network_of_ipv6_is_one_client() {
        let (limiter, _) = limiter(1.0, 60, 0);
        assert!(limiter.take("2001:db8::1".parse().unwrap()).admitted);
        assert!(!limiter.take("2001:db8::2".parse().unwrap()).admitted);
        assert!(limiter.take("2001:db8:0:1::1".parse().unwrap()).admitted);
        assert!(limiter.take("::ffff:127.0.0.1".parse().unwrap()).admitted);
        assert!(!limiter.take(A).admitted);
    }

    #[test]
    fn g3_any_number_of_client_addresses_leaves_no_more_than_the_table_holds() {
        let (limiter, _) = limiter(1.0, 60, 0);
        for address in 0..100_000_u32 {
            limiter.take(IpAddr::from(address.to_be_bytes()));
        }
        assert!(limiter.clients.len() <= CLIENTS);
    }
}
