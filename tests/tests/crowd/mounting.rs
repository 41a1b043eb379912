use serde_json::json;
use tokio::join;

use super::{member::Member, promised::Held};

/// How many mounts of a sort a member has at most.
const MOST: usize = 2;

impl Member {
    /// Enables an engine and writes to it, or disables one while it is written to.
    pub async fn mount(&mut self) {
        if self.promised.mounts.len() < MOST {
            let path = format!("crowd-{}", self.name());
            let kind = if self.dice.roll(4) == 0 { "my-kv" } else { "kv" };
            let secret = self.name();
            self.root.post(&format!("sys/mounts/{path}"), json!({ "type": kind })).await.ok();
            self.root.put(&format!("{path}/a"), json!({ "v": secret })).await.ok();
            self.promised.mounts.insert(path, secret);
        } else if let Some((path, _)) = self.promised.mounts.pop_first() {
            let (mount, secret) = (format!("sys/mounts/{path}"), format!("{path}/b"));
            let (ended, written) =
                join!(self.root.delete(&mount), self.root.put(&secret, json!({"v": "late"})),);
            ended.ok();
            assert!(written.is_ok() || (400..500).contains(&written.status), "{written}");
        }
    }

    /// Enables an auth method and logs in by it, or disables one while somebody logs in.
    pub async fn method(&mut self) {
        if self.promised.methods.len() < MOST {
            let path = format!("crowd-{}", self.name());
            self.root.post(&format!("sys/auth/{path}"), json!({"type": "approle"})).await.ok();
            let role = json!({"bind_secret_id": false, "token_policies": ["crowd"], "token_ttl": "2h",
                "token_bound_cidrs": ["127.0.0.0/8"]});
            self.root.post(&format!("auth/{path}/role/r"), role).await.ok();
            self.root.post(&format!("auth/{path}/role/r/role-id"), json!({"role_id": path})).await.ok();
            self.promised.methods.insert(path.clone());
            self.log_in(&path).await;
        } else if let Some(path) = self.promised.methods.first().cloned() {
            let (method, login) = (format!("sys/auth/{path}"), format!("auth/{path}/login"));
            let (ended, late) =
                join!(self.root.delete(&method), self.root.post(&login, json!({ "role_id": path })),);
            ended.ok();
            assert!(late.is_ok() || (400..500).contains(&late.status), "{late}");
            if late.is_ok() {
                let method = Some(path.clone());
                self.promised.tokens.push(Held { method, ..Held::of(&late.body) });
            }
            self.promised.method_ends(&path);
        }
    }

    async fn log_in(&mut self, path: &str) {
        let answer = self.root.post(&format!("auth/{path}/login"), json!({ "role_id": path })).await.ok();
        let method = Some(path.to_owned());
        self.promised.tokens.push(Held { method, ..Held::of(&answer) });
    }
}
