//! A run as a drawing: a lane per node, grouped; a row per step; messages from the row where they leave to the row where
//! they arrive, dashed if they never do; the violation below, in red.

use super::Run;
use crate::scenario::{Scenario, Stroke, Tone};
use std::collections::BTreeSet;
use std::fmt::Write as _;

const ROW: usize = 30;
/// What a further note in the same lane adds to a row.
const NOTE: usize = 21;
const LANE: usize = 170;
const LEFT: usize = 40;
const HEAD: usize = 56;
/// About how wide a letter is.
const LETTER: usize = 7;
/// The longest line of a sentence, in letters, and how far its lines are apart.
const SENTENCE: usize = 48;
const LINE: usize = 16;

/// A message on the drawing.
struct Arrow {
    from: usize,
    to: usize,
    label: String,
    sent: usize,
    received: Vec<usize>,
}

/// Something that happens in one lane, the `nth` there in its row.
struct Note {
    row: usize,
    lane: usize,
    nth: usize,
    label: String,
    tone: Tone,
}

/// Where the rows lie: a row is as high as its sentence and its lane with the most notes need.
struct Rows(Vec<usize>);

impl Rows {
    fn new(sentences: &[Vec<String>], notes: &[Note]) -> Self {
        let mut tops = vec![HEAD];
        for (row, lines) in sentences.iter().enumerate() {
            let most = notes.iter().filter(|note| note.row == row).map(|note| note.nth).max().unwrap_or(0);
            tops.push(tops[row] + ROW + (most * NOTE).max(lines.len().saturating_sub(1) * LINE));
        }
        Self(tops)
    }

    fn top(&self, row: usize) -> usize {
        self.0.get(row).copied().unwrap_or_else(|| self.bottom())
    }

    /// Where its sentence, its arrows and its first notes stand.
    fn middle(&self, row: usize) -> usize {
        self.top(row) + ROW / 2
    }

    fn bottom(&self) -> usize {
        self.0.last().copied().unwrap_or(HEAD)
    }
}

/// The run as an SVG document.
pub fn draw<S: Scenario>(scenario: &S, run: &Run<S>) -> String {
    let lanes = scenario.lanes();
    let mut notes: Vec<Note> = Vec::new();
    let mut arrows: Vec<(u64, Arrow)> = Vec::new();
    let mut sentences = Vec::new();
    for (row, step) in run.steps.iter().enumerate() {
        sentences.push(wrap(&scenario.sentence(&step.before, &step.action), SENTENCE));
        let strokes = step.after.as_ref().map(|after| scenario.strokes(&step.before, &step.action, after));
        for stroke in strokes.into_iter().flatten() {
            match stroke {
                Stroke::Send { message, from, to, label } => {
                    arrows.push((message, Arrow { from, to, label, sent: row, received: Vec::new() }));
                }
                Stroke::Receive { message } => {
                    if let Some((_, arrow)) = arrows.iter_mut().rev().find(|(other, _)| *other == message) {
                        arrow.received.push(row);
                    }
                }
                Stroke::Note { lane, label, tone } => {
                    let nth = notes.iter().filter(|note| (note.row, note.lane) == (row, lane)).count();
                    notes.push(Note { row, lane, nth, label, tone });
                }
            }
        }
    }
    make_room(&mut notes, arrows.iter().map(|(_, arrow)| arrow));
    let count = run.steps.len();
    let rows = Rows::new(&sentences, &notes);
    let text_at = LEFT + lanes.len() * LANE + 8;
    let verdict = run.violation();
    let width = text_at + SENTENCE * LETTER + 20;
    let evidence = verdict.map(|violation| wrap(&violation.to_string(), (width - 40) / LETTER)).unwrap_or_default();
    let height = rows.bottom() + 20 + evidence.len() * 20 + 10;

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"monospace\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0,0 L8,4 L0,8 z\" fill=\"#1f5fa8\"/></marker></defs>\n"
    );
    heads(&mut svg, &lanes, rows.bottom());
    for (row, sentence) in sentences.iter().enumerate() {
        let last = verdict.is_some() && row + 1 == count;
        let fill = if last { "#b00020" } else { "#222222" };
        if last {
            let _ = writeln!(
                svg,
                "<rect x=\"0\" y=\"{}\" width=\"{width}\" height=\"{}\" fill=\"#fde7ea\"/>",
                rows.top(row),
                rows.top(row + 1) - rows.top(row)
            );
        }
        let y = rows.middle(row) + 4;
        let _ = writeln!(svg, "<text x=\"6\" y=\"{y}\" fill=\"#888888\">{}</text>", row + 1);
        for (line, text) in sentence.iter().enumerate() {
            let y = y + line * LINE;
            let _ = writeln!(svg, "<text x=\"{text_at}\" y=\"{y}\" fill=\"{fill}\">{}</text>", escape(text));
        }
    }
    arrows.iter().for_each(|(_, arrow)| shaft(&mut svg, arrow, &rows));
    notes.iter().for_each(|note| badge(&mut svg, note, &rows));
    for (line, text) in evidence.iter().enumerate() {
        let y = rows.bottom() + 24 + line * 20;
        let _ = writeln!(svg, "<text x=\"20\" y=\"{y}\" fill=\"#b00020\" font-weight=\"bold\">{}</text>", escape(text));
    }
    svg.push_str("</svg>\n");
    svg
}

