#!/usr/bin/env python3
"""Where the time of a request goes: three nodes with one group, `quorate bench`, and what each thread used meanwhile.

    runtime/profile.py [BINARY ...] [--mix put] [--clients 256] [--seconds 4] [--rounds 1]

With several binaries their rounds alternate, so that a change is compared with what was before it on the same machine at
the same time. Needs Linux (/proc). Per operation: CPU time, time spent waiting for a CPU, switches that the thread asked
for and that it did not, bytes. CPU time per operation is the steady figure; throughput on a busy machine is not.
"""
import argparse, glob, json, os, socket, subprocess, sys, tempfile, time


def ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    found = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return found


def snapshot(nodes):
    """CPU seconds, waiting seconds, switches of every thread; bytes and write calls of every node."""
    seen = {}
    for number, node in enumerate(nodes, 1):
        for task in glob.glob(f"/proc/{node.pid}/task/*"):
            stat = open(f"{task}/stat").read()
            name, fields = stat[stat.index("(") + 1:stat.rindex(")")], stat[stat.rindex(")") + 2:].split()
            ticks = os.sysconf("SC_CLK_TCK")
            on_cpu, waited = open(f"{task}/schedstat").read().split()[:2]
            status = dict(line.split(":", 1) for line in open(f"{task}/status"))
            switches = int(status["voluntary_ctxt_switches"]), int(status["nonvoluntary_ctxt_switches"])
            seen[number, name, os.path.basename(task)] = (
                int(on_cpu) / 1e9, int(waited) / 1e9, int(fields[11]) / ticks, int(fields[12]) / ticks, *switches)
        counts = dict(line.split(": ") for line in open(f"/proc/{node.pid}/io"))
        seen[number, "", ""] = (int(counts["wchar"]), int(counts["syscw"]), 0, 0, 0, 0)
    return seen


def run(binary, arguments, directory):
    at = ports(3)
    members = ",".join(f"{number}=127.0.0.1:{port}" for number, port in enumerate(at, 1))
    nodes = [
        subprocess.Popen([binary, "node", "--id", str(number), "--data", f"{directory}/{number}", "--listen",
                          f"127.0.0.1:{port}", "--controllers", members],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for number, port in enumerate(at, 1)]
    try:
        ask = lambda *words: subprocess.run([binary, *words, "--seeds", f"127.0.0.1:{at[0]}"], capture_output=True)
        deadline = time.time() + 60
        while ask("join", "1=1,2,3").returncode != 0:
            if time.time() > deadline:
                sys.exit("the nodes do not form a cluster: try one by hand")
            time.sleep(0.2)
        load = ["bench", "--clients", str(arguments.clients), "--mix", arguments.mix, "--json", "--seconds"]
        ask(*load, "1")
        before, mine = snapshot(nodes), os.times()
        answer = ask(*load, str(arguments.seconds))
        after, since = snapshot(nodes), os.times()
    finally:
        for node in nodes:
            node.kill()
            node.wait()
    if answer.returncode != 0:
        sys.exit(answer.stderr.decode())
    report(binary, json.loads(answer.stdout), before, after, since[2] - mine[2], since[3] - mine[3])


def report(binary, bench, before, after, user, system):
    count = bench["operations"]
    per = lambda seconds: f"{seconds / count * 1e6:7.1f}"
    print(f"{binary}: {bench['mix']}, {bench['clients']} clients, {bench['throughput']:.0f}/s, "
          f"p50 {bench['p50_us']} us, p99 {bench['p99_us']} us")
    print("  node thread           CPU us  (user  system)  waited us   switches  forced")
    servers = 0
    for key in sorted(after):
        used = [new - old for new, old in zip(after[key], before.get(key, (0,) * 6))]
        if key[1] == "":
            print(f"  {key[0]}    writes {used[1] / count:.3f} of {used[0] / count:.0f} bytes to files")
        elif used[0] / count > 2e-7:
            servers += used[0]
            print(f"  {key[0]}    {key[1]:15} {per(used[0])} {per(used[2])} {per(used[3])}  {per(used[1])}    "
                  f"{used[4] / count:7.2f} {used[5] / count:7.2f}")
    print(f"  all nodes            {per(servers)}    clients {per(user + system)} ({per(user)} {per(system)})\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binaries", nargs="*", default=["target/release/quorate"])
    parser.add_argument("--mix", default="put")
    parser.add_argument("--clients", type=int, default=256)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    for _ in range(arguments.rounds):
        for binary in arguments.binaries:
            with tempfile.TemporaryDirectory() as directory:
                run(binary, arguments, directory)


main()
