//! What needs as many shares as unsealing does: making a root token, and making new shares.

use ::storage::{
    Barrier,
    barrier::{NextSeal, SealConfig, UnsealError},
};
use bytes::Bytes;
use domain::{Kind, Secret};
use wire::catalog::v1::{CeremonyShare, CeremonyStart, CeremonyState};

use super::{
    gathering::{Gathering, Known},
    progress::checked,
};
use crate::Error;

/// Why a step of a ceremony is not taken, in Vault's words where it has some.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the sentences say it")]
pub enum CeremonyError {
    #[error("root generation already in progress")]
    RootInProgress,
    #[error("rekey already in progress")]
    RekeyInProgress,
    #[error("no root generation in progress")]
    NoRoot,
    #[error("no rekey configuration found")]
    NoRekey,
    #[error("no rekey verification in progress")]
    NoVerification,
    #[error("rekeying is complete but for the verification: hand in the new keys at sys/rekey/verify")]
    VerificationDue,
    #[error("incorrect nonce supplied; nonce for this {what} operation is {nonce:?}")]
    Nonce { what: &'static str, nonce: String },
    #[error("given key has already been provided during this {0} operation")]
    Known(&'static str),
    #[error("the keys do not belong together or to this server; hand all of them in again")]
    WrongShares,
    #[error("the new keys do not belong together or to this rekeying; hand all of them in again")]
    WrongNewShares,
    #[error("invalid request")]
    OtherNonce,
    #[error("others have handed in keys already; to cancel needs a token with sudo on this path")]
    NotYours,
}

impl CeremonyError {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::NotYours => Kind::Denied,
            _ => Kind::Invalid,
        }
    }
}

/// Which ceremonies are under way.
#[derive(Default)]
pub(super) struct Ceremonies {
    root: Option<Root>,
    rekey: Option<Rekey>,
}

struct Root {
    gathering: Gathering,
    note: Bytes,
}

struct Rekey {
    gathering: Gathering,
    config: SealConfig,
    verify: bool,
    /// Made, and not in force before its shares have been seen.
    next: Option<(Gathering, NextSeal)>,
}

impl Ceremonies {
    pub(super) fn root(&self, required: SealConfig) -> CeremonyState {
        let state = CeremonyState { required: required.threshold().into(), ..CeremonyState::default() };
        let Some(root) = &self.root else { return state };
        CeremonyState {
            started: true,
            nonce: root.gathering.nonce().to_owned(),
            progress: root.gathering.progress(),
            ..state
        }
    }

    pub(super) fn start_root(&mut self, start: CeremonyStart) -> Result<(), Error> {
        if self.root.as_ref().is_some_and(|root| !root.gathering.is_stale()) {
            return Err(CeremonyError::RootInProgress.into());
        }
        self.root = Some(Root { gathering: Gathering::begin(), note: start.note });
        Ok(())
    }

    pub(super) async fn hand_in_for_root(
        &mut self,
        barrier: &Barrier,
        required: SealConfig,
        step: &CeremonyShare,
    ) -> Result<CeremonyState, Error> {
        const WHAT: &str = "root generation";
        let share = checked(&step.share)?;
        let root = self.root.as_mut().ok_or(CeremonyError::NoRoot)?;
        let gathered = hand_in(&mut root.gathering, WHAT, "generation", step, share, required)?;
        let Some(shares) = gathered else { return Ok(self.root(required)) };
        barrier.check(&shares).await.map_err(refused)?;
        let root = self.root.take().ok_or(CeremonyError::NoRoot)?;
        Ok(CeremonyState {
            started: true,
            nonce: root.gathering.nonce().to_owned(),
            progress: required.threshold().into(),
            required: required.threshold().into(),
            complete: true,
            note: root.note,
            ..CeremonyState::default()
        })
    }

    pub(super) fn cancel_root(&mut self, authorised: bool) -> Result<(), Error> {
        if let Some(root) = &self.root {
            may_cancel(&root.gathering, authorised)?;
        }
        self.root = None;
        Ok(())
    }

    pub(super) fn rekey(&self, required: SealConfig) -> CeremonyState {
        let state = CeremonyState { required: required.threshold().into(), ..CeremonyState::default() };
        let Some(rekey) = &self.rekey else { return state };
        let next = rekey.next.as_ref();
        CeremonyState {
            started: true,
            nonce: rekey.gathering.nonce().to_owned(),
            progress: rekey.gathering.progress(),
            shares: rekey.config.shares().into(),
            threshold: rekey.config.threshold().into(),
            verify: rekey.verify,
            verification_nonce: next.map(|(gathering, _)| gathering.nonce().to_owned()).unwrap_or_default(),
            ..state
        }
    }

    pub(super) fn start_rekey(&mut self, start: &CeremonyStart) -> Result<(), Error> {
        let config = SealConfig::new(start.shares, start.threshold)?;
        let is_stale = |rekey: &Rekey| match &rekey.next {
            Some((verification, _)) => verification.is_stale(),
            None => rekey.gathering.is_stale(),
        };
        if self.rekey.as_ref().is_some_and(|rekey| !is_stale(rekey)) {
            return Err(CeremonyError::RekeyInProgress.into());
        }
        self.rekey = Some(Rekey { gathering: Gathering::begin(), config, verify: start.verify, next: None });
        Ok(())
    }

