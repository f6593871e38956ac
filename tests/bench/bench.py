#!/usr/bin/env python3
"""What holdshort costs, beside Prometheus' blackbox_exporter in the same run. Prints a table; numbers only mean something as ratios.

usage: bench.py HOLDSHORT BENCH_APP [--minutes 5]     bare_client lies beside BENCH_APP; needs the Debian package prometheus-blackbox-exporter
"""
import argparse, http.client, os, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, time, urllib.error, urllib.request
from pathlib import Path

PROBES = 20
READY_AFTER_MS = 2000
RUNS_TO_READY = 7
BLACKBOX = "prometheus-blackbox-exporter"
# As Prometheus asks: on a connection that it keeps, and compressed.
SCRAPE = {
    "Accept": "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
    "Accept-Encoding": "gzip",
    "User-Agent": "Prometheus/2.42.0",
    "X-Prometheus-Scrape-Timeout-Seconds": "10",
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url):
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def cpu_seconds(pid):
    """Of all its threads, to the nanosecond: what is counted in ticks misses work that a timer starts."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def resident_mb(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) / 1024


def until(condition, limit):
    end = time.monotonic() + limit
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("bench: what was waited for did not come")
        time.sleep(0.001)


class Bench:
    def __init__(self, options):
        self.options = options
        self.tmp = Path(tempfile.mkdtemp(prefix="holdshort-bench-"))
        self.env = {**os.environ, "ADMIN_TOKEN": "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5"}
        self.processes = []

    def start(self, *command):
        process = subprocess.Popen(command, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.processes.append(process)
        return process

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        process.wait()
        self.processes.remove(process)

    def app(self, ready_after_ms):
        port = free_port()
        process = self.start(self.options.app, str(port), str(ready_after_ms))
        return port, process

    def agent(self, port, probes, defaults=""):
        listen = free_port()
        config = self.tmp / "holdshort.toml"
        config.write_text(f"""
[app]
url = "http://127.0.0.1:{port}"
[agent]
listen = "127.0.0.1:{listen}"
log_level = "warn"
{self.agent_keys}
[defaults]
{defaults}
[identities.ops]
bearer = {{ env = "ADMIN_TOKEN" }}
{probes}""")
        return listen, self.start(self.options.holdshort, "run", "--config", str(config))

    agent_keys = ""

    # One of each kind, five times over.
    @staticmethod
    def mixed():
        text = ""
        for n in range(PROBES // 4):
            text += f"""
