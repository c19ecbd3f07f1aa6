//! How the tools of this package print.

/// Prints a line on standard output; a reader that has gone away (`| head`) is not an error.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => { ::quorate::cli::print_bytes(format!("{}\n", format_args!($($text)*)).as_bytes()) };
}
