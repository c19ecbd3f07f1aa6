//! Runs with one field of one event changed: what the specification must refuse.
//!
//! Only fields that the rest of the run determines are changed, never chosen by whether the checker refuses them. Left alone
//! are who answers again, refuses or reads (another group or client may do the same, and nothing changes), who sends a
//! request, whether a client gave up or learnt an answer, the sending of a copy, which nobody may take in, and who gets a
//! shard (any even assignment is as good, until a group adopts it).

use super::{Content, Event, Holding, Mark, Run};
use crate::verify::Dice;

/// A run with one wrong field.
#[derive(Clone, Debug)]
pub struct Corrupted {
    /// The run.
    pub run: Run,
    /// Which of its events, counted from 0.
    pub place: usize,
    /// The field.
    pub field: String,
}

/// A field that can be changed.
#[derive(Clone, Copy, Debug)]
enum Field {
    Name(&'static [&'static str]),
    Told(&'static str),
    Gids,
    Value,
    Members,
    Origin(usize),
    SessionFloor,
    Config,
    Copy(Spot, Part),
}

/// A copy that a group holds, by its place among those that it serves or has frozen.
#[derive(Clone, Copy, Debug)]
enum Spot {
    Serving(usize),
    Frozen(usize),
}

/// A part of a copy.
#[derive(Clone, Copy, Debug)]
enum Part {
    Whole,
    Key(usize),
    Session(usize),
    Floor,
}

/// Changes one field, by the seed.
///
/// # Panics
/// No event of the run has a field that the rest determines.
pub fn corrupt(run: &Run, seed: u64) -> Corrupted {
    let mut dice = Dice::new(seed);
    let all = run.events.iter().enumerate();
    let fields: Vec<(usize, Vec<Field>)> =
        all.map(|(place, event)| (place, determined(event))).filter(|(_, fields)| !fields.is_empty()).collect();
    assert!(!fields.is_empty(), "nothing in this run is determined");
    let (place, fields) = &fields[below(fields.len(), &mut dice)];
    let field = fields[below(fields.len(), &mut dice)];
    let mut run = run.clone();
    change(&mut run.events[*place], field, &mut dice);
    Corrupted { run, place: *place, field: format!("{field:?}") }
}

/// The fields of an event that the rest of the run determines.
fn determined(event: &Event) -> Vec<Field> {
    let mut fields = match event.name {
        "Join" => vec![Field::Name(&["Leave"]), Field::Gids],
        "Leave" => vec![Field::Name(&["Join"]), Field::Gids],
        "Move" => vec![Field::Told("shard"), Field::Told("gid")],
        "RaiseFloor" => vec![Field::Told("floor")],
        "AdoptConfiguration" => vec![Field::Told("config")],
        "Install" | "Collect" => {
            vec![
                Field::Name(&["Install", "Collect", "AdoptConfiguration"]),
                Field::Told("shard"),
                Field::Told("config"),
            ]
        }
        "SendRequest" | "Complete" | "GiveUp" => vec![Field::Told("seq")],
        "Execute" => vec![Field::Name(&["Repeat", "Refuse"]), Field::Told("client"), Field::Told("seq")],
        "Repeat" => vec![Field::Name(&["Execute", "Refuse"])],
        "Refuse" => vec![Field::Name(&["Execute", "Repeat"])],
        "Read" => vec![Field::Value],
        _ => Vec::new(),
    };
    if let Some(made) = &event.made {
        fields.push(Field::SessionFloor);
        fields.extend((!made.members.is_empty()).then_some(Field::Members));
        fields.extend((0..made.shards.len()).filter(|shard| made.shards[*shard].1.is_some()).map(Field::Origin));
    }
    if let Some(after) = &event.after {
        fields.push(Field::Config);
        for (place, copy) in after.serving.values().enumerate() {
            fields.extend(parts(copy).map(|part| Field::Copy(Spot::Serving(place), part)));
        }
        for (place, copy) in after.frozen.values().enumerate() {
            fields.extend(parts(copy).map(|part| Field::Copy(Spot::Frozen(place), part)));
        }
    }
    fields
}

fn parts(copy: &Content) -> impl Iterator<Item = Part> {
    let (keys, sessions) = (copy.data.len(), copy.last.len());
    [Part::Whole, Part::Floor].into_iter().chain((0..keys).map(Part::Key)).chain((0..sessions).map(Part::Session))
}

fn change(event: &mut Event, field: Field, dice: &mut Dice) {
    match (field, &mut event.made, &mut event.after) {
        (Field::Name(others), ..) => {
            let others: Vec<_> = others.iter().filter(|name| **name != event.name).collect();
            event.name = others[below(others.len(), dice)];
        }
        (Field::Told(name), ..) => {
            if let Some(number) = event.told.get_mut(name) {
                *number = near(*number, dice);
            }
        }
        (Field::Gids, ..) => {
            if let Some(gid) = event.gids.pop_first() {
                event.gids.insert(gid + 10);
            }
        }
        (Field::Value, ..) => change_value(&mut event.value, dice),
        (Field::Members, Some(made), _) => _ = made.members.pop_first(),
        (Field::Origin(shard), Some(made), _) => made.shards[shard].1 = None,
        (Field::SessionFloor, Some(made), _) => made.floor = near(made.floor, dice),
        (Field::Config, _, Some(after)) => after.config = near(after.config, dice),
        (Field::Copy(spot, Part::Whole), _, Some(after)) => leave_out(after, spot),
        (Field::Copy(spot, part), _, Some(after)) => change_part(after, spot, part, dice),
        _ => {}
    }
}

fn leave_out(after: &mut Holding, spot: Spot) {
    let mut place = 0..;
    match spot {
        Spot::Serving(out) => after.serving.retain(|_, _| place.next() != Some(out)),
        Spot::Frozen(out) => after.frozen.retain(|_, _| place.next() != Some(out)),
    }
}

fn change_part(after: &mut Holding, spot: Spot, part: Part, dice: &mut Dice) {
    let copy = match spot {
        Spot::Serving(place) => after.serving.values_mut().nth(place),
        Spot::Frozen(place) => after.frozen.values_mut().nth(place),
    };
    let Some(copy) = copy else { return };
    match part {
        Part::Whole => {}
        Part::Key(place) => copy.data.values_mut().skip(place).take(1).for_each(|value| change_value(value, dice)),
        Part::Session(place) => copy.last.values_mut().skip(place).take(1).for_each(|seq| *seq = near(*seq, dice)),
        Part::Floor => copy.floor = near(copy.floor, dice),
    }
}

/// A write of it is missing or another's, or there is one too many.
fn change_value(value: &mut Vec<Mark>, dice: &mut Dice) {
    let place = below(value.len() + 1, dice);
    match value.get_mut(place) {
        None => value.push((1, 1)),
        Some(_) if dice.below(2) == 0 => {
            value.remove(place);
        }
        Some((client, _)) => *client = near(*client, dice),
    }
}

/// Another number, one or two away.
fn near(number: u64, dice: &mut Dice) -> u64 {
    let others = [number.saturating_sub(2), number.saturating_sub(1), number + 1, number + 2];
    let others: Vec<u64> = others.into_iter().filter(|other| *other != number).collect();
    others[below(others.len(), dice)]
}

fn below(bound: usize, dice: &mut Dice) -> usize {
    dice.below(bound as u64) as usize
}
