//! The fields of a role, one by one, each under a path of its own.

use std::sync::Arc;

use serde_json::{Value, json};
use tenon::{
    Error, Response,
    framework::{Field, Outcome, Path, field},
};

use super::{
    Approle,
    role::{Role, Settings, SettingsInput},
    roles::{Named, Wish, no_role},
};
use crate::auth::TokenInput;

/// One field of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Policies,
    TokenTtl,
    TokenMaxTtl,
    TokenNumUses,
    TokenBoundCidrs,
    Period,
    SecretIdTtl,
    SecretIdNumUses,
    SecretIdBoundCidrs,
    BoundCidrList,
    BindSecretId,
    LocalSecretIds,
}

/// Where each is found, what it is called in the answer, and what it is called in a request besides.
const PARTS: [(Part, &str, &str, &str); 12] = [
    (Part::Policies, "role/{role_name}/policies", "token_policies", "policies"),
    (Part::TokenTtl, "role/{role_name}/token-ttl", "token_ttl", ""),
    (Part::TokenMaxTtl, "role/{role_name}/token-max-ttl", "token_max_ttl", ""),
    (Part::TokenNumUses, "role/{role_name}/token-num-uses", "token_num_uses", ""),
    (Part::TokenBoundCidrs, "role/{role_name}/token-bound-cidrs", "token_bound_cidrs", ""),
    (Part::Period, "role/{role_name}/period", "token_period", "period"),
    (Part::SecretIdTtl, "role/{role_name}/secret-id-ttl", "secret_id_ttl", ""),
    (Part::SecretIdNumUses, "role/{role_name}/secret-id-num-uses", "secret_id_num_uses", ""),
    (Part::SecretIdBoundCidrs, "role/{role_name}/secret-id-bound-cidrs", "secret_id_bound_cidrs", ""),
    (Part::BoundCidrList, "role/{role_name}/bound-cidr-list", "bound_cidr_list", ""),
    (Part::BindSecretId, "role/{role_name}/bind-secret-id", "bind_secret_id", ""),
    (Part::LocalSecretIds, "role/{role_name}/local-secret-ids", "local_secret_ids", ""),
];

const OLD_LIST: &str = "The \"bound_cidr_list\" field is deprecated and will be removed. Please use \
                        \"secret_id_bound_cidrs\" instead.";

/// The paths of all of them.
pub(super) fn paths() -> impl Iterator<Item = Path<Approle>> {
    PARTS.into_iter().map(|(part, pattern, name, older)| {
        let path = Path::new(pattern)
            .help("Reads, sets and clears one field of a role.", "")
            .field("role_name", field::string("Name of the role."))
            .field(name, part.field())
            .read(move |mount: Arc<Approle>, _, named: Named| mount.read_part(named, part, name));
        let path = if older.is_empty() { path } else { path.field(older, part.field()) };
        if part == Part::LocalSecretIds {
            return path;
        }
        path.write(move |mount: Arc<Approle>, _, wish: Wish| {
            mount.change_part(wish.role_name, part.only(wish.settings), name)
        })
        .delete(move |mount: Arc<Approle>, _, named: Named| {
            mount.change_part(named.role_name, Some(part.cleared()), name)
        })
    })
}

impl Part {
    const fn field(self) -> Field {
        match self {
            Self::Policies => field::comma_list("The policies of the token."),
            Self::TokenTtl => field::seconds("How long a token lives at first."),
            Self::TokenMaxTtl => field::seconds("How long a token can live, renewals included."),
            Self::TokenNumUses => field::int("How often a token can be used; 0: without limit."),
            Self::TokenBoundCidrs => field::comma_list("Networks that the token can be used from."),
            Self::Period => field::seconds("Makes tokens that live as long as they are renewed within it."),
            Self::SecretIdTtl => field::seconds("How long a secret id is good; 0: without end."),
            Self::SecretIdNumUses => field::int("How often a secret id can be used; 0: without limit."),
            Self::SecretIdBoundCidrs => field::comma_list("Networks that a login has to come from."),
            Self::BoundCidrList => field::comma_list("Use secret_id_bound_cidrs."),
            Self::BindSecretId => field::bool("Whether a login needs a secret id."),
            Self::LocalSecretIds => field::bool("Whether secret ids are for this cluster only."),
        }
    }

