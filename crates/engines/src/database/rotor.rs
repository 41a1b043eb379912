//! Changes the credentials of static roles when they are due: one task for all roles of a mount, and none for a mount
//! without such roles.

use std::{
    sync::{Arc, PoisonError, Weak},
    time::Duration,
};

use jiff::Timestamp;
use tenon::{Error, Result};
use tokio::{
    task::{AbortHandle, JoinSet},
    time::sleep,
};

use super::{
    Databases,
    queue::Queue,
    rotate::StaticWal,
    static_role::StaticRole,
    store::{STATIC_ROLES, put},
};

/// How many roles are worked on at the same time: a database that hangs does not hold up the others.
const AT_ONCE: usize = 8;

/// The longest time for which the clock is not looked at: it may be set.
const LOOK: Duration = Duration::from_secs(60);

/// The task, once it was needed. Ends with this.
#[derive(Default)]
pub(super) struct Rotor(std::sync::Mutex<Option<AbortHandle>>);

impl Rotor {
    fn start(&self, mount: &Arc<Databases>) {
        let mut task = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if task.as_ref().is_none_or(AbortHandle::is_finished) {
            let work = run(Arc::downgrade(mount), Arc::clone(&mount.queue));
            *task = Some(tokio::spawn(work).abort_handle());
        }
    }

    fn stop(&self) {
        if let Some(task) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

impl Drop for Rotor {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn run(mount: Weak<Databases>, queue: Arc<Queue>) {
    let mut working = JoinSet::new();
    loop {
        let now = {
            let Some(mount) = mount.upgrade() else { return };
            let now = mount.now();
            while working.len() < AT_ONCE
                && let Some(name) = queue.take_due(now)
            {
                let mount = Arc::clone(&mount);
                working.spawn(async move { mount.rotate_if_due(&name).await });
            }
            now
        };
        let due_in = |next: Timestamp| Duration::try_from(next.duration_since(now)).unwrap_or_default();
        let pause = queue.next().map_or(LOOK, due_in).min(LOOK);
        tokio::select! {
            Some(_) = working.join_next() => {}
            () = sleep(pause), if working.len() < AT_ONCE => {}
            () = queue.changed.notified() => {}
        }
    }
}

impl Databases {
    /// From now on what is due is done.
    pub(super) fn keep_rotating(self: &Arc<Self>) {
        self.rotor.start(self);
    }

    pub(super) async fn stop(self: Arc<Self>, (): ()) {
        self.rotor.stop();
    }

    /// Plans for all static roles, and for what was cut off. A mount without any has no task.
    pub(super) async fn start(self: Arc<Self>, (): ()) -> Result<()> {
        let names = self.names(STATIC_ROLES).await?;
        if names.is_empty() {
            return Ok(());
        }
        for entry in self.wal.entries().await? {
            // Of several notes about a role, the newest counts; the others are taken out in time.
            if let Some(wal) = StaticWal::of(&entry) {
                self.unfinished().insert(wal.role_name, entry.id);
            }
        }
        for name in names {
            // Seen to by the task: set-up does not wait until thousands of roles are read.
            self.queue.plan_for(&name, Timestamp::UNIX_EPOCH);
        }
        self.keep_rotating();
        Ok(())
    }

    /// Another node has changed something.
    pub(super) async fn invalidate(self: Arc<Self>, key: String) {
        if let Some(name) = key.strip_prefix(super::store::CONFIGS) {
            let slot = self.connections.slot(name);
            let _turn = slot.turn.lock().await;
            slot.end(tenon::Reason::ConnectionChanged).await;
        } else if let Some(name) = key.strip_prefix(STATIC_ROLES) {
            self.queue.plan_for(name, Timestamp::UNIX_EPOCH);
            self.keep_rotating();
        }
    }

    async fn rotate_if_due(self: Arc<Self>, name: &str) {
        let _turn = self.roles.lock(name).await;
        if let Err(error) = self.rotate_if_due_in_turn(name).await {
            tracing::warn!(role = name, error = %sentence(&error), "credentials could not be changed yet");
            self.queue.plan_again(name, self.now());
        }
    }

    async fn rotate_if_due_in_turn(&self, name: &str) -> Result<()> {
        let Some(role) = self.static_role(name).await? else {
            self.queue.forget(name);
            return Ok(());
        };
        let (now, due) = (self.now(), role.next_vault_rotation);
        let cut_off = self.unfinished().contains_key(name);
        // What somebody asked for before it was due, and could not be done, is still to be done.
        if due > now && !cut_off && !self.queue.has_failed(name) {
            self.queue.plan_for(name, due);
            return Ok(());
        }
        if role.rotation.is_missed(due, now) && !cut_off {
            return self.wait_for_next(name, role, now).await;
        }
        self.rotate(name, role).await
    }

    async fn wait_for_next(&self, name: &str, role: StaticRole, now: Timestamp) -> Result<()> {
        let next_vault_rotation = role.rotation.after(now);
        let role = StaticRole { next_vault_rotation, ..role };
        self.host.storage.commit(vec![put(STATIC_ROLES, name, &role)?]).await?;
        self.queue.plan_for(name, next_vault_rotation);
        Ok(())
    }
}

/// What a caller would be told.
fn sentence(error: &Error) -> String {
    match error {
        Error::WithResponse { response, .. } => String::from_utf8_lossy(&response.data).into_owned(),
        error => error.to_string(),
    }
}
