#!/usr/bin/env python3
"""A Fly in miniature: network namespaces as Machines with fdaa: addresses, a DNS server for .internal, HAProxy as the
proxy that polls the gate's health path and routes by it. Two Machines of a real app (Express) behind gates.

usage: miniature.py HOLDSHORT     as root; about a minute; the last line is "N passed, M failed"
"""
import datetime, http.client, ipaddress, json, os, shutil, signal, socket, struct, subprocess, sys, tempfile, threading, time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdshort-e2e"
PINS = {"express": "4.21.2"}
CHECK_INTERVAL = "5s"    # of the proxy, as in fly/deploy/gate
INTERVAL = 2.0           # of the probes
RUN = 1.0                # how long one takes: 50 requests, at 50 a second
EDGE4, DNS6 = "172.19.0.1", "fdaa::3"
PREFIX = f"hsm{os.getpid()}"
RESULTS = []


def sh(*command, **options):
    return subprocess.run(command, check=True, **options)


def say(text):
    print(text, flush=True)


def verdict(name, ok, detail=""):
    RESULTS.append(bool(ok))
    say(f"{'ok   ' if ok else 'FAIL '} {name}{': ' + detail if detail else ''}")


# --- the load, run inside a namespace: miniature.py load SECONDS THREADS URL ...

def load(seconds, threads, urls):
    """Asks each URL over and over, also before anybody listens; tells what came, by URL, status, Machine and build."""
    print("ready", flush=True)
    seen, lock, ends = Counter(), threading.Lock(), time.monotonic() + seconds

    def worker(url):
        host, path = url.removeprefix("http://").split("/", 1)
        mine, connection = Counter(), None
        while time.monotonic() < ends:
            try:
                if connection is None:
                    connection = http.client.HTTPConnection(host, timeout=10)
                connection.request("GET", "/" + path)
                answer = connection.getresponse()
                answer.read()
                if answer.will_close:
                    connection.close()
                    connection = None
                mine[(url, answer.status, answer.headers.get("X-Machine", "-"), answer.headers.get("X-Build", "-"))] += 1
            except (OSError, http.client.HTTPException) as error:
                refused = isinstance(error, ConnectionRefusedError)
                mine[(url, "refused" if refused else type(error).__name__, "-", "-")] += 1
                connection = None
                time.sleep(0.001 if refused else 0)
        with lock:
            seen.update(mine)

    workers = [threading.Thread(target=worker, args=(url,)) for url in urls for _ in range(threads)]
    for thread in workers:
        thread.start()
    for thread in workers:
        thread.join()
    print(json.dumps([[*key, count] for key, count in seen.items()]))


# --- .internal, run inside a namespace: miniature.py dns ADDRESS NAME=ADDRESS ...

def dns(address, records):
    answers = dict(record.split("=") for record in records)
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.bind((address, 53))
    while True:
        question, peer = server.recvfrom(512)
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1:at + 1 + question[at]].decode())
            at += 1 + question[at]
        kind = struct.unpack("!H", question[at + 1:at + 3])[0]
        name = ".".join(labels)
        found = [a for a in answers.get(name, "").split(",") if a] if kind == 28 else []
        flags = 0x8180 if name in answers else 0x8183
        reply = question[:2] + struct.pack("!HHHHH", flags, 1, len(found), 0, 0) + question[12:at + 5]
        for a in found:
            reply += b"\xc0\x0c" + struct.pack("!HHIH", 28, 1, 5, 16) + ipaddress.ip_address(a).packed
        server.sendto(reply, peer)


# --- the network

