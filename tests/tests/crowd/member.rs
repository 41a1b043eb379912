use serde_json::{Value, json};
use testkit::{Answer, Api};
use tokio::join;

use super::{
    dice::Dice,
    promised::{Held, Promised},
};

/// How many tokens a member has at most.
const MOST: usize = 12;

/// One client, who remembers what it was promised.
#[derive(Debug)]
pub struct Member {
    pub root: Api,
    pub number: usize,
    pub dice: Dice,
    pub promised: Promised,
}

impl Member {
    pub fn new(root: Api, number: usize) -> Self {
        Self { root, number, dice: Dice::new(number), promised: Promised::default() }
    }

    /// Does one thing.
    pub async fn step(&mut self) {
        self.promised.steps += 1;
        match self.dice.roll(24) {
            0..5 => self.make_token().await,
            5..8 => self.write_note().await,
            8..10 => self.use_up().await,
            10..14 => self.take_secret().await,
            14 => self.renew().await,
            15 => self.give_secret_back().await,
            16..19 => self.end_token().await,
            19 => self.end_token_alone().await,
            20 => self.mount().await,
            21 => self.method().await,
            _ => self.policy().await,
        }
    }

    /// A name that nobody else uses.
    pub fn name(&self) -> String {
        format!("{}-{}", self.number, self.promised.steps)
    }

    fn any(&mut self) -> Option<usize> {
        (!self.promised.tokens.is_empty()).then(|| self.dice.roll(self.promised.tokens.len()))
    }

    /// A token without a limit: only such have children and secrets.
    fn any_lasting(&mut self) -> Option<usize> {
        self.any().filter(|place| self.promised.tokens[*place].uses == 0)
    }

    fn holder(&self, place: usize) -> Api {
        self.root.with_token(&self.promised.tokens[place].token)
    }

    async fn make_token(&mut self) {
        if self.promised.tokens.len() >= MOST {
            return self.end_token().await;
        }
        let parent = self.any_lasting();
        let uses = [0, 0, 0, 1, 3][self.dice.roll(5)];
        let wish = json!({"policies": ["crowd"], "ttl": "2h", "num_uses": uses});
        let (answer, parent) = match parent {
            Some(place) => {
                let accessor = self.promised.tokens[place].accessor.clone();
                (self.holder(place).post("auth/token/create", wish).await, Some(accessor))
            }
            None => (self.root.post("auth/token/create-orphan", wish).await, None),
        };
        self.promised.tokens.push(Held { parent, ..Held::of(&answer.ok()) });
    }

    async fn write_note(&mut self) {
        let Some(place) = self.any() else { return };
        let note = self.name();
        self.holder(place).put("cubbyhole/note", json!({ "v": note })).await.ok();
        let held = &mut self.promised.tokens[place];
        held.note = Some(note);
        if held.uses == 1 {
            let accessor = held.accessor.clone();
            return self.promised.tree_ends(&accessor);
        }
        held.uses = held.uses.saturating_sub(1);
    }

    /// Uses a token as often as it can be used, and oftener, all at once.
    async fn use_up(&mut self) {
        let Some(place) = self.any() else { return };
        let (holder, held) = (self.holder(place), self.promised.tokens[place].clone());
        if held.uses == 0 {
            return drop(holder.get("auth/token/lookup-self").await.ok());
        }
        let look = || holder.get("auth/token/lookup-self");
        let (a, b, c, d, e) = join!(look(), look(), look(), look(), look());
        let (good, bad): (Vec<Answer>, Vec<Answer>) = [a, b, c, d, e].into_iter().partition(Answer::is_ok);
        assert_eq!(good.len(), held.uses, "a token for {} uses: {bad:?}", held.uses);
        assert!(bad.iter().all(|answer| answer.status == 403), "{bad:?}");
        self.promised.tree_ends(&held.accessor);
    }

    async fn take_secret(&mut self) {
        let Some(place) = self.any_lasting() else { return };
        let name = self.name();
        let lease = lease_id(self.holder(place).get(&format!("db/creds/{name}")).await.ok());
        self.promised.tokens[place].leases.insert(lease, name);
    }

