//! Models of the real core for stateright, inductive proofs and mutants.
