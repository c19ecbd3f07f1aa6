//! Simulation, scenarios and real processes.
