//! What one entry of the controller's log must have done, and must not have done.

use super::names;
use super::state::Ghost;
use quorate_core::controller::{Answer, Change, Command, Configuration, Controller, Refusal};
use quorate_core::raft::Image;
use quorate_spec::Violation;
use quorate_spec::ids::{ClientId, ConfigNum, Seq};
use quorate_spec::invariants::{self, configuration_balanced};
use std::sync::Arc;

/// An entry, with the machine around it.
pub(super) struct Entry<'a> {
    pub(super) before: &'a Controller,
    pub(super) command: &'a Arc<Command>,
    pub(super) answer: &'a Answer,
    pub(super) after: &'a Controller,
}

fn broken(property: &'static str, evidence: String) -> Result<(), Violation> {
    Err(Violation::new(property, evidence))
}

impl Entry<'_> {
    /// Judges the entry. The ghost learns what it did.
    pub(super) fn judge(&self, ghost: &mut Ghost, limit: u64) -> Result<(), Violation> {
        self.determinism()?;
        self.history()?;
        let (was, is) = (self.before.latest(), self.after.latest());
        let grew = is.num != was.num;
        if grew {
            invariants::configurations(&was.view(), &is.view())?;
        }
        match &**self.command {
            Command::Change { client, seq, change } => {
                self.first_answer(ghost, (*client, *seq), grew)?;
                if grew {
                    as_asked(change, was, is, self.answer)?;
                }
            }
            Command::RegisterClient { .. } => self.session_issued(limit)?,
            Command::RegisterNode { .. } | Command::Retire { .. } if grew => {
                return broken(names::CHANGE_AS_ASKED, format!("{:?} made configuration {}", self.command, is.num));
            }
            Command::RegisterNode { .. } | Command::Retire { .. } => {}
        }
        self.directory()
    }

    /// Another replica, rebuilt from this one's image item by item just before the entry, comes to the same.
    fn determinism(&self) -> Result<(), Violation> {
        let mut other = rebuilt(self.before);
        let (answer, _) = other.apply(self.command);
        if answer != *self.answer {
            let evidence = format!(
                "{:?} is answered {:?}, and {answer:?} by a replica rebuilt from its image",
                self.command, self.answer
            );
            return broken(names::DETERMINISM, evidence);
        }
        if other != *self.after {
            let evidence = format!("a replica rebuilt from the image differs after {:?}", self.command);
            return broken(names::DETERMINISM, evidence);
        }
        Ok(())
    }

    /// No configuration ever changes, and at most one is added.
    fn history(&self) -> Result<(), Violation> {
        let (old, new) = (self.before.latest().num, self.after.latest().num);
        if new != old && new != old.next() {
            return broken(names::IMMUTABLE_HISTORY, format!("one entry went from configuration {old} to {new}"));
        }
        for num in (0..=old.get()).map(ConfigNum::new) {
            let (was, is) = (self.before.query(Some(num)), self.after.query(Some(num)));
            if was != is || is.num != num {
                return broken(names::IMMUTABLE_HISTORY, format!("configuration {num} was {was:?} and became {is:?}"));
            }
        }
        if self.after.query(None).num != new || self.after.query(Some(new.next())).num != new {
            return broken(
                names::IMMUTABLE_HISTORY,
                format!("the latest configuration is {new} and is not what is found"),
            );
        }
        Ok(())
    }

    /// A request that was executed before changes nothing and is answered as the first time; a new one is remembered.
    fn first_answer(&self, ghost: &mut Ghost, call: (ClientId, Seq), grew: bool) -> Result<(), Violation> {
        let (client, seq) = call;
        // A session that was not issued is no session either.
        let ended = client < self.before.floor() || client >= self.before.next_client();
        let later = ghost.first.range((client, seq.next())..).next().is_some_and(|((other, _), _)| *other == client);
        let expected = match ghost.first.get(&call) {
            _ if ended => Answer::Refused(Refusal::SessionExpired),
            _ if later => Answer::Refused(Refusal::Superseded),
            Some((first, answer)) if first == self.command => answer.clone(),
            Some(_) => Answer::Refused(Refusal::SeqReused),
            None => {
                ghost.first.insert(call, (Arc::clone(self.command), self.answer.clone()));
                return self.fresh(grew);
            }
        };
        if *self.answer != expected || self.before != self.after {
            let evidence = format!(
                "request {seq} of {client} is answered {:?} instead of {expected:?}, and the state {}",
                self.answer,
                if self.before == self.after { "stays" } else { "changes" }
            );
            return broken(names::FIRST_ANSWER, evidence);
        }
        Ok(())
    }

    /// A new request says truly whether it made a configuration.
    fn fresh(&self, grew: bool) -> Result<(), Violation> {
        let told = match self.answer {
            Answer::Changed { config } => grew && *config == self.after.latest().num,
            Answer::Unchanged { config } => !grew && *config == self.after.latest().num,
            Answer::Refused(Refusal::SessionExpired | Refusal::Superseded | Refusal::SeqReused) => false,
            Answer::Refused(_) => !grew,
            _ => false,
        };
        if told {
            return Ok(());
        }
        let num = self.after.latest().num;
        broken(names::FIRST_ANSWER, format!("a new request is answered {:?} at configuration {num}", self.answer))
    }

    /// A session id is greater than all before it, and no more sessions live than the limit allows.
    fn session_issued(&self, limit: u64) -> Result<(), Violation> {
        let (was, is) = (self.before.latest(), self.after.latest());
        let issued = matches!(self.answer, Answer::ClientRegistered { client } if *client == self.before.next_client());
        let counted = self.after.next_client() == self.before.next_client().next();
        let bounded = self.after.live_sessions() <= limit.max(1);
        let rest = Configuration { num: is.num, floor: is.floor, ..Configuration::clone(was) } == **is;
        if issued && counted && bounded && rest {
            return Ok(());
        }
        let evidence = format!(
            "a registration was answered {:?} with {} as the next session and {} live of at most {limit}",
            self.answer,
            self.before.next_client(),
            self.after.live_sessions()
        );
        broken(names::SESSION_IDS, evidence)
    }

    /// Nodes keep their stamps, and a group is listed as long as it is needed.
    fn directory(&self) -> Result<(), Violation> {
        let (was, is) = (self.before.directory(), self.after.directory());
        for (node, info) in &was.nodes {
            if is.nodes.get(node).map(|info| info.stamp) != Some(info.stamp) {
                return broken(names::NODE_IDENTITY, format!("{node} lost its stamp {}", info.stamp));
            }
        }
        let latest = self.after.latest();
        let listed = latest.groups.values().map(|info| info.id);
        let origins = latest.shards.iter().filter(|shard| shard.owner.is_none()).filter_map(|shard| shard.origin);
        for group in listed.chain(origins.map(|origin| origin.group)) {
            if !is.groups.contains_key(&group) {
                let num = latest.num;
                return broken(names::ORIGIN_KEPT, format!("{group} is needed in configuration {num} and not listed"));
            }
        }
        Ok(())
    }
}

