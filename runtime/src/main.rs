//! The `quorate` program: everything it does is in the library, so that tests can use the same parts.

use std::process::ExitCode;

fn main() -> ExitCode {
    quorate::cli::main()
}
