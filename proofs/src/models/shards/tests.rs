//! What the scopes reach, that their reductions lose nothing, and that the judges can say no.

use super::ShardsModel;
use super::scopes::{ALL, Driver, Scope};
use super::state::{Group, State, abstract_state};
use crate::models::explore::{explore, print_of};
use crate::scenario::Scenario;
use quorate_spec::ids::{ClientId, Seq};
use stateright::Model;
use std::collections::HashSet;
use std::sync::Arc;

/// Explores all of a scope: nothing is wrong, and every step that it is for was taken. What the specification sees.
fn exhaust(model: &ShardsModel) -> HashSet<u64> {
    let mut seen = HashSet::new();
    explore(model, 200_000, |state| {
        assert_eq!(state.violation, None);
        seen.insert(print_of(&abstract_state(state)));
    });
    assert_eq!(model.fired().missing(model.must_fire()), [""; 0], "steps that {} never took", model.scope());
    seen
}

fn named(name: &str) -> Scope {
    *ALL.iter().find(|scope| scope.name == name).expect("the scope exists")
}

#[test]
fn each_directed_scope_holds_and_reaches_what_it_is_for() {
    for scope in ["return", "rejoin", "floor", "collect", "nobody"] {
        let seen = exhaust(&ShardsModel::at(named(scope)));
        assert!(seen.len() >= 100, "{scope}: {} states", seen.len());
    }
}

/// The cross-check of the reduction to [`Driver::Any`]: whatever the real drivers reach, over messages, with crashes and
/// lagging members, is reached where anybody proposes.
#[test]
fn the_real_drivers_reach_nothing_beyond_what_anybody_may_propose() {
    let two_parts = Driver::Real { ticks: 1, crashes: 1, lag: false };
    let laggards = Driver::Real { ticks: 0, crashes: 1, lag: true };
    for (name, driver) in [("driver", two_parts), ("stale", laggards)] {
        let scope = Scope { driver, must_fire: &["Freeze", "SendChunk", "Install"], ..named(name) };
        let real = exhaust(&ShardsModel::at(scope));
        let any = exhaust(&ShardsModel::at(Scope { driver: Driver::Any, ..scope }));
        assert!(real.is_subset(&any), "{name}: {} states of {}", real.difference(&any).count(), real.len());
        // And not by proposing nothing.
        assert!(real.len() * 4 > any.len(), "{name}: {} states of {}", real.len(), any.len());
    }
}

/// The first state found of which this is true.
fn found(model: &ShardsModel, mut wanted: impl FnMut(&State) -> bool) -> State {
    let mut found = None;
    explore(model, 200_000, |state| {
        if found.is_none() && wanted(state) {
            found = Some(state.clone());
        }
    });
    found.expect("there is such a state")
}

fn serves(group: &Group) -> bool {
    group.truth.serving().next().is_some()
}

fn verdict(model: &ShardsModel, state: &State) -> &'static str {
    let mut judged = state.clone();
    model.judge_all(&mut judged);
    judged.violation.map_or("nothing", |violation| violation.property)
}

#[test]
fn each_wrong_state_is_named() {
    let model = ShardsModel::new("return").expect("the scope exists");
    let (client, seq) = (ClientId::new(1), Seq::new(1));
    let state = found(&model, |state| state.ghost.answers.contains_key(&(client, seq)));
    let place = state.living().find(|(_, group)| serves(group)).map(|(place, _)| place).expect("somebody serves it");
    assert_eq!(verdict(&model, &state), "nothing");

    let mut lost = state.clone();
    Arc::make_mut(&mut lost.ghost).store.append(b"k0", b"z");
    assert_eq!(verdict(&model, &lost), "Linearizability", "an acknowledged write is not there");

    let mut gone = state.clone();
    gone.groups[place] = None;
    assert_eq!(verdict(&model, &gone), "NoShardLost");

    let mut two = found(&model, |state| state.living().any(|(at, group)| at != place && serves(group)));
    two.groups[place] = state.groups[place].clone();
    assert_eq!(verdict(&model, &two), "OneOwner", "the old owner serves on");

    let mut again = state.clone();
    Arc::make_mut(&mut again.ghost).answers.clear();
    let group = model.script.groups[place];
    let next =
        model.take(&again, &super::actions::Step::Write { group, client, seq }).expect("a wrong answer is a step");
    assert_eq!(next.violation.map(|violation| violation.property), Some("Linearizability"));
}

#[test]
fn a_migration_that_cannot_go_on_is_no_progress() {
    let model = ShardsModel::new("return").expect("the scope exists");
    let waits = |group: &Group| !group.truth.settled();
    let mut stuck = found(&model, |state| state.living().any(|(_, group)| waits(group)));
    assert_eq!(verdict(&model, &stuck), "nothing");
    // Only the group that waits is left, and nobody has its part.
    stuck.groups.iter_mut().for_each(|group| _ = group.take_if(|group| !waits(group)));
    stuck.offers = Arc::default();
    assert_eq!(model.judge_progress(&stuck).map_err(|violation| violation.property), Err("Progress"));
}

#[test]
fn every_step_can_be_read() {
    let model = ShardsModel::new("collect").expect("the scope exists");
    let mut state = model.begin();
    let mut told = Vec::new();
    // The first step that changes something, again and again.
    loop {
        let mut steps = Vec::new();
        model.offered(&state, &mut steps);
        let Some((step, next)) = steps.into_iter().find_map(|step| model.take(&state, &step).map(|next| (step, next)))
        else {
            break;
        };
        let sentence = Scenario::sentence(&model, &state, &step);
        let text = serde_json::to_string(&step).expect("a step can be written to a trace file");
        assert_eq!(serde_json::from_str::<super::actions::Step>(&text).expect("and read back"), step);
        assert!(
            !model.changes(&state, &next).is_empty() || matches!(step, super::actions::Step::Call { .. }),
            "{sentence}"
        );
        for stroke in model.strokes(&state, &step, &next) {
            if let crate::scenario::Stroke::Send { from, to, .. } = stroke {
                assert!(from.max(to) < model.lanes().len());
            }
        }
        told.push(sentence);
        state = next;
    }
    assert!(told.iter().any(|sentence| sentence.contains("freezes") || sentence.contains("adoption")), "{told:#?}");
    assert!(told.iter().any(|sentence| sentence.contains("answered as executed at")), "{told:#?}");
}

#[test]
fn every_property_is_shown_by_its_name() {
    let model = ShardsModel::new("default").expect("the scope exists");
    let shown: Vec<&str> = model.properties().iter().map(|property| property.name).collect();
    assert_eq!(shown, model.properties_judged());
}
