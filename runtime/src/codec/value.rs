//! Values as bytes: the only file that names bincode, so that replacing it is an affair of one page.
//!
//! bincode 2.0.1, little endian, integers of variable length (most of ours are small), through serde. Known traps and how
//! they are met: lengths are believed before their bytes are there (values borrow from the input, and a limit in proportion
//! to the input stops the rest); bytes left over are accepted (the callers count); recursive types overflow the stack
//! (there are none).

use bincode::config::{self, Config};
use bincode::enc::write::Writer;
use bincode::error::EncodeError;
use serde::{Deserialize, Serialize};

/// Appends to a vector without copies in between.
struct Tail<'a>(&'a mut Vec<u8>);

impl Writer for Tail<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Appends a value's bytes to `out`.
///
/// # Errors
/// What the encoder says: only for types that serde cannot write in one pass; none of ours.
pub fn append_value<T: Serialize + ?Sized>(value: &T, out: &mut Vec<u8>) -> Result<(), String> {
    bincode::serde::encode_into_writer(value, Tail(out), config::standard()).map_err(|error| error.to_string())
}

/// Takes one value from the front of `bytes`, which then begins after it.
///
/// # Errors
/// What the decoder says. `bytes` is unchanged then.
pub fn take_value<'a, T: Deserialize<'a>>(bytes: &mut &'a [u8]) -> Result<T, String> {
    // The decoder counts an integer's full width whatever its encoding takes: up to 16 bytes for one.
    let claim = bytes.len().saturating_mul(16);
    match claim {
        0..=0xfff => take(bytes, config::standard().with_limit::<0xfff>()),
        0x1000..=0xffff => take(bytes, config::standard().with_limit::<0xffff>()),
        0x1_0000..=0xf_ffff => take(bytes, config::standard().with_limit::<0xf_ffff>()),
        0x10_0000..=0xff_ffff => take(bytes, config::standard().with_limit::<0xff_ffff>()),
        0x100_0000..=0xfff_ffff => take(bytes, config::standard().with_limit::<0xfff_ffff>()),
        _ => take(bytes, config::standard().with_limit::<0x1_ffff_ffff>()),
    }
}

fn take<'a, T: Deserialize<'a>, C: Config>(bytes: &mut &'a [u8], config: C) -> Result<T, String> {
    let (value, used) =
        bincode::serde::borrow_decode_from_slice::<T, C>(bytes, config).map_err(|error| error.to_string())?;
    *bytes = bytes.get(used..).ok_or("the decoder read past the end")?;
    Ok(value)
}
