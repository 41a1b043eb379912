use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use tokio::sync::Notify;

use super::rotation::{later, pause};

/// When which static role is due. In memory; made from what is stored when the mount starts.
#[derive(Default)]
pub(super) struct Queue {
    plan: Mutex<Plan>,
    /// Something may be due earlier than was thought.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Plan {
    by_time: BTreeSet<(Timestamp, String)>,
    by_name: HashMap<String, Timestamp>,
    /// How often in a row it has failed.
    failures: HashMap<String, u32>,
}

impl Plan {
    fn remove(&mut self, name: &str) {
        if let Some(at) = self.by_name.remove(name) {
            self.by_time.remove(&(at, name.to_owned()));
        }
    }

    fn set(&mut self, name: &str, at: Timestamp) {
        self.remove(name);
        self.by_name.insert(name.to_owned(), at);
        self.by_time.insert((at, name.to_owned()));
    }
}

impl Queue {
    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A role is due then, whatever was planned before.
    pub(super) fn plan_for(&self, name: &str, at: Timestamp) {
        let mut plan = self.plan();
        plan.failures.remove(name);
        plan.set(name, at);
        drop(plan);
        self.changed.notify_one();
    }

    /// A role could not be rotated. It is tried again after a pause, which grows.
    pub(super) fn plan_again(&self, name: &str, now: Timestamp) {
        let mut plan = self.plan();
        let failures = plan.failures.entry(name.to_owned()).or_default();
        *failures = failures.saturating_add(1);
        let at = later(now, pause(*failures));
        plan.set(name, at);
        drop(plan);
        self.changed.notify_one();
    }

    /// Whether a role could not be rotated when it was last tried.
    pub(super) fn has_failed(&self, name: &str) -> bool {
        self.plan().failures.contains_key(name)
    }

    /// A role is no more.
    pub(super) fn forget(&self, name: &str) {
        let mut plan = self.plan();
        plan.failures.remove(name);
        plan.remove(name);
    }

    /// Takes out the role that has been due longest. Whoever takes it plans for it anew.
    pub(super) fn take_due(&self, now: Timestamp) -> Option<String> {
        let mut plan = self.plan();
        let (at, name) = plan.by_time.first()?.clone();
        if at > now {
            return None;
        }
        plan.remove(&name);
        Some(name)
    }

    /// When the next role is due.
    pub(super) fn next(&self) -> Option<Timestamp> {
        self.plan().by_time.first().map(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn failures_are_followed_by_growing_pauses_until_it_succeeds() {
        let queue = Queue::default();
        let mut pauses = Vec::new();
        for _ in 0..4 {
            queue.plan_again("a", at(0));
            pauses.push(queue.next().unwrap().as_second());
        }
        assert_eq!(pauses, [10, 20, 40, 80]);
        queue.plan_for("a", at(5));
        queue.plan_again("a", at(0));
        assert_eq!(queue.next(), Some(at(10)));
    }

    #[derive(Clone, Debug)]
    enum Step {
        Plan(u8, i64),
        Forget(u8),
        Take(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (0_u8..4, 0_i64..20).prop_map(|(name, time)| Step::Plan(name, time)),
            (0_u8..4).prop_map(Step::Forget),
            (0_i64..20).prop_map(Step::Take),
        ];
        prop::collection::vec(step, 0..40)
    }

    proptest! {
        #[test]
        fn it_is_a_map_of_times_from_which_the_earliest_is_taken(steps in steps()) {
            let queue = Queue::default();
            let mut model: HashMap<String, i64> = HashMap::new();
            for step in steps {
                match step {
                    Step::Plan(name, time) => {
                        queue.plan_for(&name.to_string(), at(time));
                        model.insert(name.to_string(), time);
                    }
                    Step::Forget(name) => {
                        queue.forget(&name.to_string());
                        model.remove(&name.to_string());
                    }
                    Step::Take(now) => {
                        let earliest = model.iter().map(|(name, time)| (*time, name.clone())).min();
                        let due = earliest.filter(|(time, _)| *time <= now).map(|(_, name)| name);
                        prop_assert_eq!(queue.take_due(at(now)), due.clone());
                        due.map(|name| model.remove(&name));
                    }
                }
                prop_assert_eq!(queue.next(), model.values().min().map(|time| at(*time)));
            }
        }
    }
}
