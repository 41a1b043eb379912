use std::{pin::Pin, sync::Arc};

use serde::{Deserialize, de::DeserializeOwned};

use super::input::Input;
use crate::{Request, Response, Result};

/// What a handler answers: a response, nothing, or an error.
pub type Outcome = Result<Option<Response>>;

/// The input of a handler that needs none.
#[derive(Debug, Default, Deserialize)]
pub struct NoInput {}

pub(super) type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A handler with its input's type hidden.
pub(super) type Handler<S, T> =
    Box<dyn Fn(Arc<S>, Request, &Input<'_>) -> Result<Later<Result<T>>> + Send + Sync>;

/// Hides the type of a handler's input.
pub(super) fn handler<S, I, T, F, Fut>(handle: F) -> Handler<S, T>
where
    I: DeserializeOwned,
    F: Fn(Arc<S>, Request, I) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<T>> + Send + 'static,
{
    Box::new(move |state, request, input| Ok(Box::pin(handle(state, request, input.read()?))))
}

/// Something that an engine does at a turn of its life.
pub(super) type Hook<S, A, T> = Box<dyn Fn(Arc<S>, A) -> Later<T> + Send + Sync>;

/// Hides the type of a hook's future.
pub(super) fn hook<S, A, T, F, Fut>(run: F) -> Hook<S, A, T>
where
    F: Fn(Arc<S>, A) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = T> + Send + 'static,
{
    Box::new(move |state, argument| Box::pin(run(state, argument)))
}
