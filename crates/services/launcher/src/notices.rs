//! What plugins announce, for those who listen at that moment.

use futures::{Stream, StreamExt, future};
use tokio::sync::broadcast;
use tokio_stream::wrappers::BroadcastStream;
use wire::launcher::v1::Notice;

/// So many wait for one who reads slowly; then the oldest are left out.
const WAITING: usize = 1024;

/// Where announcements go.
#[derive(Clone, Debug)]
pub struct Notices(broadcast::Sender<Notice>);

impl Default for Notices {
    fn default() -> Self {
        Self(broadcast::Sender::new(WAITING))
    }
}

impl Notices {
    /// Whether anybody listens.
    pub fn are_heard(&self) -> bool {
        self.0.receiver_count() > 0
    }

    /// Tells all who listen.
    pub fn tell(&self, notice: Notice) {
        // Nobody may be left by now.
        let _ = self.0.send(notice);
    }

    /// All from now on but those that are missed.
    pub fn follow(&self) -> impl Stream<Item = Notice> + Send + use<> {
        BroadcastStream::new(self.0.subscribe()).filter_map(|notice| future::ready(notice.ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_listens_hears_what_comes_and_who_is_slow_misses_the_oldest() {
        let notices = Notices::default();
        let notice = |number: usize| Notice { event_type: number.to_string(), ..Notice::default() };
        notices.tell(notice(0));
        assert!(!notices.are_heard());
        let mut heard = notices.follow();
        assert!(notices.are_heard());
        for number in 1..=WAITING + 1 {
            notices.tell(notice(number));
        }
        assert_eq!(heard.next().await.unwrap().event_type, "2");
        drop(heard);
        assert!(!notices.are_heard());
    }
}
