use proptest::prelude::*;

use super::*;

const PLACES: Places = Places { all: 4, of_a_mount: 2 };

fn queue() -> LeaseQueue {
    let mut queue = LeaseQueue::new(PLACES);
    queue.loaded();
    queue
}

fn due(queue: &mut LeaseQueue, now: u64) -> Vec<String> {
    let mut found = Vec::new();
    while let Due::Now(id) = queue.next(now) {
        found.push(id.to_string());
    }
    found
}

#[test]
fn a_lease_is_handed_out_when_it_is_due_and_only_once() {
    let mut queue = queue();
    assert_eq!(queue.next(100), Due::Nothing);
    queue.put("a/1", "a", 10);
    queue.put("a/2", "a", 5);
    assert_eq!(queue.next(4), Due::At(5));
    assert_eq!(due(&mut queue, 10), ["a/2", "a/1"]);
    assert_eq!(queue.next(100), Due::Nothing);
    queue.remove("a/1");
    queue.release("a/2");
    assert_eq!(due(&mut queue, 10), ["a/2"]);
}

#[test]
fn a_mount_that_fails_gets_one_place_and_holds_up_nobody() {
    let mut queue = queue();
    for n in 0..100 {
        queue.put(&format!("bad/{n}"), "bad", 1);
    }
    for n in 0..3 {
        queue.put(&format!("good/{n}"), "good", 2);
    }
    assert_eq!(due(&mut queue, 9), ["bad/0", "bad/1", "good/0", "good/1"]);
    queue.failed("bad/0", 50);
    queue.remove("good/0");
    // One of the bad ones is still at work, and there is only one place for them now.
    assert_eq!(due(&mut queue, 9), ["good/2"]);
    queue.failed("bad/1", 50);
    assert_eq!(due(&mut queue, 9), ["bad/10"]);
    queue.remove("bad/10");
    assert_eq!(due(&mut queue, 9), ["bad/11", "bad/12"]);
}

#[test]
fn failures_are_counted_until_a_lease_is_given_up_or_put_anew() {
    let mut queue = queue();
    queue.put("a/1", "a", 1);
    for failures in 1..=3 {
        assert_eq!(due(&mut queue, 9), ["a/1"]);
        queue.failed("a/1", u64::from(failures));
        assert_eq!(queue.failures("a/1"), failures);
    }
    assert_eq!(due(&mut queue, 9), ["a/1"]);
    queue.give_up("a/1");
    assert_eq!(queue.next(u64::MAX), Due::Nothing);
    assert_eq!(queue.irrevocable().map(|(id, mount)| (&**id, &**mount)).collect::<Vec<_>>(), [("a/1", "a")]);
    queue.put("a/1", "a", 3);
    assert_eq!(due(&mut queue, 9), ["a/1"]);
    assert_eq!(queue.failures("a/1"), 0);
}

#[test]
fn who_has_a_lease_has_it_alone() {
    let mut queue = queue();
    queue.put("a/1", "a", 1);
    assert!(queue.claim("a/1"));
    assert!(!queue.claim("a/1"));
    assert_eq!(queue.next(9), Due::Nothing);
    queue.put("a/1", "a", 20);
    queue.release("a/1");
    assert_eq!(queue.next(9), Due::At(20));
    assert!(!queue.claim("a/2"));
}

#[test]
fn what_ended_while_the_stored_ones_were_read_does_not_come_back() {
    let mut queue = LeaseQueue::new(PLACES);
    queue.put("a/new", "a", 7);
    queue.remove("a/gone");
    queue.load("a/gone", "a", Some(1));
    queue.load("a/new", "a", Some(1));
    queue.load("a/kept", "a", Some(3));
    queue.load("a/bad", "a", None);
    queue.loaded();
    assert_eq!(queue.next(1), Due::At(3));
    assert_eq!(due(&mut queue, 9), ["a/kept", "a/new"]);
    assert_eq!((queue.count("a"), queue.len(), queue.irrevocable().count()), (3, 3, 1));
}

#[test]
fn leases_are_found_by_what_their_ids_begin_with() {
    let mut queue = queue();
    for id in ["a/b/1", "a/b/2", "a/b2/c/3", "a/4", "b/5"] {
        queue.put(id, "m", 1);
    }
    assert_eq!(queue.children("a/"), ["4", "b/", "b2/"]);
    assert_eq!(queue.children(""), ["a/", "b/"]);
    assert_eq!(queue.children("a/b/"), ["1", "2"]);
    assert!(queue.children("x/").is_empty());
    assert_eq!(queue.below("a/b/").map(|id| &**id).collect::<Vec<_>>(), ["a/b/1", "a/b/2"]);
    assert_eq!(queue.of_mount("m").count(), 5);
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8, u64),
    Remove(u8),
    Tick(u64),
    Succeed(usize),
    Fail(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..40_u8, 0..4_u8, 0..50_u64).prop_map(|(id, lane, due)| Step::Put(id, lane, due)),
        1 => (0..40_u8).prop_map(Step::Remove),
        3 => (0..10_u64).prop_map(Step::Tick),
        3 => (0..8_usize).prop_map(Step::Succeed),
        2 => (0..8_usize, 0..20_u64).prop_map(|(which, pause)| Step::Fail(which, pause)),
    ];
    prop::collection::vec(step, 1..200)
}

proptest! {
    /// Whatever happens: never more at work than there are places, never a lease before its time or twice at once,
    /// and in the end every lease is handed out.
    #[test]
    fn every_lease_is_handed_out_in_its_time(steps in steps()) {
        let mut queue = queue();
        let mut known = std::collections::BTreeMap::<String, (u8, u64)>::new();
        let mut out: Vec<(String, u8)> = Vec::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Put(id, lane, due) => {
                    let id = format!("{}/{id}", id % 4);
                    let lane = known.get(&id).map_or(lane, |(lane, _)| *lane);
                    queue.put(&id, &lane.to_string(), due);
                    known.insert(id, (lane, due));
                }
                Step::Remove(id) => {
                    let id = format!("{}/{id}", id % 4);
                    queue.remove(&id);
                    known.remove(&id);
                    out.retain(|(each, _)| *each != id);
                }
                Step::Tick(time) => now += time,
                Step::Succeed(which) if which < out.len() => {
                    let (id, _) = out.remove(which);
                    queue.remove(&id);
                    known.remove(&id);
                }
                Step::Fail(which, pause) if which < out.len() => {
                    let (id, lane) = out.remove(which);
                    queue.failed(&id, now + pause);
                    known.insert(id, (lane, now + pause));
                }
                Step::Succeed(_) | Step::Fail(..) => {}
            }
            while let Due::Now(id) = queue.next(now) {
                let (lane, due) = known[&*id];
                prop_assert!(due <= now && out.iter().all(|(each, _)| **each != *id));
                out.push((id.to_string(), lane));
                prop_assert!(out.len() <= PLACES.all);
                prop_assert!(out.iter().filter(|(_, each)| *each == lane).count() <= PLACES.of_a_mount);
            }
            prop_assert_eq!(queue.len(), known.len());
        }
        loop {
            for (id, _) in out.drain(..) {
                queue.remove(&id);
                known.remove(&id);
            }
            match queue.next(1000) {
                Due::Now(id) => out.push((id.to_string(), 0)),
                Due::At(_) | Due::Nothing => break,
            }
        }
        prop_assert!(known.is_empty() && queue.is_empty());
    }
}
