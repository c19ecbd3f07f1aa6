//! A comparison as a table for people and as JSON.

use crate::Arguments;
use crate::compare::Compared;
use crate::figures::Figures;
use crate::load::Cell;
use crate::store::{Peer, Store};
use crate::usage::Disk;
use serde_json::{Value, json};
use std::fmt::Write;

/// From which part of the processors on, used by others, the figures are not to be trusted.
const BUSY: f64 = 0.2;

/// One line: what was measured of one store and cell.
#[derive(Clone, Copy)]
struct Row {
    figures: Figures,
    /// Sync calls per operation.
    syncs: f64,
}

/// Both lines of a cell, ours first.
fn rows(compared: &Compared, cell: Cell) -> Option<[(Store, Row); 2]> {
    let [ours, theirs] = compared.stores.map(|store| {
        let measured = compared.measured.get(&(store, cell))?;
        Some((store, Row { figures: Figures::median(&measured.rounds), syncs: measured.syncs.each() }))
    });
    Some([ours?, theirs?])
}

/// A column of the table: what it is called, its figure and how many decimals it shows.
type Column = (&'static str, fn(&Row) -> f64, usize);

const COLUMNS: [Column; 9] = [
    ("PER SECOND", |row| row.figures.throughput, 0),
    ("P50 us", |row| row.figures.p50, 0),
    ("P99 us", |row| row.figures.p99, 0),
    ("P99.9 us", |row| row.figures.p999, 0),
    ("SYNCS/OP", |row| row.syncs, 3),
    ("BYTES/OP", |row| row.figures.bytes, 0),
    ("CPU us/OP", |row| row.figures.cpu, 1),
    ("CLIENT us/OP", |row| row.figures.client_cpu, 1),
    ("MEMORY MiB", |row| row.figures.memory / f64::from(1 << 20), 0),
];

/// Ours / theirs, where that means something.
fn ratio(ours: f64, theirs: f64) -> Option<f64> {
    let ratio = ours / theirs;
    ratio.is_finite().then_some(ratio)
}

/// The table and its foot.
pub(crate) fn table(arguments: &Arguments, compared: &Compared) -> String {
    let mut table = format!("{:<4} {:>7}  {:<8}", "MIX", "CLIENTS", "STORE");
    for (name, ..) in COLUMNS {
        table += &format!("{name:>width$}", width = name.len().max(8) + 2);
    }
    for cell in &compared.cells {
        let Some([ours, theirs]) = rows(compared, *cell) else { continue };
        let mut line = |store: String, figure: &dyn Fn(&Column) -> String| {
            table += &format!("\n{:<4} {:>7}  {store:<8}", cell.mix.to_string(), cell.clients);
            for column in &COLUMNS {
                table += &format!("{:>width$}", figure(column), width = column.0.len().max(8) + 2);
            }
        };
        for (store, row) in [&ours, &theirs] {
            line(store.to_string(), &|(_, figure, decimals)| format!("{:.decimals$}", figure(row)));
        }
        line("ratio".to_owned(), &|(_, figure, _)| {
            ratio(figure(&ours.1), figure(&theirs.1)).map_or("-".to_owned(), |ratio| format!("{ratio:.2}"))
        });
    }
    table.push_str("\n\n");
    foot(&mut table, arguments, compared);
    table
}

fn foot(table: &mut String, arguments: &Arguments, compared: &Compared) {
    let [ours, theirs] = &compared.versions;
    let file_system = &compared.file_system;
    let directory = compared.directory.display();
    let bytes = match &compared.disk {
        Disk::Device(_) => "BYTES are those that reached the disk, of whatever wrote there",
        Disk::Processes => "BYTES are those of the pages that the servers made dirty",
    };
    let Arguments { rounds, seconds, keys, value_bytes, .. } = arguments;
    let peer = match arguments.against {
        Peer::Etcd => "etcd: three members, all clients at its leader, reads not serializable.",
        Peer::Redis => {
            "Redis is one server without consensus: what it acknowledges is on one disk and goes with it; what Quorate \
             acknowledges is on two of three."
        }
    };
    // Writing to a string does not fail.
    let _ = writeln!(
        table,
        "{ours}; {theirs}.\n\
         Ratio: ours / theirs, of medians (rounds: {rounds}, of {seconds} s each, in turn, one cluster running at a time).\n\
         {keys} keys, values of {value_bytes} bytes, every client on a connection of its own with one request in flight; \
         data on {file_system} in {directory}.\n\
         SYNCS is from a pass of its own under strace, all else from the measured rounds. SYNCS, CPU and MEMORY are of \
         all servers together, CLIENT is the processor time of the clients.\n{bytes}.\n{peer}\n{}",
        quiet(compared)
    );
}

/// Whether anything else ran: the figures of a busy machine say little.
fn quiet(compared: &Compared) -> String {
    let rounds = compared.measured.values().flat_map(|measured| &measured.rounds);
    let others = rounds.map(|round| round.others).fold(0.0, f64::max) * 100.0;
    let verdict = if others > BUSY * 100.0 { ": not a quiet machine, measure again" } else { "" };
    format!("Others used up to {others:.0} % of the processors in a round{verdict}.")
}

/// Everything, as one value.
pub(crate) fn json(arguments: &Arguments, compared: &Compared) -> Value {
    let (mut lines, mut ratios) = (Vec::new(), Vec::new());
    for cell in &compared.cells {
        let Some([ours, theirs]) = rows(compared, *cell) else { continue };
        for (store, row) in [ours, theirs] {
            lines.push(row_json(compared, *cell, store, row));
        }
        let each = |figure: fn(&Row) -> f64| ratio(figure(&ours.1), figure(&theirs.1));
        ratios.push(json!({
            "mix": cell.mix.to_string(),
            "clients": cell.clients,
            "throughput": each(|row| row.figures.throughput),
            "p50": each(|row| row.figures.p50),
            "p99": each(|row| row.figures.p99),
            "p999": each(|row| row.figures.p999),
            "syncs": each(|row| row.syncs),
            "bytes": each(|row| row.figures.bytes),
            "cpu": each(|row| row.figures.cpu),
            "memory": each(|row| row.figures.memory),
        }));
    }
    json!({
        "against": compared.stores[1].to_string(),
        "versions": compared.versions,
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "keys": arguments.keys,
        "value_bytes": arguments.value_bytes,
        "file_system": compared.file_system,
        "bytes_counted": match compared.disk { Disk::Device(_) => "device", Disk::Processes => "processes" },
        "rows": lines,
        "ratios": ratios,
    })
}

fn row_json(compared: &Compared, cell: Cell, store: Store, row: Row) -> Value {
    let Row { figures, syncs } = row;
    let measured = compared.measured.get(&(store, cell));
    let rounds: Vec<f64> = measured.iter().flat_map(|all| &all.rounds).map(|round| round.throughput).collect();
    json!({
        "target": store.to_string(),
        "mix": cell.mix.to_string(),
        "clients": cell.clients,
        "throughput": figures.throughput,
        "throughput_of_rounds": rounds,
        "p50_us": figures.p50,
        "p99_us": figures.p99,
        "p999_us": figures.p999,
        "syncs_per_op": syncs,
        "syncs_counted": measured.map(|all| all.syncs.calls),
        "operations_while_counting": measured.map(|all| all.syncs.operations),
        "bytes_per_op": figures.bytes,
        "cpu_us_per_op": figures.cpu,
        "client_cpu_us_per_op": figures.client_cpu,
        "memory_bytes": figures.memory,
        "others_cpu": figures.others,
    })
}
