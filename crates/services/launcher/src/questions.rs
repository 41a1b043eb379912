//! What plugins ask that only the router can answer. The router is above the launcher: it follows the questions and
//! brings the answers.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{Stream, stream};
use tokio::{
    sync::{mpsc, oneshot},
    time::timeout,
};
use wire::launcher::v1::{AnswerRequest, Question, answer_request::Answer, question::Asks};

/// How many questions may wait to be read.
const WAITING: usize = 256;

/// How long a plugin waits for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Nobody is there who could answer, or nobody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the router does not answer at the moment")]
pub struct Unanswered;

/// The questions that are open, and who reads them.
#[derive(Debug, Default)]
pub struct Questions {
    last: AtomicU64,
    reader: Mutex<Option<mpsc::Sender<Question>>>,
    open: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
}

/// A question that is open until this is dropped.
struct Open<'q> {
    questions: &'q Questions,
    id: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        held(&self.questions.open).remove(&self.id);
    }
}

/// Held for a moment only.
fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Questions {
    /// Asks, and waits for the answer.
    pub async fn ask(&self, mount: String, asks: Asks) -> Result<Answer, Unanswered> {
        let reader = held(&self.reader).clone().ok_or(Unanswered)?;
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let (sender, answer) = oneshot::channel();
        held(&self.open).insert(id, sender);
        let _open = Open { questions: self, id };
        let question = Question { id, mount, asks: Some(asks) };
        reader.try_send(question).map_err(|_| Unanswered)?;
        timeout(PATIENCE, answer).await.ok().and_then(Result::ok).ok_or(Unanswered)
    }

    /// All questions from now on. Whoever followed them before gets no more.
    pub fn follow(&self) -> impl Stream<Item = Question> + Send + 'static {
        let (sender, reader) = mpsc::channel(WAITING);
        *held(&self.reader) = Some(sender);
        stream::unfold(reader, async |mut reader| Some((reader.recv().await?, reader)))
    }

    /// Brings an answer to whoever asked, if they still wait.
    pub fn answer(&self, request: AnswerRequest) {
        let waiting = held(&self.open).remove(&request.id);
        if let (Some(waiting), Some(answer)) = (waiting, request.answer) {
            let _ = waiting.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::{FutureExt, StreamExt};
    use wire::launcher::v1::GeneratePassword;

    use super::*;

    fn asks() -> Asks {
        Asks::Password(GeneratePassword { policy: "p".to_owned() })
    }

    #[tokio::test]
    async fn each_answer_reaches_the_one_who_asked() {
        let questions = Questions::default();
        let mut followed = pin!(questions.follow());
        let (first, second) =
            (questions.ask("one".to_owned(), asks()), questions.ask("two".to_owned(), asks()));
        let answering = async {
            let asked = [followed.next().await.unwrap(), followed.next().await.unwrap()];
            for question in asked.into_iter().rev() {
                let answer = Some(Answer::Password(format!("for {}", question.mount)));
                questions.answer(AnswerRequest { id: question.id, answer });
            }
        };
        let (first, second, ()) = tokio::join!(first, second, answering);
        assert_eq!(first, Ok(Answer::Password("for one".to_owned())));
        assert_eq!(second, Ok(Answer::Password("for two".to_owned())));
        assert!(held(&questions.open).is_empty());
    }

    #[tokio::test]
    async fn what_nobody_answers_is_given_up_and_forgotten() {
        let questions = Questions::default();
        assert_eq!(questions.ask("m".to_owned(), asks()).await, Err(Unanswered));
        let followed = questions.follow();
        let given_up = questions.ask("m".to_owned(), asks()).now_or_never();
        assert_eq!(given_up, None);
        assert!(held(&questions.open).is_empty());
        drop(followed);
        assert_eq!(questions.ask("m".to_owned(), asks()).await, Err(Unanswered));
        assert!(held(&questions.open).is_empty());
        questions.answer(AnswerRequest { id: 1, answer: None });
    }
}
