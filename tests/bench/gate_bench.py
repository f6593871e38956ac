#!/usr/bin/env python3
"""The gate beside HAProxy in TCP mode and the app alone, in turns, in one run. Prints ratios; the numbers themselves say little.

usage: gate_bench.py HOLDSHORT [--seconds 2] [--rounds 7]     needs the Debian packages haproxy, nginx, wrk, nghttp2-client
"""
import argparse, os, random, re, resource, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.error, urllib.request
from pathlib import Path

CONNECTIONS = 32
IDLE, DRIBBLING = 10_000, 1_000
TOOLS = {"haproxy": "haproxy", "nginx": "nginx", "wrk": "wrk", "h2load": "nghttp2-client"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def tool(name):
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if not found:
        sys.exit(f"gate_bench: {name} is missing; install the Debian package {TOOLS[name]}")
    return found


def until(condition, limit=10):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            sys.exit("gate_bench: what was waited for did not come")
        time.sleep(0.01)


def status(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def percentile(values, share):
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def percentiles(values):
    return percentile(values, 0.5), percentile(values, 0.99)


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


class Bench:
    def __init__(self, options):
        self.options = options
        self.tmp = Path(tempfile.mkdtemp(prefix="holdshort-gate-bench-"))
        self.processes = []
        app, haproxy, self.gate_port, agent = (free_port() for _ in range(4))
        self.ports = {"app alone": app, "HAProxy": haproxy, "gate": self.gate_port}
        (self.tmp / "nginx.conf").write_text(f"""
            worker_processes 1; daemon off; pid {self.tmp}/pid; error_log stderr crit;
            events {{ worker_connections 4000; }}
            http {{ access_log off; keepalive_requests 1000000000;
              server {{ listen 127.0.0.1:{app} backlog=4096; location / {{ return 200 "a small answer\\n"; }} }} }}""")
        # One thread, as the gate has.
        (self.tmp / "haproxy.cfg").write_text(f"""
global
  maxconn 2000
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 75s
  timeout server 75s
listen front
  bind 127.0.0.1:{haproxy}
  server app 127.0.0.1:{app}
""")
        (self.tmp / "holdshort.toml").write_text(f"""
[app]
url = "http://127.0.0.1:{app}"
[agent]
listen = "127.0.0.1:{agent}"
log_level = "error"
[gate]
listen = "127.0.0.1:{self.gate_port}"
max_connections = 20000
[probes.up]
type = "http"
path = "/up"
""")
        self.start(tool("nginx"), "-c", self.tmp / "nginx.conf")
        self.haproxy = self.start(tool("haproxy"), "-f", self.tmp / "haproxy.cfg")
        self.agent = self.start(options.holdshort, "run", "--config", self.tmp / "holdshort.toml")

    def await_all(self):
        for port in self.ports.values():
            until(lambda: status(f"http://127.0.0.1:{port}/") == 200)

    def start(self, *command):
        process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def stop(self):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()
        shutil.rmtree(self.tmp)

    # Requests a second, and microseconds of a processor that each took from whoever relayed it; every answer must be a good one.
    def throughput(self, name, *extra):
        port, relay = self.ports[name], {"HAProxy": self.haproxy, "gate": self.agent}.get(name)
        before = cpu_seconds(relay.pid) if relay else 0
        said = subprocess.run([tool("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{self.options.seconds}s", *extra, f"http://127.0.0.1:{port}/"],
                              capture_output=True, text=True, check=True).stdout
        if "Non-2xx" in said or "Socket errors" in said:
            print(f"port {port}: {said}", file=sys.stderr)
        requests = int(re.search(r"(\d+) requests in", said)[1])
        spent = cpu_seconds(relay.pid) - before if relay else 0
        return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), spent / requests * 1e6

    # Milliseconds of each request where as many come a second as said, whether or not the last is answered.
    def latencies(self, name, rate):
        port = self.ports[name]
        log = self.tmp / "latencies"
        log.unlink(missing_ok=True)
        subprocess.run([tool("h2load"), "--h1", f"-c{CONNECTIONS}", f"-D{self.options.seconds}", f"--rps={rate / CONNECTIONS:.3f}",
                        f"--log-file={log}", f"http://127.0.0.1:{port}/"], stdout=subprocess.DEVNULL, check=True)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
        return [int(row[2]) / 1000 for row in rows if row[1] == "200"]

    # The median of each figure over `rounds`, in turns, so that what else the machine does falls on all.
    def in_turns(self, measure):
        figures = {name: [] for name in self.ports}
        for _ in range(self.options.rounds):
            for name in self.ports:
                figures[name].append(measure(name))
        return [{name: statistics.median(values) for name, values in one.items()}
                for one in ({name: [turn[i] for turn in turns] for name, turns in figures.items()} for i in range(len(figures["gate"][0])))]

    # Silent and dribbling clients are closed after two seconds, and come again.
    def crowd(self):
        good = [socket.create_connection(("127.0.0.1", self.gate_port)) for _ in range(4)]
        waits, lost, most = [], 0, 0.0
        for _ in range(self.options.rounds):
            silent = []
            dribbling = [connect(self.gate_port, b"GET / HTTP/1.1\r\nX: ") for _ in range(DRIBBLING)]
            while len(silent) < IDLE:
                silent.append(connect(self.gate_port))
                if len(silent) % 100 == 0:
                    waits.append(self.health_ms())
            end = time.monotonic() + 3
            while time.monotonic() < end:
                for client in random.sample(dribbling, 50):
                    try:
                        client.send(b"x")
                    except OSError:
                        pass
                waits.append(self.health_ms())
                for client in good:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
                    lost += not client.recv(4096).startswith(b"HTTP/1.1 200")
                time.sleep(0.01)
            most = max(most, resident_mb(self.agent.pid))
            for client in silent + dribbling:
                client.close()
        lost += waits.count(None)
        waits = [wait for wait in waits if wait is not None]
        return percentile(waits, 0.99), most, lost, len(waits)

    def health_ms(self):
        """None where it is not 200."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.gate_port), timeout=5) as client:
            client.sendall(b"GET /.holdshort/readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            status = client.recv(4096)[9:12]
        return (time.monotonic() - began) * 1000 if status == b"200" else None


def connect(port, first=b""):
    client = socket.socket()
    client.connect(("127.0.0.1", port))
    client.setblocking(False)
    if first:
        client.send(first)
    return client


def row(what, figures, unit, better):
    app, haproxy, gate = (figures[name] for name in ("app alone", "HAProxy", "gate"))
    ratio = gate / haproxy if haproxy else float("inf")
    print(f"{what:44} {app:12.2f} {haproxy:12.2f} {gate:12.2f}   {unit:10} {ratio:6.2f}x HAProxy ({better})")


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("holdshort")
    options.add_argument("--seconds", type=int, default=2)
    options.add_argument("--rounds", type=int, default=7)
    options = options.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    bench = Bench(options)
    try:
        bench.await_all()
        print(f"{'':44} {'app alone':>12} {'HAProxy':>12} {'gate':>12}")
        kept, cpu = bench.in_turns(bench.throughput)
        row(f"requests a second, {CONNECTIONS} kept connections", kept, "1/s", "more is better")
        row("processor time of each", cpu, "us", "less is better")
        each, cpu = bench.in_turns(lambda name: bench.throughput(name, "-H", "Connection: close"))
        row("requests a second, a connection each", each, "1/s", "more is better")
        row("processor time of each", cpu, "us", "less is better")
        rate = min(kept.values()) / 2
        middle, tails = bench.in_turns(lambda name: percentiles(bench.latencies(name, rate)))
        row(f"p50 at {rate:.0f} requests a second", middle, "ms", "less is better")
        row(f"p99 at {rate:.0f} requests a second", tails, "ms", "less is better")
        wait, most, lost, asked = bench.crowd()
        print(f"\n{IDLE} idle and {DRIBBLING} dribbling clients that come again and again: health path p99 {wait:.1f} ms of {asked}, resident {most:.1f} MB, "
              f"lost requests of good clients {lost}")
    finally:
        bench.stop()


if __name__ == "__main__":
    main()
