//! Faults of identity: a directory that is gone, old, or there twice.

use super::Fault;
use super::inject::HEARSAY;
use super::mend::{Kept, Mend};
use crate::sim::disk::Outage;
use crate::sim::process::{Directory, Down};
use crate::sim::shadow::Shadow;
use crate::sim::world::{Event, World};
use quorate_core::message::Request;
use quorate_spec::ids::NodeId;
use std::time::Duration;

impl World {
    /// Whether an earlier fault of a process has not ended: what ends it would meet another directory than the one that the
    /// fault was about, or put that one back in the place of another.
    pub(super) fn is_to_be_mended(&self, process: usize) -> bool {
        self.mends.values().any(|mend| mend.concerns() == Some(process))
    }

    pub(super) fn inject_identity(&mut self, fault: &Fault) -> bool {
        let (Fault::Wiped { process, .. }
        | Fault::OldCopy { process, .. }
        | Fault::Stranger { process, .. }
        | Fault::Twin { process, .. }) = fault
        else {
            return false;
        };
        if self.is_to_be_mended(*process) {
            return false;
        }
        match fault {
            Fault::Wiped { process, time } => self.if_up(*process, |world| {
                world.crash(*process, Outage::Process);
                let fresh = Directory::new(&mut world.random);
                let kept = world.exchange(*process, fresh, Shadow::default());
                world.start(*process);
                world.mend_in(*time, Mend::Restore { process: *process, kept: Box::new(kept) });
            }),
            Fault::OldCopy { process, age } => {
                // The copy is made now and put in later, by the same fault a second time.
                let Some(copy) = self.processes[*process].copy.take() else {
                    let it = &mut self.processes[*process];
                    if it.is_up() && !it.directory.owes() {
                        it.copy = Some(Box::new((it.directory.copy(), it.shadow.clone())));
                        let fault = Box::new(fault.clone());
                        self.queue.push(self.now + *age, Event::Fault { fault });
                    }
                    return false;
                };
                if !self.is_expendable(*process) || self.boot(*process) <= copy.0.boot {
                    return false;
                }
                self.crash(*process, Outage::Process);
                let copied = Box::new(copy.1.durable.clone());
                let kept = Box::new(self.exchange(*process, copy.0, copy.1));
                self.processes[*process].lossy = true;
                self.start_or_repair(*process);
                self.mend_in(HEARSAY, Mend::Aged { process: *process, kept, copied });
                true
            }
            Fault::Stranger { process, time } => {
                let fresh = Directory::new(&mut self.random);
                let id = self.processes[*process].id;
                let other = self.spare_process(id, fresh, Shadow::default());
                self.start(other);
                self.mend_in(*time, Mend::Dismiss { process: other });
                true
            }
            Fault::Twin { process, time } => self.twin(*process, *time),
            _ => false,
        }
    }

    /// The first of the two stands still while the others get to know the second, which they are asked to let lead. Nothing
    /// starts it again meanwhile: then it would have the later boot, or speak beside the second.
    pub(super) fn twin(&mut self, process: usize, time: Duration) -> bool {
        if !self.is_expendable(process) || self.processes[process].directory.owes() {
            return false;
        }
        self.pause(process, time);
        self.quiet_until = self.now + time + HEARSAY;
        let it = &self.processes[process];
        let (id, directory, shadow) = (it.id, it.directory.copy(), it.shadow.clone());
        let other = self.spare_process(id, directory, shadow);
        self.start(other);
        for group in self.groups_of(other) {
            if let Some(leader) = self.leader(group) {
                self.ask_node(leader, Request::TransferLeadership { group, to: id });
            }
        }
        self.mend_in(time, Mend::Meet { process, other });
        true
    }

    /// Gives a process another directory, and says which it had.
    pub(super) fn exchange(&mut self, process: usize, directory: Directory, shadow: Shadow) -> Kept {
        let it = &mut self.processes[process];
        Kept {
            directory: std::mem::replace(&mut it.directory, directory),
            shadow: std::mem::replace(&mut it.shadow, shadow),
            lossy: std::mem::take(&mut it.lossy),
        }
    }

    /// A process beside those of the setup; one that is gone is used again.
    pub(super) fn spare_process(&mut self, id: NodeId, directory: Directory, shadow: Shadow) -> usize {
        let gone = (self.setup.nodes..self.processes.len()).find(|it| self.processes[*it].down == Some(Down::Gone));
        let number = match gone {
            None => self.add_process(id, directory),
            Some(number) => {
                let it = &mut self.processes[number];
                (it.id, it.directory, it.down) = (id, directory, Some(Down::Killed));
                number
            }
        };
        self.processes[number].shadow = shadow;
        number
    }
}