/// Moves the notes of a lane below the tip of an arrow that ends there in the same row.
fn make_room<'a>(notes: &mut [Note], arrows: impl Iterator<Item = &'a Arrow>) {
    let ends: BTreeSet<_> = arrows.flat_map(|arrow| arrow.received.iter().map(|row| (*row, arrow.to))).collect();
    notes.iter_mut().filter(|note| ends.contains(&(note.row, note.lane))).for_each(|note| note.nth += 1);
}

/// The names of the lanes and groups, and the lines below them.
fn heads(svg: &mut String, lanes: &[crate::scenario::Lane], bottom: usize) {
    for (lane, head) in lanes.iter().enumerate() {
        let x = center(lane);
        let first = lane == 0 || lanes.get(lane - 1).is_some_and(|other| other.group != head.group);
        if first && !head.group.is_empty() {
            let members = lanes.iter().skip(lane).take_while(|other| other.group == head.group).count();
            let (x, width) = (LEFT + lane * LANE + 4, members * LANE - 8);
            let _ = writeln!(
                svg,
                "<rect x=\"{x}\" y=\"4\" width=\"{width}\" height=\"18\" rx=\"4\" fill=\"#e8eef6\"/>\
                 <text x=\"{}\" y=\"17\" text-anchor=\"middle\" fill=\"#1f3a5f\">{}</text>",
                x + width / 2,
                escape(&head.group)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{x}\" y=\"42\" text-anchor=\"middle\" font-weight=\"bold\" fill=\"#222222\">{}</text>\
             <line x1=\"{x}\" y1=\"50\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#cccccc\"/>",
            escape(&head.name)
        );
    }
}

/// A message: an arrow to each arrival, or a dashed stub if there is none.
fn shaft(svg: &mut String, arrow: &Arrow, rows: &Rows) {
    let (x1, y1, far) = (center(arrow.from), rows.middle(arrow.sent), center(arrow.to));
    for row in &arrow.received {
        let (x2, y2) = (far, rows.middle(*row));
        let _ = writeln!(
            svg,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"#1f5fa8\" marker-end=\"url(#tip)\"/>"
        );
    }
    if arrow.received.is_empty() {
        // Two fifths of the way.
        let x2 = (x1 * 3 + far * 2) / 5;
        let _ = writeln!(
            svg,
            "<line class=\"lost\" x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{}\" stroke=\"#999999\" stroke-dasharray=\"4 3\"/>",
            y1 + ROW / 3
        );
        return;
    }
    let anchor = if far >= x1 { ("start", x1 + 6) } else { ("end", x1 - 6) };
    let _ = writeln!(
        svg,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" font-size=\"10\" fill=\"#1f5fa8\">{}</text>",
        anchor.1,
        y1 - 4,
        anchor.0,
        escape(&brief(&arrow.label, arrow.from.abs_diff(arrow.to) * LANE / LETTER))
    );
}

/// Something that happens in one lane.
fn badge(svg: &mut String, note: &Note, rows: &Rows) {
    let (fill, ink) = match note.tone {
        Tone::Plain => ("#f2f2f2", "#333333"),
        Tone::Strong => ("#d8f0dd", "#145a26"),
        Tone::Fault => ("#fbd9d3", "#8a1c0b"),
    };
    let (x, y) = (center(note.lane), rows.middle(note.row) + note.nth * NOTE);
    let width = note.label.chars().count() * LETTER + 10;
    let _ = writeln!(
        svg,
        "<rect x=\"{}\" y=\"{}\" width=\"{width}\" height=\"18\" rx=\"5\" fill=\"{fill}\"/>\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"{ink}\">{}</text>",
        x.saturating_sub(width / 2),
        y - 9,
        y + 4,
        escape(&note.label)
    );
}

fn center(lane: usize) -> usize {
    LEFT + lane * LANE + LANE / 2
}

/// What fits into so many letters.
fn brief(label: &str, room: usize) -> String {
    if label.chars().count() <= room {
        return label.to_owned();
    }
    label.chars().take(room.saturating_sub(1)).chain(['…']).collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Lines of at most `room` letters, cut between words.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.len() + word.len() >= room);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::toy::{Say, Toy};
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_lost_message_is_dashed_and_the_violation_is_told() {
        let toy = Arc::new(Toy::default());
        let run = Run::replay(&toy, 0, &[Say::Send, Say::Lose, Say::Send, Say::Receive, Say::Break]);
        let svg = draw(toy.as_ref(), &run.expect("the toy takes these"));
        assert_eq!(svg.matches("class=\"lost\"").count(), 1, "one of the two messages is lost");
        assert_eq!(svg.matches("marker-end").count(), 1, "and one arrives");
        assert!(svg.contains("it broke &lt;here&gt; &amp; now"), "text is escaped");
        assert!(svg.contains(">g1<") && svg.contains(">n2<"), "lanes and groups have names");
    }

    #[test]
    fn notes_and_lines_of_a_row_do_not_cover_each_other_or_the_next() {
        let note = |row, nth| Note { row, lane: 0, nth, label: String::new(), tone: Tone::Plain };
        let sentences = [&[""][..], &["one", "two"]].map(|lines| lines.iter().map(ToString::to_string).collect());
        let rows = Rows::new(&sentences, &[note(0, 0), note(0, 1), note(1, 0)]);
        assert_eq!((rows.middle(1) - rows.middle(0), rows.bottom() - rows.top(1)), (ROW + NOTE, ROW + LINE));
    }

    #[test]
    fn a_note_stands_below_the_tip_of_an_arrow() {
        let note = |row, lane| Note { row, lane, nth: 0, label: String::new(), tone: Tone::Plain };
        let mut notes = [note(3, 1), note(3, 0), note(2, 1)];
        make_room(&mut notes, [Arrow { from: 0, to: 1, label: String::new(), sent: 2, received: vec![3] }].iter());
        assert_eq!(notes.map(|note| note.nth), [1, 0, 0]);
    }

    #[test]
    fn a_label_fits_between_its_lanes() {
        assert_eq!((brief("short", 5).as_str(), brief("longer", 5).as_str()), ("short", "long…"));
    }

    #[test]
    fn long_evidence_is_wrapped() {
        assert_eq!(wrap("aa bb cc", 6), ["aa bb", "cc"]);
    }
}
