//! A counterexample as a table: every variable before the step and after it, what the step was taken with, and what is
//! fixed.

use super::model::Model;
use super::system::{Step, System};
use std::fmt::Write as _;

/// The table of a step's counterexample (`action`), or of an initial state that breaks a conjunct.
pub(super) fn draw(system: &System, action: Option<&Step>, model_text: &str) -> String {
    let Some(model) = Model::read(model_text) else { return "the model of the solver cannot be read\n".to_owned() };
    let mut rows: Vec<[String; 3]> = Vec::new();
    for (name, sort) in action.map_or(&[][..], |action| &action.parameters) {
        let value = model.lines(name, &[], false).unwrap_or_default().join("");
        rows.push([format!("with {name}"), value, format!("({sort})")]);
    }
    for (name, symbol) in &system.symbols {
        let lines = |symbol_name: &str| match model.lines(symbol_name, &symbol.arguments, symbol.result == "Bool") {
            Some(lines) => lines,
            None => vec!["(too many to list)".to_owned()],
        };
        let before = lines(name);
        let changed = action.is_some_and(|action| action.changes.contains(name));
        let after = if changed { lines(&format!("{name}.after")) } else { before.clone() };
        // An order is shown by the numbers of the elements.
        if name.ends_with("<=") || (before.is_empty() && after.is_empty()) {
            continue;
        }
        tuple_rows(name, symbol.mutable, &before, &after, &mut rows);
    }
    layout(&rows)
}

/// One row per tuple: those that stay stand on both sides.
fn tuple_rows(name: &str, mutable: bool, before: &[String], after: &[String], rows: &mut Vec<[String; 3]>) {
    let mut all: Vec<&String> = before.iter().chain(after).collect();
    all.sort();
    all.dedup();
    for (place, tuple) in all.into_iter().enumerate() {
        let label = if place == 0 { name.to_owned() } else { String::new() };
        let side = |tuples: &[String]| if tuples.contains(tuple) { tuple.clone() } else { "-".to_owned() };
        let later = if mutable { side(after) } else { "(fixed)".to_owned() };
        rows.push([label, side(before), later]);
    }
}

fn layout(rows: &[[String; 3]]) -> String {
    let header = ["".to_owned(), "before".to_owned(), "after".to_owned()];
    let widest = |column: usize| rows.iter().chain([&header]).map(|row| row[column].len()).max().unwrap_or_default();
    let (label, before) = (widest(0), widest(1));
    let mut text = String::new();
    for row in [&header].into_iter().chain(rows) {
        let line = format!("    {:label$}  {:before$}  {}", row[0], row[1], row[2]);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}