/// A configuration is what the change asked for, and nothing else.
fn as_asked(change: &Change, was: &Configuration, is: &Configuration, answer: &Answer) -> Result<(), Violation> {
    let (before, after) = (was.view(), is.view());
    let groups_stay = was.groups == is.groups;
    let floor_stays = was.floor == is.floor;
    let asked = match change {
        Change::Join { groups } => {
            configuration_balanced::configuration_balanced(&after)?;
            configuration_balanced::fewest_moves(&before, &after)?;
            let kept = was.groups.iter().all(|(gid, info)| is.groups.get(gid) == Some(info));
            let only = is.groups.keys().all(|gid| was.groups.contains_key(gid) || groups.contains_key(gid));
            kept && only && groups.keys().all(|gid| is.groups.contains_key(gid)) && floor_stays
        }
        Change::Leave { gids } => {
            configuration_balanced::configuration_balanced(&after)?;
            configuration_balanced::fewest_moves(&before, &after)?;
            let rest = was.groups.iter().filter(|(gid, _)| !gids.contains(gid));
            rest.eq(is.groups.iter()) && floor_stays
        }
        Change::Move { shard, gid } => {
            let place = shard.get() as usize;
            let mut others = was.shards.iter().zip(&is.shards).enumerate().filter(|(number, _)| *number != place);
            let moved = is.shards.get(place).and_then(|shard| shard.owner).map(|owner| owner.gid) == Some(*gid);
            moved && others.all(|(_, (was, is))| was == is) && groups_stay && floor_stays
        }
        Change::RaiseFloor { floor } => was.shards == is.shards && groups_stay && is.floor == *floor,
    };
    if asked {
        return Ok(());
    }
    broken(
        names::CHANGE_AS_ASKED,
        format!("{change:?}, answered {answer:?}, made configuration {} of {was:?}: {is:?}", is.num),
    )
}

/// A replica made from the image, one item at a time.
fn rebuilt(controller: &Controller) -> Controller {
    let mut replica = Controller::blank();
    let mut cursor = Some(quorate_core::controller::Cursor::default());
    while let Some(from) = cursor {
        let (chunk, next) = controller.chunk(&from, 1);
        replica.absorb(chunk);
        cursor = next;
    }
    replica
}
