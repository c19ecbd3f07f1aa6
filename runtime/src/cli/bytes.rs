//! Keys and values on the command line and in JSON: text, hexadecimal digits, or standard input.

use super::output::Failure;
use super::usage_error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::Read;

/// The bytes that an argument stands for: hexadecimal digits if `hex`, else the text itself.
pub(super) fn from_argument(text: &str, hex: bool) -> Result<Vec<u8>, Failure> {
    if hex {
        from_hex(text).ok_or_else(|| usage_error(format!("`{text}` is not pairs of hexadecimal digits")))
    } else {
        Ok(text.as_bytes().to_vec())
    }
}

/// As [`from_argument`]; `-` stands for all of standard input, taken as it is.
pub(super) fn from_argument_or_stdin(text: &str, hex: bool) -> Result<Vec<u8>, Failure> {
    if text != "-" {
        return from_argument(text, hex);
    }
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
        Failure::new(format!("standard input: {error}"), "redirect a file: `quorate put KEY - < FILE`")
    })?;
    Ok(bytes)
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

/// Bytes in JSON under two names: `NAME` as text (null if they are not UTF-8) and `NAME_b64` always.
pub(super) fn put_json(object: &mut Value, name: &str, bytes: Option<&[u8]>) {
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    object[name] = json!(text);
    object[format!("{name}_b64")] = json!(bytes.map(|bytes| STANDARD.encode(bytes)));
}

/// Hexadecimal digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes for a person: text as text, anything else escaped, cut at 60 bytes.
pub(super) fn shown(bytes: &[u8]) -> String {
    let cut = bytes.get(..60).unwrap_or(bytes);
    let more = if cut.len() < bytes.len() { format!("..{} bytes", bytes.len()) } else { String::new() };
    format!("\"{}\"{more}", cut.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_digits_are_bytes() {
        assert_eq!(from_argument("00fF", true).unwrap(), [0, 255]);
        assert_eq!(from_argument("00fF", false).unwrap(), b"00fF");
        assert_eq!(to_hex(&[0, 255]), "00ff");
        for wrong in ["0", "0g", "+1", "ää"] {
            assert!(from_argument(wrong, true).is_err(), "{wrong}");
        }
    }

    #[test]
    fn json_holds_text_and_base64() {
        let mut object = json!({});
        put_json(&mut object, "value", Some(b"\xff"));
        put_json(&mut object, "key", Some(b"k"));
        assert_eq!(object, json!({ "value": null, "value_b64": "/w==", "key": "k", "key_b64": "aw==" }));
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(shown(b"a\n"), "\"a\\n\"");
        assert!(shown(&[b'x'; 100]).ends_with("\"..100 bytes"));
    }
}
