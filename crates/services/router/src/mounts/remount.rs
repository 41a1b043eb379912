use std::sync::Arc;

use domain::{MountEntry, MountPath};
use uuid::Uuid;

use super::{Mount, Mounts, Refusal, enable::is_reserved};
use crate::{core::Active, error::Result};

/// A mount on its way from one path to another; the moves that have been made are remembered for a while.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) from: MountPath,
    pub(crate) to: MountPath,
}

impl Mounts {
    /// Moves a mount, with its identity and data, and answers with the number of the move. What it has issued, it has
    /// issued at the old path; that is revoked first.
    pub(crate) async fn remount(
        &self,
        active: &Arc<Active>,
        from: MountPath,
        to: MountPath,
    ) -> Result<String> {
        check_ends(&from, &to)?;
        if self.snapshot().overlap(&to).is_none()
            && let Some(mount) = self.get(&from).filter(|mount| mount.serves())
        {
            active.leases.revoke_of_mount(active, &mount.entry.uuid).await?;
        }
        let moved = self.change_path(&from, &to).await?;
        if moved.is_ready() && self.launch.tune(&moved).await.is_err() {
            // The launcher is told where the mount is with the next request.
            moved.forgotten();
        }
        tracing::info!(%from, %to, "moved a mount");
        let id = Uuid::new_v4().to_string();
        self.moves.insert(id.clone(), Arc::new(Move { from, to }));
        Ok(id)
    }

    /// A move that was made, by its number.
    pub(crate) fn past_move(&self, id: &str) -> Option<Arc<Move>> {
        self.moves.get(id)
    }

    async fn change_path(&self, from: &MountPath, to: &MountPath) -> Result<Arc<Mount>> {
        let _turn = self.turn.lock().await;
        self.refuse_place(to)?;
        let mount = self.get(from).filter(|mount| mount.serves());
        let mount = mount.ok_or_else(|| Refusal::NothingToMove(from.clone()))?;
        if let Some(taken) = self.snapshot().overlap(to) {
            return Err(Refusal::TargetInUse(taken.clone()).into());
        }
        let moved = Arc::new(mount.with(MountEntry { path: to.clone(), ..mount.entry.clone() }));
        self.persist(&moved).await?;
        self.publish(|table| {
            table.remove(from);
            table.insert(to.clone(), moved.clone())
        })
        .map_err(Refusal::InUse)?;
        Ok(moved)
    }
}

fn check_ends(from: &MountPath, to: &MountPath) -> Result<(), Refusal> {
    let is_auth = |path: &MountPath| path.as_str().starts_with("auth/");
    let token = |path: &MountPath| path.as_str().starts_with("auth/token/");
    match (is_auth(from), is_auth(to)) {
        (true, false) => Err(Refusal::AuthToSecret(to.clone())),
        _ if token(from) || (!is_auth(from) && is_reserved(from)) => Err(Refusal::CannotMove(from.clone())),
        (false, true) => Err(Refusal::SecretToAuth(to.clone())),
        _ if token(to) || (!is_auth(to) && is_reserved(to)) => Err(Refusal::CannotMoveTo(to.clone())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_of_a_move_have_to_be_of_one_sort_and_not_the_systems() {
        for (from, to, expected) in [
            ("kv", "moved", None),
            ("auth/a", "auth/b", None),
            ("sys", "x", Some(r#"cannot remount "sys/""#)),
            ("kv", "sys/x", Some("cannot remount to destination sys/x/")),
            ("auth/a", "x", Some(r#"cannot remount auth mount to non-auth mount "x/""#)),
            ("auth/token", "auth/x", Some(r#"cannot remount "auth/token/""#)),
        ] {
            let refused = check_ends(&from.parse().unwrap(), &to.parse().unwrap()).err();
            assert_eq!(refused.map(|refusal| refusal.to_string()).as_deref(), expected, "{from} {to}");
        }
    }
}
