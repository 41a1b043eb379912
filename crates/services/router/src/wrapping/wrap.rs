use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use domain::Token;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::OnceCell;
use wire::{
    pb::ResponseWrapInfo,
    router::v1::{Envelope, Response, response::Body},
};

use super::{
    Wish, WrappingRefusal,
    content::Content,
    jwt::{Claims, Signer, is_jwt},
};
use crate::{
    Error,
    answer::json,
    core::Active,
    cubbyhole::{Shelf, placed},
    error::Result,
    fields::Fields,
    store::Store,
    token::{self, SaltedId, TokenEntry, create_with, revoke},
};

/// The policy that wrapping tokens have, and no others.
const POLICY: &str = "response-wrapping";

/// Where in the cubbyhole of its token the answer is. Older clients read it there.
const RESPONSE: &str = "response";

/// Where that is which is told about it.
const ABOUT: &str = "wrapinfo";

/// Puts answers aside, and hands each out once.
pub(crate) struct Wrapping {
    store: Store,
    /// Where tokens in the form of a JWT say that they can be unwrapped.
    api_addr: String,
    signer: OnceCell<Signer>,
}

/// Where clients send what they want wrapped.
const WRAP: &str = "sys/wrapping/wrap";

/// What an answer belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'r> {
    pub(crate) path: &'r str,
    /// The type of the mount that answered.
    pub(crate) plugin: &'r str,
}

/// What is told about a wrapped answer to those who have its token.
#[derive(Serialize, Deserialize)]
pub(super) struct About {
    pub(super) creation_path: String,
    pub(super) creation_time: Timestamp,
    /// Seconds.
    pub(super) creation_ttl: u64,
    #[serde(default)]
    raw: bool,
}

/// A wrapped answer, as long as it is in its cubbyhole.
pub(super) struct Parcel {
    pub(super) about: About,
    text: String,
}

/// What lies at [`RESPONSE`].
#[derive(Serialize, Deserialize)]
struct Stored {
    response: String,
}

/// A new wrapping token, and what is said about it.
struct Minted {
    token: Token,
    accessor: String,
    about: About,
}

/// The member `wrap_info` of an answer.
#[derive(Serialize)]
struct Info<'a> {
    token: &'a str,
    accessor: &'a str,
    ttl: u64,
    creation_time: Timestamp,
    creation_path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    wrapped_accessor: Option<&'a str>,
}

impl Wrapping {
    pub(crate) fn new(store: Store, api_addr: String) -> Self {
        Self { store, api_addr, signer: OnceCell::new() }
    }

    /// Whether what is wrapped like that can be fetched: a JWT says where, and that has to be known.
    pub(crate) fn check_address(&self, jwt: bool) -> Result<()> {
        match jwt && self.api_addr.is_empty() {
            true => Err(WrappingRefusal::NoAddress.into()),
            false => Ok(()),
        }
    }

    /// Puts an answer aside and answers with the token for it. What has nothing to hide is sent as it is.
    pub(crate) async fn wrap(
        &self,
        active: &Active,
        origin: Origin<'_>,
        wish: &Wish,
        response: Response,
    ) -> Result<Response> {
        let Some(content) = Content::of(&response, origin.plugin)? else { return Ok(response) };
        let about = About {
            creation_path: origin.path.to_owned(),
            creation_time: Timestamp::now(),
            creation_ttl: wish.seconds(),
            raw: content.raw,
        };
        let parcel = Parcel { about, text: content.text };
        let minted = self.mint(active, origin.path, parcel).await?;
        self.told(&minted, wish, content.accessor.as_deref(), content.warnings).await
    }

    /// Puts data of a plugin aside, as if they had been sent to be wrapped.
    pub(crate) async fn wrap_data(
        &self,
        active: &Active,
        wish: &Wish,
        data: Bytes,
    ) -> Result<ResponseWrapInfo> {
        Fields::parse(&data)?;
        let about = About {
            creation_path: WRAP.to_owned(),
            creation_time: Timestamp::now(),
            creation_ttl: wish.seconds(),
            raw: false,
        };
        let text = Content::of_data(data)?.text;
        let minted = self.mint(active, WRAP, Parcel { about, text }).await?;
        let token = self.shown(&minted, wish, None).await?;
        let Minted { accessor, about, .. } = minted;
        Ok(ResponseWrapInfo {
            ttl: i64::try_from(wish.ttl().as_nanos()).unwrap_or(i64::MAX),
            token: token.expose().clone(),
            accessor,
            creation_time: Some(SystemTime::from(about.creation_time).into()),
            format: if wish.jwt() { "jwt".to_owned() } else { String::new() },
            creation_path: about.creation_path,
            ..ResponseWrapInfo::default()
        })
    }

