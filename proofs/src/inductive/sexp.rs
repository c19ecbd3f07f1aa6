//! The notation's surface: nested lists of words, each of which knows the line that it stands on.
//!
//! It knows nothing of what the words mean. A semicolon begins a comment that ends with its line.

use std::fmt;

/// A word or a list, and its line.
#[derive(Clone, Debug)]
pub enum Sexp {
    /// A word.
    Word(String, usize),
    /// A list.
    List(Vec<Sexp>, usize),
}

/// What is wrong with a file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line, from 1; 0 if the whole file is meant.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.what),
            line => write!(f, "line {line}: {}", self.what),
        }
    }
}

/// A fault at a line.
pub(super) fn fault<T>(line: usize, what: impl Into<String>) -> Result<T, Fault> {
    Err(Fault { line, what: what.into() })
}

/// A word that stands in no file.
pub(super) fn word(text: &str) -> Sexp {
    Sexp::Word(text.to_owned(), 0)
}

/// A list that stands in no file.
pub(super) fn list(items: impl IntoIterator<Item = Sexp>) -> Sexp {
    Sexp::List(items.into_iter().collect(), 0)
}

impl Sexp {
    /// The line that it begins on.
    pub fn line(&self) -> usize {
        match self {
            Self::Word(_, line) | Self::List(_, line) => *line,
        }
    }

    /// The word, if it is one.
    pub fn as_word(&self) -> Option<&str> {
        match self {
            Self::Word(text, _) => Some(text),
            Self::List(..) => None,
        }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::Word(..) => None,
            Self::List(items, _) => Some(items),
        }
    }

    /// The word, or a fault that says what was expected.
    pub fn need_word(&self, what: &str) -> Result<&str, Fault> {
        self.as_word().map_or_else(|| fault(self.line(), format!("expected {what}, found {self}")), Ok)
    }

    /// The items, or a fault that says what was expected.
    pub fn need_list(&self, what: &str) -> Result<&[Self], Fault> {
        self.as_list().map_or_else(|| fault(self.line(), format!("expected {what}, found {self}")), Ok)
    }

    /// The first word of a list.
    pub fn head(&self) -> Option<&str> {
        self.as_list().and_then(<[Self]>::first).and_then(Self::as_word)
    }
}

impl fmt::Display for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(text, _) => f.write_str(text),
            Self::List(items, _) => {
                f.write_str("(")?;
                for (place, item) in items.iter().enumerate() {
                    let space = if place == 0 { "" } else { " " };
                    write!(f, "{space}{item}")?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Reads a whole text.
pub(super) fn parse(text: &str) -> Result<Vec<Sexp>, Fault> {
    let mut open: Vec<(Vec<Sexp>, usize)> = vec![(Vec::new(), 0)];
    for (number, line) in text.lines().enumerate() {
        let number = number + 1;
        let code = line.split(';').next().unwrap_or_default();
        for token in tokens(code) {
            match token {
                "(" => open.push((Vec::new(), number)),
                ")" => {
                    let Some((items, began)) = open.pop() else { return fault(number, "a ) too many") };
                    match open.last_mut() {
                        Some((outer, _)) => outer.push(Sexp::List(items, began)),
                        None => return fault(number, "a ) too many"),
                    }
                }
                text => {
                    let (items, _) = open.last_mut().expect("invariant: the outermost list is never closed");
                    items.push(Sexp::Word(text.to_owned(), number));
                }
            }
        }
    }
    match (open.pop(), open.is_empty()) {
        (Some((items, _)), true) => Ok(items),
        (Some((_, began)), false) => fault(began, "a ( that is never closed"),
        (None, _) => fault(0, "nothing to read"),
    }
}

/// Parentheses, and the words between them.
fn tokens(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(['(', ')']).flat_map(|part| {
        let (text, end) = match part.char_indices().last() {
            Some((at, '(' | ')')) => part.split_at(at),
            _ => (part, ""),
        };
        text.split_whitespace().chain((!end.is_empty()).then_some(end))
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_text_is_read_as_it_is_written() {
        let read = parse("(a (b c)) ; rest\n(d())").expect("well formed");
        let shown: Vec<String> = read.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["(a (b c))", "(d ())"]);
        assert_eq!(read[1].line(), 2);
    }

    #[test]
    fn a_parenthesis_too_few_or_too_many_is_named_with_its_line() {
        assert_eq!(parse("\n(a\n(b)").expect_err("open").line, 2);
        assert_eq!(parse("(a)\n)").expect_err("closed").line, 2);
    }
}
