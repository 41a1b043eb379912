//! Who is behind the requests that are under way at a mount: of nobody else can its plugin learn anything.

use std::sync::Arc;

use bytes::Bytes;
use dashmap::{DashMap, Entry};
use prost::Message;
use wire::launcher::v1::Person;

/// By the ids of their entities.
#[derive(Debug, Default)]
pub struct People(DashMap<String, Present>);

#[derive(Debug)]
struct Present {
    requests: usize,
    /// Decoded only if the plugin asks, which few do.
    person: Bytes,
}

/// One request of somebody's. What is known of them goes with the last.
#[derive(Debug)]
pub struct Visit {
    people: Arc<People>,
    id: String,
}

impl People {
    /// A request begins. Nothing is noted for those who are nobody in particular.
    pub fn enter(self: &Arc<Self>, id: &str, person: Bytes) -> Option<Visit> {
        if id.is_empty() || person.is_empty() {
            return None;
        }
        match self.0.entry(id.to_owned()) {
            Entry::Occupied(mut present) => {
                let present = present.get_mut();
                present.requests += 1;
                present.person = person;
            }
            Entry::Vacant(place) => drop(place.insert(Present { requests: 1, person })),
        }
        Some(Visit { people: Arc::clone(self), id: id.to_owned() })
    }

    /// Who somebody is, and what groups they are in, as the newest of their requests says.
    pub fn find(&self, id: &str) -> Option<Person> {
        let person = self.0.get(id)?.person.clone();
        Person::decode(person).ok()
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if let Entry::Occupied(mut present) = self.people.0.entry(std::mem::take(&mut self.id)) {
            present.get_mut().requests -= 1;
            if present.get().requests == 0 {
                present.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wire::logical::Entity;

    use super::*;

    fn named(name: &str) -> Bytes {
        let entity = Some(Entity { id: "e".to_owned(), name: name.to_owned(), ..Entity::default() });
        Person { entity, groups: Vec::new() }.encode_to_vec().into()
    }

    fn name_of(people: &People) -> Option<String> {
        Some(people.find("e")?.entity?.name)
    }

    #[test]
    fn somebody_is_known_for_as_long_as_a_request_of_theirs_is_under_way() {
        let people = Arc::new(People::default());
        assert_eq!(name_of(&people), None);
        let first = people.enter("e", named("old"));
        let second = people.enter("e", named("new"));
        assert_eq!(name_of(&people).as_deref(), Some("new"));
        drop(second);
        assert_eq!(name_of(&people).as_deref(), Some("new"));
        drop(first);
        assert_eq!(name_of(&people), None);
        assert!(people.0.is_empty());
    }

    #[test]
    fn nobody_in_particular_leaves_nothing_behind() {
        let people = Arc::new(People::default());
        assert!(people.enter("", named("x")).is_none());
        assert!(people.enter("e", Bytes::new()).is_none());
        assert!(people.0.is_empty());
    }
}
