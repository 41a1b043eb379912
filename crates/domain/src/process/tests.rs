use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

const PAUSES: Pauses = Pauses {
    forgiven: 1,
    first: Duration::from_secs(1),
    longest: Duration::from_secs(5),
    longest_blameless: Duration::from_secs(2),
    jitter: 0,
    breaker: 3,
    healthy: Duration::from_secs(10),
    grace: Duration::from_secs(2),
};

const fn at(now: Instant) -> Moment {
    Moment { now, luck: 0.0 }
}

/// Moves a life through a series of news, each so many milliseconds after the one before.
fn live(news: &[(u64, News)]) -> (Life, Instant) {
    let start = Instant::now();
    let step = |(life, now): (Life, Instant), (wait, news): &(u64, News)| {
        let now = now + Duration::from_millis(*wait);
        (life.after(*news, at(now), &PAUSES), now)
    };
    let (life, now) = news.iter().fold((Life::Absent, start), step);
    (life, now)
}

const START: [(u64, News); 3] = [(0, News::Wanted), (0, News::Verified), (0, News::Ready)];

fn starts_and_then(more: &[(u64, News)]) -> (Life, Instant) {
    live(&[&START, more].concat())
}

#[test]
fn a_plugin_is_verified_then_started_then_runs() {
    assert_eq!(live(&START[..1]).0, Life::Verifying { strikes: 0 });
    assert_eq!(live(&START[..2]).0, Life::Starting { strikes: 0 });
    assert!(matches!(live(&START).0, Life::Running { strikes: 0, .. }));
}

#[test]
fn the_first_crash_is_forgiven_and_the_next_ones_are_followed_by_growing_pauses() {
    let crash = (0, News::Ended(Reason::Crashed));
    let mut news = [&START[..], &[crash]].concat();
    assert_eq!(live(&news).0, Life::Exited { reason: Reason::Crashed, strikes: 1 });
    for pause in [1, 2, 4, 5, 5] {
        let wait = (60_000, News::Wanted);
        news.extend([wait, START[1], START[2], crash]);
        let (life, now) = live(&news);
        let Life::Backoff { until, .. } = life else { panic!("{life:?}") };
        assert_eq!(until - now, Duration::from_secs(pause));
    }
}

#[test]
fn a_healthy_run_wipes_all_strikes_out() {
    let crash = News::Ended(Reason::Crashed);
    let again = |healthy: u64| [(0, crash), (60_000, News::Wanted), START[1], START[2], (healthy, crash)];
    assert!(matches!(starts_and_then(&again(10_000)).0, Life::Exited { strikes: 0, .. }));
    assert!(matches!(starts_and_then(&again(9_999)).0, Life::Backoff { strikes: 2, .. }));
}

#[test]
fn nothing_starts_before_the_pause_is_over() {
    let fails = News::Ended(Reason::HandshakeFailed);
    let failing = [(0, News::Wanted), START[1], (0, fails), (0, News::Wanted), START[1], (0, fails)];
    let wanted = |wait| live(&[&failing[..], &[(wait, News::Wanted)]].concat()).0;
    assert!(matches!(wanted(999), Life::Backoff { .. }));
    assert!(matches!(wanted(1_000), Life::Verifying { strikes: 2 }));
}

#[test]
fn missing_bytes_are_looked_for_again_soon_and_no_pause_is_endless() {
    let mut life = Life::Absent;
    let mut now = Instant::now();
    for _ in 0..200 {
        life = life.after(News::Wanted, at(now), &PAUSES);
        life = life.after(News::Ended(Reason::ChecksumMismatch), at(now), &PAUSES);
        if let Life::Backoff { until, .. } = life {
            assert!(until - now <= PAUSES.longest_blameless);
        }
        now += PAUSES.longest_blameless;
    }
    assert!(matches!(life, Life::Backoff { strikes: 200, .. }));
}

#[test]
fn l15_who_is_killed_from_outside_again_and_again_is_slowed_down_but_soon_tried_again() {
    let killed = (0, News::Ended(Reason::Killed));
    let mut news = [&START[..], &[killed]].concat();
    assert_eq!(live(&news).0, Life::Exited { reason: Reason::Killed, strikes: 1 });
    for pause in [1, 2, 2, 2] {
        news.extend([(60_000, News::Wanted), START[1], START[2], killed]);
        let (life, now) = live(&news);
        let Life::Backoff { until, .. } = life else { panic!("{life:?}") };
        assert_eq!(until - now, Duration::from_secs(pause));
    }
}

#[test]
fn who_is_asked_to_end_ends_for_that_reason() {
    let (life, now) = starts_and_then(&[(0, News::StopAsked(Reason::Disabled))]);
    assert_eq!(life, Life::Draining { reason: Reason::Disabled, kill_at: now + PAUSES.grace });
    let ended = life.after(News::Ended(Reason::Killed), at(now), &PAUSES);
    assert_eq!(ended, Life::Exited { reason: Reason::Disabled, strikes: 0 });
}

#[test]
fn late_news_change_nothing() {
    let (running, now) = live(&START);
    for late in [News::Wanted, News::Verified, News::Ready] {
        assert_eq!(running.after(late, at(now), &PAUSES), running);
    }
    assert_eq!(Life::Absent.after(News::Ended(Reason::Crashed), at(now), &PAUSES), Life::Absent);
}

#[test]
fn too_many_early_ends_in_a_row_open_the_breaker_and_a_healthy_run_closes_it() {
    let crash = (0, News::Ended(Reason::Crashed));
    let mut news = [&START[..], &[crash]].concat();
    for strikes in 1..=4 {
        let (life, _) = live(&news);
        assert_eq!((life.strikes(), PAUSES.is_open(life.strikes())), (strikes, strikes >= 3));
        news.extend([(60_000, News::Wanted), START[1], START[2], crash]);
    }
    news.extend([(60_000, News::Wanted), START[1], START[2], (10_000, crash.1)]);
    assert!(!PAUSES.is_open(live(&news).0.strikes()));
}

proptest! {
    #[test]
    fn chance_only_shortens_a_pause_and_by_no_more_than_is_allowed(
        luck in 0.0..=1.0_f64, jitter in 0..=100_u32, strikes in 1..40_u32,
    ) {
        let now = Instant::now();
        let pauses = Pauses { jitter, ..PAUSES };
        let crash = |luck| Life::Starting { strikes }.after(
            News::Ended(Reason::Crashed), Moment { now, luck }, &pauses,
        );
        let (Life::Backoff { until: whole, .. }, Life::Backoff { until, .. }) = (crash(0.0), crash(luck)) else {
            panic!("no pause after {strikes} strikes");
        };
        let least = (whole - now).mul_f64(1.0 - f64::from(jitter) / 100.0);
        prop_assert!(until <= whole && whole - now <= PAUSES.longest);
        prop_assert!(until - now + Duration::from_nanos(1) >= least);
    }
}