[probes.alive{n}]
type = "http"
path = "/healthz"
[probes.locked{n}]
type = "authentication"
path = "/admin"
as = "ops"
[probes.limited{n}]
type = "rate_limit"
path = "/search{n}"
limit = 10
window = "1m"
[probes.token{n}]
type = "secret"
env = "ADMIN_TOKEN"
"""
        return text

    def time_to_ready(self):
        """From the moment the app serves to the first 200 of /readyz, in milliseconds."""
        lags = []
        for _ in range(RUNS_TO_READY):
            port, app = self.app(READY_AFTER_MS)
            listen, agent = self.agent(port, self.mixed())
            until(lambda: get(f"http://127.0.0.1:{port}/healthz")[0] == 200, 10)
            served = time.monotonic()
            until(lambda: get(f"http://127.0.0.1:{listen}/readyz")[0] == 200, 10)
            lags.append((time.monotonic() - served) * 1000)
            self.end(agent), self.end(app)
        return lags

    def blackbox(self):
        listen = free_port()
        config = self.tmp / "blackbox.yml"
        config.write_text("modules:\n  http_2xx:\n    prober: http\n    timeout: 5s\n    http:\n      preferred_ip_protocol: ip4\n")
        process = self.start(BLACKBOX, f"--config.file={config}", f"--web.listen-address=127.0.0.1:{listen}")
        until(lambda: get(f"http://127.0.0.1:{listen}/-/healthy")[0] == 200, 10)
        return listen, process

    def cpu_per_probe(self):
        """Seconds of CPU for one simple http probe run: (holdshort, blackbox_exporter, the bare request, resident of blackbox idle and loaded).

        All make 200 runs a second: a process that is driven without a pause finds its caches warm."""
        port, app = self.app(0)
        until(lambda: get(f"http://127.0.0.1:{port}/healthz")[0] == 200, 10)
        listen, blackbox = self.blackbox()
        idle = resident_mb(blackbox.pid)
        target = f"/probe?module=http_2xx&target=http://127.0.0.1:{port}/healthz"
        assert "probe_success 1" in get(f"http://127.0.0.1:{listen}{target}")[1]
        prometheus = http.client.HTTPConnection("127.0.0.1", listen)
        before, runs, due = cpu_seconds(blackbox.pid), 2000, time.monotonic()
        for _ in range(runs):
            prometheus.request("GET", target, headers=SCRAPE)
            prometheus.getresponse().read()
            due += 0.005
            time.sleep(max(0, due - time.monotonic()))
        theirs = (cpu_seconds(blackbox.pid) - before) / runs
        loaded = resident_mb(blackbox.pid)
        self.end(blackbox)
        bare = float(subprocess.check_output([Path(self.options.app).with_name("bare_client"), str(port), str(runs)]))

        self.agent_keys = "request_budget = 10000"
        probes = "".join(f'[probes.p{n}]\ntype = "http"\npath = "/healthz"\n' for n in range(PROBES))
        listen, agent = self.agent(port, probes, 'interval = "100ms"\ntimeout = "90ms"')
        self.agent_keys = ""
        until(lambda: get(f"http://127.0.0.1:{listen}/readyz")[0] == 200, 10)

        def done():
            return int(get(f"http://127.0.0.1:{port}/count")[1])

        before, runs = cpu_seconds(agent.pid), done()
        time.sleep(15)
        ours = (cpu_seconds(agent.pid) - before) / (done() - runs)
        self.end(agent), self.end(app)
        return ours, theirs, bare, idle, loaded

    def resident(self):
        port, app = self.app(0)
        listen, agent = self.agent(port, self.mixed(), 'interval = "5s"\ntimeout = "2s"')
        until(lambda: get(f"http://127.0.0.1:{listen}/readyz")[0] == 200, 20)
        time.sleep(self.options.minutes * 60)
        assert get(f"http://127.0.0.1:{listen}/readyz")[0] == 200
        size = resident_mb(agent.pid)
        self.end(agent), self.end(app)
        return size

    def close(self):
        for process in self.processes:
            process.kill()
        shutil.rmtree(self.tmp, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("holdshort")
    parser.add_argument("app")
    parser.add_argument("--minutes", type=float, default=5)
    options = parser.parse_args()
    if not shutil.which(BLACKBOX):
        raise SystemExit(f"bench: install the Debian package {BLACKBOX}")
    bench = Bench(options)
    try:
        lags = bench.time_to_ready()
        ours, theirs, bare, idle, loaded = bench.cpu_per_probe()
        size = bench.resident()
    finally:
        bench.close()
    rows = [
        (f"/readyz after the app serves, {PROBES} probes, median of {RUNS_TO_READY}", f"{statistics.median(lags):.0f} ms", "300 ms at most", max(lags) <= 300),
        (f"  the slowest of {RUNS_TO_READY}", f"{max(lags):.0f} ms", "300 ms at most", max(lags) <= 300),
        (f"resident with {PROBES} probes after {options.minutes:g} min", f"{size:.1f} MB", "8 MB at most", size <= 8),
        ("  blackbox_exporter, idle", f"{idle:.1f} MB", f"{size / idle:.2f} of it", True),
        ("  blackbox_exporter, after 2000 probes", f"{loaded:.1f} MB", f"{size / loaded:.2f} of it", True),
        ("CPU of one http probe run", f"{ours * 1e6:.0f} us", "", True),
        ("  blackbox_exporter, the same", f"{theirs * 1e6:.0f} us", f"{ours / theirs:.3f} of it, 0.1 at most", ours <= theirs / 10),
        ("  a bare request: connect, send, receive, close", f"{bare * 1e6:.0f} us", f"{bare / theirs:.3f} of blackbox_exporter's", True),
    ]
    for what, number, aim, good in rows:
        print(f"{what:<60} {number:>10}   {aim}{'' if good else '   MISSED'}")
    return 0 if all(row[3] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
