# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_quorate_global_optspecs
    string join \n json h/help V/version
end

function __fish_quorate_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_quorate_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_quorate_using_subcommand
    set -l cmd (__fish_quorate_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c quorate -n "__fish_quorate_needs_command" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_needs_command" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_needs_command" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "demo" -d 'Run a cluster under faults and judge the recorded history'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "up" -d 'Run a local development cluster until Ctrl-C'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "put" -d 'Replace the value of a key'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "get" -d 'Read the value of a key'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "append" -d 'Add to the end of the value of a key'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "load" -d 'Write every line of a file: key<TAB>value, or JSON lines'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "status" -d 'Show groups and nodes: who leads, how far, what moves, what may be stopped'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "query" -d 'Show a configuration: groups, their nodes and their shards'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "bench" -d 'Measure throughput and latency with closed-loop clients'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "join" -d 'Add replica groups; shards move to them'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "leave" -d 'Take replica groups out; their shards move to the others'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "move" -d 'Give one shard to one group'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "transfer" -d 'Hand the leadership of a group to one of its nodes'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "node" -d 'Run one node'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "completions" -d 'Print the completions for a shell'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "pages" -d 'Write the manual pages and completions into a directory'
complete -c quorate -n "__fish_quorate_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c quorate -n "__fish_quorate_using_subcommand demo" -l seconds -d 'How long the clients work at least; the fault plan is spread over it' -r
complete -c quorate -n "__fish_quorate_using_subcommand demo" -l clients -d 'Clients that work at the same time, each in a session of its own' -r
complete -c quorate -n "__fish_quorate_using_subcommand demo" -l keep -d 'Keep data, logs, history and records of what the nodes were given in this new or empty directory' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand demo" -l sabotage -d 'Let the clients lie, to see the demo fail' -r -f -a "wrong-value\t'Reports a value that lacks the last write that it held'
repeat-append\t'Sends an append a second time as a new request'
lost-write\t'Claims an acknowledged append that was never sent'"
complete -c quorate -n "__fish_quorate_using_subcommand demo" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand demo" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand demo" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand up" -l groups -d 'Data groups' -r
complete -c quorate -n "__fish_quorate_using_subcommand up" -l nodes-per-group -d 'Nodes of each data group; one more than half of them must live' -r
complete -c quorate -n "__fish_quorate_using_subcommand up" -l controllers -d 'Nodes of the controller' -r
complete -c quorate -n "__fish_quorate_using_subcommand up" -l shards -d 'Shards of the cluster: fixed once it has begun' -r
complete -c quorate -n "__fish_quorate_using_subcommand up" -l base-port -d 'Node I listens on this port + I - 1 of 127.0.0.1' -r
complete -c quorate -n "__fish_quorate_using_subcommand up" -l dir -d 'Keep the data here and go on from it next time. Without it, the data is removed at the end' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand up" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand up" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand up" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand put" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand put" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand put" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand put" -l hex -d 'Key and value are hexadecimal digits'
complete -c quorate -n "__fish_quorate_using_subcommand put" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand put" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand put" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand get" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand get" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand get" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand get" -l hex -d 'The key is hexadecimal digits, and the value is shown as such'
complete -c quorate -n "__fish_quorate_using_subcommand get" -l raw -d 'Print the value byte for byte, without a line end'
complete -c quorate -n "__fish_quorate_using_subcommand get" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand get" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand get" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand append" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand append" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand append" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand append" -l hex -d 'Key and value are hexadecimal digits'
complete -c quorate -n "__fish_quorate_using_subcommand append" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand append" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand append" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand load" -l concurrency -d 'Sessions that write at the same time' -r
complete -c quorate -n "__fish_quorate_using_subcommand load" -l format -d 'How the lines are to be read' -r -f -a "auto\t'By the file\'s name (.json, .jsonl, .ndjson), else by its first line'
tsv\t'key<TAB>value: everything after the first tab is the value'
jsonl\t'One JSON object per line'"
complete -c quorate -n "__fish_quorate_using_subcommand load" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand load" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand load" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand load" -l verify -d 'Write nothing: read every record back and compare it byte for byte'
complete -c quorate -n "__fish_quorate_using_subcommand load" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand load" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c quorate -n "__fish_quorate_using_subcommand load" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand status" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand status" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand status" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand status" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand status" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand status" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand query" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand query" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand query" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand query" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand query" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand query" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l clients -d 'Clients that each wait for one answer before they ask again' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l seconds -d 'How long to measure' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l mix -d 'What they do' -r -f -a "put\t'Only writes'
get\t'Only reads'
mixed\t'Half and half'"
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l value-bytes -d 'Size of the values' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l keys -d 'Distinct keys' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand bench" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand bench" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c quorate -n "__fish_quorate_using_subcommand bench" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand join" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand join" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand join" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand join" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand join" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand join" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand leave" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand leave" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand leave" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand leave" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand leave" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand leave" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand move" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand move" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand move" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand move" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand move" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand move" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -l seeds -d 'Addresses of some nodes [env: QUORATE_SEEDS] [default: 127.0.0.1:7001, what `quorate up` uses]' -r
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -l cluster -d 'The cluster\'s name: refuse to talk to another one' -r
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -l deadline -d 'How long a request may take, with all its retries' -r
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand transfer" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand node" -l data -d 'Data directory; made if it is not there' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand node" -l listen -d 'Where to listen, for nodes and clients alike' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l advertise -d 'Where others reach this node [default: where it listens]' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l id -d 'This node\'s id, at least 1, never given to another data directory' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l controllers -d 'The nodes that hold the controller, the same on every node for ever' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l cluster -d 'The cluster\'s name; nodes and clients of another are refused [default: quorate]' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l shards -d 'How many shards the cluster has, the same on every node for ever [default: 64]' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l election-ms -d 'Election time-out in milliseconds [default: 300]' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l log -d 'How log lines look, on standard error [default: text]' -r -f -a "text\t'For people'
json\t'For programs: one JSON object a line'"
complete -c quorate -n "__fish_quorate_using_subcommand node" -l log-level -d 'Which log lines are written [default: info]' -r -f -a "off\t'Nothing'
error\t'What ends the node'
warn\t'What an operator should look at'
info\t'Elections, configurations, replicas coming and going'
debug\t'Every rare protocol step'
trace\t'Every protocol step'"
complete -c quorate -n "__fish_quorate_using_subcommand node" -l record -d 'Write what happens to this node into files here, for `quorate-sim replay` [default: nowhere]' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand node" -l record-bytes -d 'How long the record of one run may be [default: 64 MiB]' -r
complete -c quorate -n "__fish_quorate_using_subcommand node" -l trace -d 'Write every step of the protocol into DIR/node-ID.trace, for the specification to judge: short runs only' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand node" -l config -d 'A TOML file with these settings, and a table `limits`' -r -F
complete -c quorate -n "__fish_quorate_using_subcommand node" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand node" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c quorate -n "__fish_quorate_using_subcommand node" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand completions" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand completions" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand completions" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand pages" -l json -d 'Print one JSON value on standard output and nothing else there'
complete -c quorate -n "__fish_quorate_using_subcommand pages" -s h -l help -d 'Print help'
complete -c quorate -n "__fish_quorate_using_subcommand pages" -s V -l version -d 'Print version'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "demo" -d 'Run a cluster under faults and judge the recorded history'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "up" -d 'Run a local development cluster until Ctrl-C'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "put" -d 'Replace the value of a key'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "get" -d 'Read the value of a key'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "append" -d 'Add to the end of the value of a key'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "load" -d 'Write every line of a file: key<TAB>value, or JSON lines'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "status" -d 'Show groups and nodes: who leads, how far, what moves, what may be stopped'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "query" -d 'Show a configuration: groups, their nodes and their shards'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "bench" -d 'Measure throughput and latency with closed-loop clients'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "join" -d 'Add replica groups; shards move to them'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "leave" -d 'Take replica groups out; their shards move to the others'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "move" -d 'Give one shard to one group'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "transfer" -d 'Hand the leadership of a group to one of its nodes'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "node" -d 'Run one node'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "completions" -d 'Print the completions for a shell'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "pages" -d 'Write the manual pages and completions into a directory'
complete -c quorate -n "__fish_quorate_using_subcommand help; and not __fish_seen_subcommand_from demo up put get append load status query bench join leave move transfer node completions pages help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