    /// Nothing but this field, if it is there: who may change one may not thereby change others.
    fn only(self, input: SettingsInput) -> Option<SettingsInput> {
        let given = input.token;
        let token = |token| SettingsInput { token, ..SettingsInput::default() };
        let none = TokenInput::default();
        let cidrs = input.secret_id_bound_cidrs;
        Some(match self {
            Self::Policies => {
                token(TokenInput { token_policies: Some(given.token_policies.or(input.policies)?), ..none })
            }
            Self::TokenTtl => token(TokenInput { token_ttl: Some(given.token_ttl?), ..none }),
            Self::TokenMaxTtl => token(TokenInput { token_max_ttl: Some(given.token_max_ttl?), ..none }),
            Self::TokenNumUses => token(TokenInput { token_num_uses: Some(given.token_num_uses?), ..none }),
            Self::TokenBoundCidrs => {
                token(TokenInput { token_bound_cidrs: Some(given.token_bound_cidrs?), ..none })
            }
            Self::Period => {
                token(TokenInput { token_period: Some(given.token_period.or(input.period)?), ..none })
            }
            Self::SecretIdTtl => {
                SettingsInput { secret_id_ttl: Some(input.secret_id_ttl?), ..SettingsInput::default() }
            }
            Self::SecretIdNumUses => SettingsInput {
                secret_id_num_uses: Some(input.secret_id_num_uses?),
                ..SettingsInput::default()
            },
            Self::SecretIdBoundCidrs => {
                SettingsInput { secret_id_bound_cidrs: Some(cidrs?), ..SettingsInput::default() }
            }
            Self::BoundCidrList => SettingsInput {
                secret_id_bound_cidrs: Some(input.bound_cidr_list?),
                ..SettingsInput::default()
            },
            Self::BindSecretId => {
                SettingsInput { bind_secret_id: Some(input.bind_secret_id?), ..SettingsInput::default() }
            }
            Self::LocalSecretIds => return None,
        })
    }

    /// What a request would say that sets it back.
    fn cleared(self) -> SettingsInput {
        let token = |token| SettingsInput { token, ..SettingsInput::default() };
        let none = TokenInput::default();
        match self {
            Self::Policies => token(TokenInput { token_policies: Some(Vec::new()), ..none }),
            Self::TokenTtl => token(TokenInput { token_ttl: Some(0), ..none }),
            Self::TokenMaxTtl => token(TokenInput { token_max_ttl: Some(0), ..none }),
            Self::TokenNumUses => token(TokenInput { token_num_uses: Some(0), ..none }),
            Self::TokenBoundCidrs => token(TokenInput { token_bound_cidrs: Some(Vec::new()), ..none }),
            Self::Period => token(TokenInput { token_period: Some(0), ..none }),
            Self::SecretIdTtl => SettingsInput { secret_id_ttl: Some(0), ..SettingsInput::default() },
            Self::SecretIdNumUses => {
                SettingsInput { secret_id_num_uses: Some(0), ..SettingsInput::default() }
            }
            Self::SecretIdBoundCidrs | Self::BoundCidrList => {
                SettingsInput { secret_id_bound_cidrs: Some(Vec::new()), ..SettingsInput::default() }
            }
            Self::BindSecretId => SettingsInput { bind_secret_id: Some(true), ..SettingsInput::default() },
            Self::LocalSecretIds => SettingsInput::default(),
        }
    }

    fn shown(self, settings: &Settings) -> Value {
        let token = &settings.token;
        match self {
            Self::Policies => json!(token.token_policies),
            Self::TokenTtl => json!(token.token_ttl),
            Self::TokenMaxTtl => json!(token.token_max_ttl),
            Self::TokenNumUses => json!(token.token_num_uses),
            Self::TokenBoundCidrs => json!(token.token_bound_cidrs),
            Self::Period => json!(token.token_period),
            Self::SecretIdTtl => json!(settings.secret_id_ttl),
            Self::SecretIdNumUses => json!(settings.secret_id_num_uses),
            Self::SecretIdBoundCidrs | Self::BoundCidrList => json!(settings.secret_id_bound_cidrs),
            Self::BindSecretId => json!(settings.bind_secret_id),
            Self::LocalSecretIds => json!(settings.local_secret_ids),
        }
    }
}

impl Approle {
    async fn read_part(self: Arc<Self>, named: Named, part: Part, name: &'static str) -> Outcome {
        let Some(role) = self.role(&named.role_name).await? else { return Ok(None) };
        let mut response = Response::json(&json!({ name: part.shown(&role.settings) }))?;
        if part == Part::BoundCidrList {
            response.warnings.push(OLD_LIST.to_owned());
        }
        Ok(Some(response))
    }

    async fn change_part(
        self: Arc<Self>,
        role: String,
        input: Option<SettingsInput>,
        name: &'static str,
    ) -> Outcome {
        let input = input.ok_or_else(|| Error::refused(format!("missing {name}")))?;
        let _turn = self.changing.lock().await;
        let known = self.role(&role).await?.ok_or_else(|| no_role(&role))?;
        let settings = known.settings.changed(input)?;
        self.save(Some(&known), &Role { settings, ..known.clone() }).await
    }
}