    pub(super) async fn hand_in_for_rekey(
        &mut self,
        barrier: &Barrier,
        required: SealConfig,
        step: &CeremonyShare,
    ) -> Result<CeremonyState, Error> {
        let share = checked(&step.share)?;
        let rekey = self.rekey.as_mut().ok_or(CeremonyError::NoRekey)?;
        if rekey.next.is_some() {
            return Err(CeremonyError::VerificationDue.into());
        }
        let gathered = hand_in(&mut rekey.gathering, "rekey", "generation", step, share, required)?;
        let Some(shares) = gathered else { return Ok(self.rekey(required)) };
        let (next, new) = barrier.next_seal(rekey.config, &shares).await.map_err(refused)?;
        let verification_nonce = if rekey.verify {
            let gathering = Gathering::begin();
            let nonce = gathering.nonce().to_owned();
            rekey.next = Some((gathering, next));
            nonce
        } else {
            barrier.reseal(&next).await?;
            String::new()
        };
        let state = CeremonyState {
            nonce: rekey.gathering.nonce().to_owned(),
            verify: rekey.verify,
            verification_nonce,
            complete: true,
            new_shares: new.iter().map(|share| Bytes::copy_from_slice(share.expose())).collect(),
            ..CeremonyState::default()
        };
        if !state.verify {
            self.rekey = None;
        }
        Ok(state)
    }

    pub(super) fn cancel_rekey(&mut self, nonce: &str, authorised: bool) -> Result<(), Error> {
        let Some(rekey) = &self.rekey else { return Ok(()) };
        if !nonce.is_empty() && nonce != rekey.gathering.nonce() {
            return Err(CeremonyError::OtherNonce.into());
        }
        if rekey.next.is_some() && !authorised {
            return Err(CeremonyError::NotYours.into());
        }
        may_cancel(&rekey.gathering, authorised)?;
        self.rekey = None;
        Ok(())
    }

    pub(super) fn verification(&self) -> Result<CeremonyState, Error> {
        let rekey = self.rekey.as_ref().ok_or(CeremonyError::NoRekey)?;
        let (gathering, _) = rekey.next.as_ref().ok_or(CeremonyError::NoVerification)?;
        Ok(CeremonyState {
            started: true,
            nonce: gathering.nonce().to_owned(),
            progress: gathering.progress(),
            shares: rekey.config.shares().into(),
            threshold: rekey.config.threshold().into(),
            ..CeremonyState::default()
        })
    }

    pub(super) async fn hand_in_for_verification(
        &mut self,
        barrier: &Barrier,
        step: &CeremonyShare,
    ) -> Result<CeremonyState, Error> {
        const WHAT: &str = "verify";
        let share = checked(&step.share)?;
        let rekey = self.rekey.as_mut().ok_or(CeremonyError::NoRekey)?;
        let (gathering, next) = rekey.next.as_mut().ok_or(CeremonyError::NoVerification)?;
        let gathered = hand_in(gathering, WHAT, WHAT, step, share, rekey.config)?;
        let Some(shares) = gathered else { return self.verification() };
        if !next.opens_with(&shares) {
            return Err(CeremonyError::WrongNewShares.into());
        }
        barrier.reseal(next).await?;
        let nonce = gathering.nonce().to_owned();
        self.rekey = None;
        Ok(CeremonyState { nonce, complete: true, ..CeremonyState::default() })
    }

    /// The new shares are handed in from the beginning.
    pub(super) fn restart_verification(&mut self) -> Result<CeremonyState, Error> {
        let rekey = self.rekey.as_mut().ok_or(CeremonyError::NoRekey)?;
        let (gathering, _) = rekey.next.as_mut().ok_or(CeremonyError::NoVerification)?;
        *gathering = Gathering::begin();
        self.verification()
    }
}

/// Adds a share to the ceremony that its sender means.
fn hand_in(
    gathering: &mut Gathering,
    what: &'static str,
    known: &'static str,
    step: &CeremonyShare,
    share: Secret<Vec<u8>>,
    required: SealConfig,
) -> Result<Option<Vec<Secret<Vec<u8>>>>, Error> {
    if step.nonce != gathering.nonce() {
        return Err(CeremonyError::Nonce { what, nonce: gathering.nonce().to_owned() }.into());
    }
    let added = gathering.add(share, required.threshold());
    added.map_err(|Known| CeremonyError::Known(known).into())
}

/// Whoever hands in wrong shares is told so in the words of a ceremony; a storage that fails is no mistake of theirs.
fn refused(error: UnsealError) -> Error {
    match error {
        UnsealError::WrongShares => CeremonyError::WrongShares.into(),
        other => other.into(),
    }
}

/// What nobody has taken part in may be cancelled by everybody; else it takes more than knowing the path.
fn may_cancel(gathering: &Gathering, authorised: bool) -> Result<(), CeremonyError> {
    if authorised || gathering.is_untouched() || gathering.is_stale() {
        Ok(())
    } else {
        Err(CeremonyError::NotYours)
    }
}
