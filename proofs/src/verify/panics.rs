//! Panics of the core, caught where they happen: each is a counterexample with its message.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    /// What the hook leaves for [`caught`]; `None` outside of it.
    static MESSAGE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `step`; a panic in it is an error with its message and place, and is not printed.
pub(crate) fn caught<T>(step: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(install);
    MESSAGE.with_borrow_mut(|message| *message = Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(step));
    let message = MESSAGE.take().unwrap_or_default();
    result.map_err(|_| message)
}

/// Keeps the message of a panic under [`caught`]; any other goes where it went before.
fn install() {
    if cfg!(panic = "abort") {
        return;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        let kept = MESSAGE.with_borrow_mut(|message| message.as_mut().map(|message| *message = info.to_string()));
        if kept.is_none() {
            before(info);
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_error_with_its_message() {
        assert_eq!(caught(|| 7), Ok(7));
        let message = caught(|| panic!("the log has a hole at {}", 3)).map(|()| 0).unwrap_err();
        assert!(message.contains("the log has a hole at 3") && message.contains("panics.rs"), "{message}");
    }
}