    async fn renew(&mut self) {
        let Some(place) = self.any_lasting() else { return };
        let wish = json!({"increment": "3h"});
        self.holder(place).post("auth/token/renew-self", wish).await.ok();
        if let Some(lease) = self.promised.tokens[place].leases.keys().next() {
            self.root.put("sys/leases/renew", json!({"lease_id": lease, "increment": 7200})).await.ok();
        }
    }

    async fn give_secret_back(&mut self) {
        let Some(place) = self.any_lasting() else { return };
        let Some((lease, name)) = self.promised.tokens[place].leases.pop_first() else { return };
        self.root.put("sys/leases/revoke", json!({ "lease_id": lease })).await.ok();
        self.promised.revoked.insert(name);
    }

    /// Ends a token while it is used. What it is given at the same moment ends with it.
    async fn end_token(&mut self) {
        let Some(place) = self.any() else { return };
        let (holder, held) = (self.holder(place), self.promised.tokens[place].clone());
        let revocation = match self.dice.roll(3) {
            0 if held.uses == 0 => (holder.clone(), "auth/token/revoke-self", json!({})),
            1 => (self.root.clone(), "auth/token/revoke-accessor", json!({"accessor": held.accessor})),
            _ => (self.root.clone(), "auth/token/revoke", json!({"token": held.token})),
        };
        self.while_used(&held, revocation).await;
        self.promised.tree_ends(&held.accessor);
    }

    /// Ends a token while it is used; its children go on.
    async fn end_token_alone(&mut self) {
        let Some(place) = self.any_lasting() else { return };
        let held = self.promised.tokens[place].clone();
        let revocation = (self.root.clone(), "auth/token/revoke-orphan", json!({"token": held.token}));
        self.while_used(&held, revocation).await;
        self.promised.ends_alone(&held.accessor);
    }

    async fn while_used(&mut self, held: &Held, (who, path, body): (Api, &str, Value)) {
        let holder = self.root.with_token(&held.token);
        if held.uses > 0 {
            return drop(who.post(path, body).await.ok());
        }
        let name = self.name();
        let creds = format!("db/creds/{name}");
        let wish = json!({"policies": ["crowd"], "ttl": "2h"});
        let (ended, again, child, secret, note) = join!(
            who.post(path, body.clone()),
            who.post(path, body),
            holder.post("auth/token/create", wish),
            holder.get(&creds),
            holder.put("cubbyhole/note", json!({"v": name})),
        );
        assert!(ended.is_ok() || again.is_ok(), "{ended}, and {again}");
        for answer in [&ended, &again, &child, &secret, &note] {
            assert!(answer.is_ok() || (400..500).contains(&answer.status), "{answer}");
        }
        if child.is_ok() {
            let parent = Some(held.accessor.clone());
            self.promised.tokens.push(Held { parent, ..Held::of(&child.ok()) });
        }
        let _ = match secret.is_ok() {
            true => self.promised.revoked.insert(name),
            false => self.promised.refused.insert(name),
        };
    }

    async fn policy(&mut self) {
        let name = format!("crowd-{}-{}", self.number, self.dice.roll(5));
        let path = format!("sys/policies/acl/{name}");
        if self.promised.policies.remove(&name).is_some() {
            return drop(self.root.delete(&path).await.ok());
        }
        let policy = format!("path \"{}\" {{ policy = \"read\" }}", self.name());
        self.root.put(&path, json!({ "policy": policy })).await.ok();
        self.promised.policies.insert(name, policy);
    }

    /// Ends everything that it has.
    pub async fn give_all_back(&mut self) {
        while let Some(held) = self.promised.tokens.pop() {
            // It may have ended with another one.
            let ended = self.root.post("auth/token/revoke", json!({"token": held.token})).await;
            assert!(ended.is_ok() || ended.status == 403 || ended.status == 400, "{ended}");
        }
        while let Some(path) = self.promised.methods.pop_first() {
            self.root.delete(&format!("sys/auth/{path}")).await.ok();
        }
        while let Some((path, _)) = self.promised.mounts.pop_first() {
            self.root.delete(&format!("sys/mounts/{path}")).await.ok();
        }
        while let Some((name, _)) = self.promised.policies.pop_first() {
            self.root.delete(&format!("sys/policies/acl/{name}")).await.ok();
        }
    }
}

fn lease_id(answer: Value) -> String {
    answer["lease_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
