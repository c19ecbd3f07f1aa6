#!/usr/bin/env python3
"""Where the time of a request goes: three nodes with one group, `quorate bench`, and what each thread used meanwhile.

    runtime/profile.py [BINARY ...] [--mix put] [--clients 256] [--seconds 4] [--rounds 1]

With several binaries their rounds alternate, so that a change is compared with what was before it on the same machine at
the same time. Needs Linux (/proc). Per operation: CPU time, time spent waiting for a CPU, switches that the thread asked
for and that it did not, bytes. CPU time per operation is the steady figure; throughput on a busy machine is not.

With --instructions the leader, a follower and the load generator run under valgrind (apt-get install valgrind), and what
each executes per operation outside the kernel is printed: slow, and nearly the same each time, however busy the machine.
"""
import argparse, glob, json, os, re, shutil, socket, subprocess, sys, tempfile, time


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


def counted(directory, name):
    """What a command begins with so that its instructions are counted, in `directory`."""
    return ["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=no",
            f"--callgrind-out-file={directory}/{name}.out"]


def count(directory, node):
    """Instructions of a counted node since it was asked last."""
    subprocess.run(["callgrind_control", "--dump", str(node.pid)], check=True, capture_output=True)
    newest = max(glob.glob(f"{directory}/*.{node.pid}.out.*"), key=lambda path: int(path.rsplit(".", 1)[1]))
    return total(newest)


def total(path):
    return int(re.search(r"^(?:summary|totals): (\d+)", open(path).read(), re.MULTILINE)[1])


class Cluster:
    """Three nodes with one group, of which those in `slow` run under valgrind."""

    def __init__(self, binary, directory, slow=()):
        self.at, self.binary = ports(3), binary
        # A slow leader must not be taken for a dead one.
        election = 5000 if slow else 300
        members = ",".join(f"{number}=127.0.0.1:{port}" for number, port in enumerate(self.at, 1))
        self.nodes = [
            subprocess.Popen([*(counted(directory, "node.%p") if number in slow else []), binary, "node", "--id",
                              str(number), "--data", f"{directory}/{number}", "--listen", f"127.0.0.1:{port}",
                              "--controllers", members, "--election-ms", str(election)],
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for number, port in enumerate(self.at, 1)]

    def __enter__(self):
        self.until_done("join", "1=1,2,3")
        return self

    def __exit__(self, *_):
        for node in self.nodes:
            node.kill()
            node.wait()

    def until_done(self, *words):
        deadline = time.time() + 60
        while (answer := self.ask(*words)).returncode != 0:
            if time.time() > deadline:
                sys.exit(f"{' '.join(words)} does not succeed: {answer.stderr.decode()}")
            time.sleep(0.2)

    def ask(self, *words, under=()):
        return subprocess.run([*under, self.binary, *words, "--seeds", f"127.0.0.1:{self.at[0]}"], capture_output=True)

    def leader(self):
        """Who leads the data group."""
        groups = json.loads(self.ask("status", "--json").stdout)["groups"]
        return next(group["leader"] for group in groups if group["group"] == 1)

    def bench(self, arguments, seconds, under=()):
        answer = self.ask("bench", "--clients", str(arguments.clients), "--mix", arguments.mix, "--json", "--seconds",
                          str(seconds), under=under)
        if answer.returncode != 0:
            sys.exit(answer.stderr.decode())
        return json.loads(answer.stdout)


def run(binary, arguments, directory):
    with Cluster(binary, directory) as cluster:
        cluster.bench(arguments, 1)
        before, mine = snapshot(cluster.nodes), os.times()
        answer = cluster.bench(arguments, arguments.seconds)
        after, since = snapshot(cluster.nodes), os.times()
    report(binary, answer, before, after, since[2] - mine[2], since[3] - mine[3])


def instructions(binary, arguments, directory):
    for role, leader in (("leader", 1), ("follower", 2)):
        with Cluster(binary, directory, slow=[1]) as cluster:
            while cluster.leader() != leader:
                cluster.until_done("transfer", "1", str(leader))
                time.sleep(1)
            cluster.bench(arguments, 1)
            count(directory, cluster.nodes[0])
            operations = cluster.bench(arguments, arguments.seconds)["operations"]
            each = count(directory, cluster.nodes[0]) / operations
            lost = "" if cluster.leader() == leader else "; void, the leadership changed: ask for fewer --clients"
            print(f"{binary}: {each:.0f} instructions per operation, {role}{lost}", flush=True)
        for number in (1, 2, 3):
            shutil.rmtree(f"{directory}/{number}")
    with Cluster(binary, directory) as cluster:
        counts = []
        for seconds in (2, 2 + arguments.seconds):
            operations = cluster.bench(arguments, seconds, counted(directory, "bench"))["operations"]
            counts.append((total(f"{directory}/bench.out"), operations))
        # The difference: starting and connecting cost the same in both.
        each = (counts[1][0] - counts[0][0]) / (counts[1][1] - counts[0][1])
        print(f"{binary}: {each:.0f} instructions per operation, load generator", flush=True)


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
    parser.add_argument("--instructions", action="store_true")
    arguments = parser.parse_args()
    for _ in range(arguments.rounds):
        for binary in arguments.binaries:
            with tempfile.TemporaryDirectory() as directory:
                (instructions if arguments.instructions else run)(binary, arguments, directory)


main()
