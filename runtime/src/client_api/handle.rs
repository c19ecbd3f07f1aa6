//! The driver between the handles of a client and its task: whoever has something for it locks it.
//!
//! A call is made by its caller, and if no other is waiting its request is written there and then: so a call of a client
//! at rest wakes no task but, when its answer is there, the caller's own. What cannot be done at once, and what comes from
//! nodes, is the task's. Nobody waits while the lock is held.

use super::driver::{Command, Driver};
use super::{Error, Options};
use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

/// `None`: the last handle was dropped, or the task with its runtime.
type Shared = Mutex<Option<Driver>>;

/// What all clones of a client share. Dropped with the last of them, it ends the task and closes its connections.
pub(super) struct Handle(Arc<Shared>);

impl Handle {
    /// Starts a driver's task. Must be called within a tokio runtime.
    pub(super) fn start(options: Options) -> Self {
        let shared = Arc::new(Mutex::new(Some(Driver::new(options))));
        tokio::spawn(Task(Arc::clone(&shared)));
        Self(shared)
    }

    /// Does what is asked as far as it can be done at once.
    ///
    /// # Errors
    /// [`Error::Closed`]: the task has ended.
    pub(super) fn take(&self, command: Command) -> Result<(), Error> {
        let unfinished = lock(&self.0).as_mut().ok_or(Error::Closed)?.take(command);
        unfinished.iter().for_each(Waker::wake_by_ref);
        Ok(())
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        end(&self.0);
    }
}

/// The task that drives what the callers do not.
struct Task(Arc<Shared>);

impl Future for Task {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match &mut *lock(&self.0) {
            Some(driver) => {
                driver.poll(cx);
                Poll::Pending
            }
            None => Poll::Ready(()),
        }
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        end(&self.0);
    }
}

/// Closes the connections; whoever still waits learns that it is over, and so does the task.
fn end(shared: &Shared) {
    let driver = lock(shared).take();
    driver.iter().filter_map(Driver::task).for_each(Waker::wake_by_ref);
}

/// Locks. A driver that panicked is a bug, and of no more use to anybody.
fn lock(shared: &Shared) -> MutexGuard<'_, Option<Driver>> {
    shared.lock().unwrap_or_else(|poisoned| {
        let mut driver = poisoned.into_inner();
        *driver = None;
        driver
    })
}
