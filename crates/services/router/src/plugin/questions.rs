//! Answers what plugins ask of their host that only this service knows.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures::TryStreamExt;
use tokio::time::sleep;
use wire::launcher::v1::{
    AnswerRequest, GeneratePassword, LauncherSeam, Question, QuestionsRequest, WrapData,
    answer_request::Answer, question::Asks,
};

use crate::{Error, core::Active, error::Result, wrapping::Wish};

/// How long to wait before the launcher is asked again.
const PAUSE: Duration = Duration::from_secs(1);

/// Answers for as long as the barrier is open.
pub(crate) fn answer_in_background(active: &Arc<Active>, launcher: LauncherSeam) {
    let active = Arc::downgrade(active);
    tokio::spawn(async move {
        while active.strong_count() > 0 {
            if let Err(error) = follow(&active, &launcher).await {
                tracing::debug!(%error, "questions of plugins are not answered at the moment");
            }
            sleep(PAUSE).await;
        }
    });
}

async fn follow(active: &Weak<Active>, launcher: &LauncherSeam) -> Result<()> {
    let mut questions = launcher.questions(QuestionsRequest {}).await?.into_inner();
    while let Some(Question { id, mount, asks }) = questions.try_next().await? {
        let Some(active) = active.upgrade() else { break };
        let launcher = launcher.clone();
        tokio::spawn(async move {
            let answer = match answer(&active, &mount, asks).await {
                Ok(answer) => answer,
                Err(error) => Answer::Refusal(error.to_string()),
            };
            let request = AnswerRequest { id, answer: Some(answer) };
            if let Err(status) = launcher.answer(request).await {
                tracing::debug!(error = status.message(), "a plugin's question was answered in vain");
            }
        });
    }
    Ok(())
}

/// What a plugin asks is meant for the namespace of its mount.
async fn answer(root: &Active, mount: &str, asks: Option<Asks>) -> Result<Answer> {
    let found = root.shared.namespaces.lead(mount)?;
    let (active, _) = found.ok_or_else(|| Error::NoHandler(mount.to_owned()))?;
    match asks {
        Some(Asks::Password(GeneratePassword { policy })) => {
            Ok(Answer::Password(active.passwords.generate(&policy).await?.expose().clone()))
        }
        Some(Asks::Wrap(WrapData { data, ttl, jwt })) => {
            active.wrapping.check_address(jwt)?;
            let wish = Wish::of_plugin(ttl, jwt);
            let wish = wish.ok_or_else(|| Error::BadAnswer("it wraps data for no time".to_owned()))?;
            Ok(Answer::WrapInfo(active.wrapping.wrap_data(&active, &wish, data).await?))
        }
        None => Err(Error::UnsupportedOperation),
    }
}
