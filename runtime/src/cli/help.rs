//! What the pages say beyond the flags: sections, examples, and what is not obvious.
//!
//! Every line under `Examples:` that begins with `quorate` is parsed by a test: what is printed works.

use clap::Command;

/// The commands in the order in which people need them.
pub(super) const SECTIONS: [(&str, &[&str]); 6] = [
    ("Try it", &["demo", "up"]),
    ("Keys and values", &["put", "get", "append", "load"]),
    ("Look", &["status", "query", "bench"]),
    ("Change the cluster", &["join", "leave", "move", "transfer"]),
    ("Run a node", &["node"]),
    ("Pages", &["help", "completions", "pages"]),
];

/// The page of `quorate` itself: its commands in sections.
pub(super) fn template(command: &Command) -> String {
    let mut page = "{about-with-newline}\n{usage-heading} {usage}\n".to_owned();
    for (heading, names) in SECTIONS {
        page.push_str(&format!("\n{heading}:\n"));
        for name in names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            let about = about.map_or("Show this page, or the page of a command".to_owned(), ToString::to_string);
            page.push_str(&format!("  {name:<12} {about}\n"));
        }
    }
    page.push_str("\nOptions:\n{options}{after-help}");
    page
}

pub(super) const QUORATE: &str = "\
Examples:
  quorate demo                      # watch a cluster survive moves and kills, and judge its history
  quorate up                        # a local cluster to play with, until Ctrl-C
  quorate put greeting hello        # in another terminal
  quorate get greeting
  quorate help status               # the page of a command

Clients look for the cluster where --seeds says, else where the environment variable QUORATE_SEEDS says, else at \
127.0.0.1:7001.
With --json, standard output holds one JSON value and nothing else.
Exit codes: 0 done, 1 refused or failed, 2 bad usage.";

pub(super) const DEMO: &str = "\
Examples:
  quorate demo
  quorate demo --json --keep /tmp/quorate-demo   # keeps data, logs and history

Exit code 0 only if everything that the report lists holds.";

pub(super) const UP: &str = "\
Examples:
  quorate up
  quorate up --dir ./cluster                     # keeps its data; the same command goes on from it
  quorate up --groups 1 --nodes-per-group 1 --controllers 1 --base-port 9001";

pub(super) const NODE: &str = "\
Examples:
  quorate node --id 1 --data data --listen a:7001 --controllers 1=a:7001,2=b:7001,3=c:7001
  quorate node --id 4 --data data --listen 0.0.0.0:7001 --advertise d:7001 --config node.toml
  quorate node --config /etc/quorate/node.toml

The file holds the same names (id = 1, data = \"DIR\", ..), a table [controllers] (1 = \"a:7001\") and a table [limits].
SIGTERM hands leaderships over and exits with 0.";

pub(super) const PUT: &str = "\
Examples:
  quorate put greeting hello
  quorate put photo - < photo.jpg                # the value from standard input, byte for byte
  quorate put --hex 00ff 0a                      # key and value as hexadecimal digits
  quorate put '{user7}:name' Ada                 # keys that share a {tag} share a shard";

pub(super) const GET: &str = "\
Examples:
  quorate get greeting
  quorate get photo --raw > photo.jpg            # byte for byte, without a line end
  quorate get greeting --json

A missing key is an answer: nothing on standard output, a remark on standard error, exit code 0.";

pub(super) const APPEND: &str = "\
Examples:
  quorate append log 'one more line'
  quorate append log - < more.txt";

pub(super) const LOAD: &str = "\
Examples:
  quorate load words.tsv
  quorate load words.tsv --verify                # writes nothing: compares every record
  quorate load dump.jsonl --concurrency 128
  gunzip -c words.tsv.gz | quorate load -

JSON lines hold \"key\" and \"value\" (text), or \"key_b64\" and \"value_b64\" (base64).";

pub(super) const JOIN: &str = "\
Examples:
  quorate join 3=10,11,12                        # group 3 on the nodes 10, 11 and 12
  quorate join 3=10,11,12 4=13,14,15             # two groups in one step: shards move once

The nodes must run and be registered: `quorate status` lists them as spare.";

pub(super) const LEAVE: &str = "\
Examples:
  quorate leave 2
  quorate leave 2 3

Stop its nodes only when `quorate status` says that they may be stopped.";

pub(super) const MOVE: &str = "\
Examples:
  quorate move 17 2                              # shard 17 to group 2

It stays there until the next join or leave spreads the shards anew.";

pub(super) const QUERY: &str = "\
Examples:
  quorate query
  quorate query 4                                # configuration 4
  quorate query --json";

pub(super) const TRANSFER: &str = "\
Examples:
  quorate transfer 1 5                           # node 5 is to lead group 1
  quorate transfer 0 2                           # group 0 is the controller";

pub(super) const STATUS: &str = "\
Examples:
  quorate status
  quorate status --seeds 10.0.0.1:7001,10.0.0.2:7001
  quorate status --json | jq -r '.problems[]'

It needs no leader: what does not answer is shown with the reason. Exit code 1 only if no node answers.
LEADER none: the group decides nothing. CONFIG: the configuration that it has adopted.
STATE: ok, or what is missing, or what is moving. A group that has left is shown until its last shard is taken over.
BEHIND: log entries that a node lacks, as its leader knows (? while nobody leads).
LOG: entries since about the last snapshot. SNAPSHOT: up to which entry, and the size of its file.
MEMORY, DISK FREE and the size of the file are measured every 2 seconds.
MAY BE STOPPED: whether a node may be stopped for good, or why not yet. A spare node has no group.";

pub(super) const BENCH: &str = "\
Examples:
  quorate bench --clients 64 --seconds 10 --mix mixed --value-bytes 256
  quorate bench --mix put --json

It writes to keys that begin with `bench:`.";

pub(super) const COMPLETIONS: &str = "\
Examples:
  quorate completions bash > ~/.local/share/bash-completion/completions/quorate
  quorate completions zsh > ~/.zfunc/_quorate    # a directory of fpath
  quorate completions fish > ~/.config/fish/completions/quorate.fish";

pub(super) const PAGES: &str = "\
Examples:
  quorate pages /tmp/quorate-pages
  quorate pages /tmp/quorate-pages && man -l /tmp/quorate-pages/man/quorate.1";
