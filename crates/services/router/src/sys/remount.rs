use domain::{
    InvalidPath, MountPath,
    Operation::{Read, Update},
};
use serde_json::json;

use crate::{Error, answer::Answer, ask::Ask, endpoint::Endpoint, error::Result, mounts::Refusal};

pub(super) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::sudo(
        "remount",
        &[(Update, |ask| Box::pin(remount(ask)))],
        "Moves a mount, with its data, to another path.",
    )
    .on_top(),
    Endpoint::token(
        "remount/status/:id",
        &[(Read, |ask| Box::pin(status(ask)))],
        "Tells how a move is getting on.",
    ),
];

const QUEUED: &str = "Mount move has been queued. Progress will be reported in Vault's server log, tagged with the \
                      returned migration_id";

async fn remount(ask: Ask) -> Result<Answer> {
    let fields = ask.fields()?;
    let from = fields.text("from")?.unwrap_or_default();
    let to = fields.text("to")?.unwrap_or_default();
    if from.is_empty() || to.is_empty() {
        return Err(Refusal::NoFromOrTo.into());
    }
    let from = from.trim_start_matches('/').parse().map_err(Refusal::Path)?;
    let active = ask.active()?;
    let id = active.mounts.remount(active, from, target(&to)?).await?;
    Ok(Answer::warned(&json!({ "migration_id": id }), QUEUED))
}

/// The new path has to be written as it will be known.
fn target(to: &str) -> Result<MountPath, Refusal> {
    if to.ends_with(char::is_whitespace) {
        return Err(Refusal::TargetWhitespace);
    }
    match to.trim_start_matches('/').parse() {
        Ok(path) => Ok(path),
        Err(InvalidPath::EmptySegment) => {
            let segments: Vec<&str> = to.split('/').filter(|segment| !segment.is_empty()).collect();
            let given = format!("{}/", to.trim_end_matches('/'));
            Err(Refusal::UncleanTarget { given, clean: format!("{}/", segments.join("/")) })
        }
        Err(other) => Err(Refusal::Path(other)),
    }
}

async fn status(ask: Ask) -> Result<Answer> {
    let id = ask.capture("id");
    let made = ask.active()?.mounts.past_move(id).ok_or(Error::Nothing)?;
    Ok(Answer::data(&json!({
        "migration_id": id,
        "migration_info": {
            "source_mount": made.from.as_str(),
            "target_mount": made.to.as_str(),
            "status": "success",
        },
    })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_refused_unless_it_is_written_cleanly() {
        let refused = |to| target(to).unwrap_err().to_string();
        assert_eq!(
            refused("a//b"),
            "invalid destination mount: path 'a//b/' does not match cleaned path 'a/b/'"
        );
        assert_eq!(refused("a "), "'to' path cannot contain trailing whitespace");
        assert_eq!(target("a/b/").unwrap().as_str(), "a/b/");
    }
}