class Network:
    def __init__(self):
        self.spaces = []
        self.add("sw")
        self.inside("sw", "ip", "link", "add", "br0", "type", "bridge")
        self.inside("sw", "ip", "link", "set", "br0", "up")

    def add(self, name, *addresses):
        space = f"{PREFIX}-{name}"
        sh("ip", "netns", "add", space)
        self.spaces.append(space)
        self.inside(name, "ip", "link", "set", "lo", "up")
        if addresses:
            here, there = f"{PREFIX}{name}"[:15], "eth0"
            sh("ip", "link", "add", here, "netns", f"{PREFIX}-sw", "type", "veth", "peer", "name", there, "netns", space)
            self.inside("sw", "ip", "link", "set", here, "master", "br0", "up")
            for address in addresses:
                self.inside(name, "ip", "addr", "add", address, "dev", there, *(["nodad"] if ":" in address else []))
            self.inside(name, "ip", "link", "set", there, "up")

    def command(self, name, *command):
        return ["ip", "netns", "exec", f"{PREFIX}-{name}", *command]

    def inside(self, name, *command):
        return sh(*self.command(name, *command), stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def close(self):
        for space in self.spaces:
            subprocess.run(["ip", "netns", "del", space], stderr=subprocess.DEVNULL)
            shutil.rmtree(f"/etc/netns/{space}", ignore_errors=True)


class Machine:
    """A namespace with 6PN and IPv4, where the agent is the main process."""

    def __init__(self, stage, number):
        self.stage, self.number, self.name = stage, number, f"m{number}"
        self.ip4, self.ip6 = f"172.19.0.{10 + number}", f"fdaa:0:1:a7b:{number}:1:0:2"
        stage.network.add(self.name, f"{self.ip4}/24", f"{self.ip6}/32")
        self.folder = stage.tmp / self.name
        self.folder.mkdir()
        self.broken = self.folder / "broken"
        self.log, self.agent = self.folder / "log", None
        (self.folder / "holdshort.toml").write_text(f"""
[app]
url = "http://127.0.0.1:3000"
host = "orders.example.com"
[agent]
listen = "[::]:9090"
log_format = "json"
[gate]
listen = "[::]:8080"
when_closed = "replay"
[defaults]
interval = "{INTERVAL:.0f}s"
timeout = "1s"
[identities.ops]
bearer = {{ env = "OPS_TOKEN" }}
[probes.alive]
type = "http"
path = "/healthz"
[probes.admin_locked]
type = "authentication"
path = "/admin"
as = "ops"
""")

    def start(self, build, **env):
        self.broken.unlink(missing_ok=True)
        self.agent = subprocess.Popen(
            self.stage.network.command(self.name, self.stage.holdshort, "run", "--config", str(self.folder / "holdshort.toml"),
                                       "--", "node", str(HERE / "app.js")),
            cwd=self.folder, stdout=open(self.log, "ab"), stderr=subprocess.STDOUT,
            env={**os.environ, "NODE_PATH": str(MODULES / "node_modules"), "PORT": "3000", "MACHINE": self.name, "BUILD": build,
                 "OPS_TOKEN": "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5", "BROKEN_FILE": str(self.broken), **env})

    def stop(self):
        if not self.agent:
            return None
        began = time.monotonic()
        self.agent.send_signal(signal.SIGTERM)
        self.agent.wait(8)
        self.agent, took = None, time.monotonic() - began
        return took

    def health(self):
        """What Fly's check would get, asked from the edge."""
        answer = self.stage.network.inside("edge", sys.executable, "-c", (
            "import http.client\n"
            f"c = http.client.HTTPConnection('{self.ip4}', 8080, timeout=2)\n"
            "try:\n c.request('GET', '/.holdshort/readyz'); print(c.getresponse().status)\nexcept OSError: print(0)"))
        return int(answer.stdout)

    def await_health(self, status, limit=10.0):
        ends = time.monotonic() + limit
        while time.monotonic() < ends:
            if self.health() == status:
                return True
            time.sleep(0.05)
        return False

    def closed_after(self, moment):
        """Seconds from `moment` (wall clock) to the line that says the gate closed; None: it did not."""
        for line in self.log.read_text().splitlines():
            if '"event":"gate.closed"' not in line:
                continue
            told = datetime.datetime.fromisoformat(json.loads(line)["time"].replace("Z", "+00:00")).timestamp()
            if told >= moment:
                return told - moment
        return None

    def unguarded(self):
        """Requests of strangers that reached the app while its guard was not there."""
        return [line for line in self.log.read_text().splitlines() if line.startswith('{"unguarded"')]


class Stage:
    def __init__(self, holdshort):
        self.holdshort = str(Path(holdshort).resolve())
        self.tmp = Path(tempfile.mkdtemp(prefix="holdshort-miniature-"))
        self.network, self.processes = Network(), []
        self.network.add("edge", f"{EDGE4}/24", "fdaa:0:1:a7b:fe:1:0:2/32")
        self.network.add("dns", f"{DNS6}/32")
        self.network.add("peer", "172.19.0.50/24", "fdaa:0:1:a7b:50:1:0:2/32")
        self.machines = [Machine(self, 1), Machine(self, 2)]
        resolver = Path(f"/etc/netns/{PREFIX}-peer")
        resolver.mkdir(parents=True)
        (resolver / "resolv.conf").write_text(f"nameserver {DNS6}\n")
        records = [f"orders.internal={','.join(m.ip6 for m in self.machines)}"]
        records += [f"{m.name}.vm.orders.internal={m.ip6}" for m in self.machines]
        self.run("dns", sys.executable, __file__, "dns", DNS6, *records)
        servers = "\n".join(f"  server {m.name} {m.ip4}:8080" for m in self.machines)
        config = (HERE / "haproxy.cfg.in").read_text()
        for name, value in {"EDGE": EDGE4, "INTERVAL": CHECK_INTERVAL, "SERVERS": servers}.items():
            config = config.replace(f"@{name}@", value)
        (self.tmp / "haproxy.cfg").write_text(config)
        self.run("edge", "haproxy", "-db", "-f", str(self.tmp / "haproxy.cfg"))
        time.sleep(0.3)

    def run(self, space, *command):
        self.processes.append(subprocess.Popen(self.network.command(space, *command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def load(self, space, seconds, threads, *urls):
        process = subprocess.Popen(self.network.command(space, sys.executable, __file__, "load", str(seconds), str(threads), *urls),
                                   stdout=subprocess.PIPE)
        process.stdout.readline()  # it asks from now on
        return process

    def close(self):
        for machine in self.machines:
            try:
                machine.stop()
            except subprocess.TimeoutExpired:
                machine.agent.kill()
        for process in self.processes:
            process.terminate()
            process.wait(5)
        self.network.close()
        shutil.rmtree(self.tmp, ignore_errors=True)


def collect(*loads):
    seen = Counter()
    for process in loads:
        out, _ = process.communicate(timeout=120)
        for url, status, machine, build, count in json.loads(out):
            seen[(url, status, machine, build)] += count
    return seen


def total(seen, path="", status=None, machine=None, build=None, but=None):
    return sum(count for (url, s, m, b), count in seen.items()
               if url.endswith(path) and status in (None, s) and machine in (None, m) and build in (None, b) and s != but)


EDGE = f"http://{EDGE4}"


def new_machines(stage):
    say("== two new Machines; their guard comes up 2 s after the app. Load from before the first millisecond")
    one, two = stage.machines
    direct = [f"http://{m.ip4}:8080/admin" for m in stage.machines] + [f"http://[{m.ip6}]:8080/admin" for m in stage.machines]
    loads = [stage.load("edge", 14, 2, f"{EDGE}/admin", f"{EDGE}/work", *direct),
             stage.load("peer", 14, 2, "http://orders.internal:8080/admin", "http://m2.vm.orders.internal:8080/admin")]
    time.sleep(0.5)
    for machine in stage.machines:
        machine.start("v1", GUARD_DELAY_MS="2000")
    both = all(machine.await_health(200) for machine in stage.machines)
    seen = collect(*loads)
    answered = total(seen) - total(seen, status="refused")
    verdict("both became ready", both)
    verdict("thousands of requests were sent, from before the Machines were there", answered > 3000 and total(seen, status="refused") > 0, f"{answered} answered, {total(seen, status='refused')} refused before")
    verdict("nobody got /admin without credentials", total(seen, "/admin", 200) == 0, f"{total(seen, '/admin', 401)} times 401, {total(seen, '/admin', 503)} times 503")
    unguarded = one.unguarded() + two.unguarded()
    verdict("no request reached an app before its guard was up", not unguarded, f"{len(unguarded)}")
    names = [key for key in seen if "orders.internal" in key[0] and key[1] == 401]
    verdict("neighbours on 6PN came through the gates by name", len(names) >= 2)
    verdict("both served", total(seen, "/work", 200, "m1") > 0 and total(seen, "/work", 200, "m2") > 0,
            f"m1 {total(seen, '/work', 200, 'm1')}, m2 {total(seen, '/work', 200, 'm2')}")


def bad_build(stage):
    say("== a rolling deploy reaches m2 with a build that lost its guard")
    one, two = stage.machines
    loads = [stage.load("edge", 16, 4, f"{EDGE}/work"), stage.load("peer", 16, 1, f"http://[{two.ip6}]:8080/work", f"http://[{two.ip6}]:8080/admin")]
    time.sleep(1)
    took = two.stop()
    two.start("v2-no-guard", GUARD="none")
    time.sleep(8)  # more than one check of the proxy
    held = two.health()
    seen = collect(*loads)
    verdict("the old build of m2 ended in time", took < 4.9, f"{took:.2f} s")
    verdict("its check fails, so the deploy stops there", held == 503, f"{held}")
    verdict("it never took traffic, neither by the proxy nor over 6PN", total(seen, build="v2-no-guard") == 0)
    verdict("no request through the proxy failed", total(seen, f"{EDGE4}/work", but=200) == 0,
            f"{total(seen, f'{EDGE4}/work', 200)} answered, {total(seen, f'{EDGE4}/work', but=200)} failed")
    verdict("no stranger reached its app", not two.unguarded(), f"{len(two.unguarded())}")


def broken_at_run_time(stage):
    say("== m2 gets its guard back, and loses it while it runs")
    one, two = stage.machines
    two.stop()
    two.start("v3")
    verdict("m2 is ready again", two.await_health(200))
    time.sleep(6)  # until the proxy has seen it
    loads = [stage.load("edge", 18, 2, f"{EDGE}/work")]
    time.sleep(1)
    before = time.time()
    two.broken.write_text("x")
    two.await_health(503)
    took = two.closed_after(before)
    verdict(f"its gate closed within an interval of {INTERVAL:.0f} s and a run", took is not None and took < INTERVAL + RUN + 0.3, f"{took:.1f} s" if took else "it did not")
    time.sleep(0.2)
    quiet = stage.load("edge", 3, 2, f"{EDGE}/work")
    away = collect(quiet)
    verdict("from then on m1 alone served", total(away, "/work", 200, "m2") == 0 and total(away, "/work", 200, "m1") > 100,
            f"m1 {total(away, '/work', 200, 'm1')}, m2 {total(away, '/work', 200, 'm2')}")
    two.broken.unlink()
    back = two.await_health(200)
    seen = collect(*loads)
    verdict("mended, it came back", back)
    verdict("no request failed, not even those in flight", total(seen, "/work", but=200) == 0,
            f"{total(seen, '/work', 200)} answered, {total(seen, '/work', but=200)} failed")


def main():
    if sys.argv[1] == "load":
        return load(float(sys.argv[2]), int(sys.argv[3]), sys.argv[4:])
    if sys.argv[1] == "dns":
        return dns(sys.argv[2], sys.argv[3:])
    if not all((MODULES / "node_modules" / name).is_dir() for name in PINS):
        MODULES.mkdir(parents=True, exist_ok=True)
        sh("npm", "install", "--prefix", str(MODULES), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
           *[f"{name}@{version}" for name, version in PINS.items()])
    stage = Stage(sys.argv[1])
    try:
        for part in (new_machines, bad_build, broken_at_run_time):
            part(stage)
    finally:
        stage.close()
    say(f"{RESULTS.count(True)} passed, {RESULTS.count(False)} failed")
    return 0 if all(RESULTS) and RESULTS else 1


if __name__ == "__main__":
    sys.exit(main())