    /// The same answer under another token, for its whole time again. The old token ends before anybody learns the new
    /// one; until then it is the one that is good, so that nothing is lost when this is cut off.
    pub(super) async fn rewrap(
        &self,
        active: &Arc<Active>,
        (old, path): (&Token, &str),
        wish: Option<Wish>,
        parcel: Parcel,
    ) -> Result<Response> {
        let wish = Wish::within(wish, Duration::from_secs(parcel.about.creation_ttl));
        let about = About { creation_time: Timestamp::now(), creation_ttl: wish.seconds(), ..parcel.about };
        let minted = self.mint(active, path, Parcel { about, ..parcel }).await?;
        if let Err(error) = self.claim(active, old).await {
            self.end(active, &active.tokens.id_of(&minted.token)).await;
            return Err(error);
        }
        self.told(&minted, &wish, None, Vec::new()).await
    }

    /// The token itself, whichever form it was sent in.
    pub(super) async fn plain(&self, token: Token) -> Result<Token> {
        if !is_jwt(token.expose()) {
            return Ok(token);
        }
        let verified = self.signer().await?.verified(token.expose());
        Ok(Token::new(verified.ok_or(WrappingRefusal::NotValid)?))
    }

    /// What is wrapped under a token. Looking at it uses nothing up.
    pub(super) async fn find(&self, id: &SaltedId) -> Result<Parcel> {
        let shelf = Shelf::of(&self.store, id);
        let about = shelf.get(ABOUT).await?.ok_or(WrappingRefusal::NotValid)?;
        let stored = shelf.get(RESPONSE).await?.ok_or(WrappingRefusal::NotValid)?;
        let damaged = |source| Error::Damaged { key: "the cubbyhole of a wrapping token".to_owned(), source };
        let about = serde_json::from_slice(&about).map_err(damaged)?;
        let Stored { response } = serde_json::from_slice(&stored).map_err(damaged)?;
        Ok(Parcel { about, text: response })
    }

    /// Uses a wrapping token up. Of all who try, one gets here.
    pub(super) async fn claim(&self, active: &Arc<Active>, token: &Token) -> Result<()> {
        match token::authenticate(active, token, None).await {
            Ok(caller) => {
                self.end(active, &caller.id).await;
                Ok(())
            }
            Err(Error::NoToken | Error::BadToken | Error::Forbidden) => Err(WrappingRefusal::NotValid.into()),
            Err(error) => Err(error),
        }
    }

    /// Removes what a token that is good for nothing any more has left. Failing to costs nobody anything.
    pub(super) async fn end(&self, active: &Active, id: &SaltedId) {
        if let Err(error) = revoke::revoke_tree(active, *id).await {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "a used wrapping token is not removed yet"
            );
        }
    }

    async fn mint(&self, active: &Active, path: &str, parcel: Parcel) -> Result<Minted> {
        let Parcel { about, text } = parcel;
        let ttl = about.creation_ttl;
        let entry = TokenEntry {
            policies: vec![POLICY.to_owned()],
            path: path.to_owned(),
            display_name: String::new(),
            num_uses: 1,
            created: about.creation_time,
            ttl,
            explicit_max_ttl: ttl,
            ..TokenEntry::root(active.tokens.new_accessor()?)
        };
        let stored = json(&Stored { response: text });
        let belongings = |id: &SaltedId| vec![placed(id, RESPONSE, stored), placed(id, ABOUT, json(&about))];
        let token = create_with(active, &entry, belongings).await?;
        Ok(Minted { token, accessor: entry.accessor, about })
    }

    /// What the caller learns instead of the answer.
    async fn told(
        &self,
        minted: &Minted,
        wish: &Wish,
        accessor: Option<&str>,
        warnings: Vec<String>,
    ) -> Result<Response> {
        let about = &minted.about;
        let token = self.shown(minted, wish, accessor).await?;
        let info = Info {
            token: token.expose(),
            accessor: &minted.accessor,
            ttl: about.creation_ttl,
            creation_time: about.creation_time,
            creation_path: &about.creation_path,
            wrapped_accessor: accessor,
        };
        let envelope = Envelope { wrap_info: json(&info), warnings, ..Envelope::default() };
        Ok(Response { body: Some(Body::Envelope(envelope)), ..Response::default() })
    }

    /// The token in the form that is wished for.
    async fn shown(&self, minted: &Minted, wish: &Wish, accessor: Option<&str>) -> Result<Token> {
        let Minted { token, about, .. } = minted;
        if !wish.jwt() {
            return Ok(token.clone());
        }
        let (now, accessor) = (about.creation_time.as_second(), accessor.unwrap_or_default());
        let claims = Claims::new(token.expose(), accessor, &self.api_addr, now, about.creation_ttl);
        Ok(Token::new(self.signer().await?.sign(&claims)?))
    }

    async fn signer(&self) -> Result<&Signer> {
        self.signer.get_or_try_init(|| Signer::open(&self.store)).await
    }
}

impl Parcel {
    /// The answer, for whoever has used its token up.
    pub(super) fn open(self) -> Result<Response> {
        let bad = || Error::BadAnswer("what is wrapped cannot be read".to_owned());
        Content::answer(&self.text, self.about.raw).ok_or_else(bad)
    }
}

/// Whether a token is one that wraps something.
pub(super) fn is_wrapping(entry: &TokenEntry) -> bool {
    entry.policies == [POLICY]
}

impl fmt::Debug for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wrapping").field("signs", &self.signer.initialized()).finish_non_exhaustive()
    }
}
