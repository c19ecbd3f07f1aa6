//! The shell's scopes pass; with deliberate bugs compiled in, every one of them is caught.

/// `quorate-sim mutants` is the longer form of this, with figures.
#[cfg(feature = "mutants")]
#[test]
fn every_mutant_of_the_shell_is_killed() {
    use quorate::mutants::Mutant;
    use quorate_tests::shell::mutants::{CATALOGUE, TABLE, hunt};
    let rows: Vec<Mutant> = TABLE.iter().map(|row| row.mutant).collect();
    assert_eq!(rows, Mutant::ALL, "every mutant has a row, in order");
    let names: Vec<&str> = TABLE.iter().flat_map(|row| row.names()).collect();
    let missing: Vec<_> = CATALOGUE.iter().filter(|row| !names.contains(row)).collect();
    assert!(missing.is_empty(), "no mutant is {missing:?} of the catalogue");
    let alive: Vec<_> = TABLE.iter().map(hunt).filter(|verdict| verdict.killed_by.is_none()).collect();
    assert!(alive.is_empty(), "{alive:#?}");
}

#[cfg(not(feature = "mutants"))]
#[test]
fn every_scope_passes() {
    for scope in quorate_tests::shell::SCOPES {
        let steps = scope.pass().unwrap_or_else(|broken| panic!("{}: {broken:?}", scope.name));
        assert!(steps > 0, "{} did something", scope.name);
    }
}
