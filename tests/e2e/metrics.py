#!/usr/bin/env python3
"""A real Prometheus scrapes an agent; its alerts fire when a control breaks and end when it is mended.

usage: metrics.py HOLDSHORT     needs Debian's prometheus (with promtool) and python3-jsonschema
"""
import json, re, signal, socket, subprocess, sys, tempfile, threading, time, urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema

DEPLOY = Path(__file__).resolve().parents[2] / "fly" / "deploy"
broken = threading.Event()
passed = failed = 0


class App(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response_only(200 if broken.is_set() else 401, "x")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expect(what, holds):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    print("ok  " if holds else "FAIL", what, flush=True)


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def until(what, holds, limit=30):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            if holds():
                return expect(what, True)
        except (OSError, ValueError, LookupError):
            pass
        time.sleep(0.2)
    expect(what, False)


def expressions(board):
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$app", ".*").replace("$instance", ".*")


def main():
    app = ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    tmp = Path(tempfile.mkdtemp(prefix="holdshort-metrics-"))
    agent_port, prometheus_port, gate_port = free_port(), free_port(), free_port()
    (tmp / "holdshort.toml").write_text(f"""[app]
url = "http://127.0.0.1:{app.server_port}"
[agent]
listen = "127.0.0.1:{agent_port}"
[gate]
listen = "127.0.0.1:{gate_port}"
[probes.admin]
type = "http"
path = "/admin"
status = [401]
interval = "1s"
timeout = "500ms"
""")
    # The same rules, without the minutes that nobody waits for here.
    rules = re.sub(r"for: \d+m", "for: 2s", (DEPLOY / "alerts.yml").read_text())
    (tmp / "alerts.yml").write_text(rules)
    (tmp / "prometheus.yml").write_text(f"""global: {{ scrape_interval: 1s, evaluation_interval: 1s }}
rule_files: [alerts.yml]
scrape_configs:
  - job_name: holdshort
    static_configs: [ {{ targets: ["127.0.0.1:{agent_port}"] }} ]
""")
    running = [subprocess.Popen([str(Path(sys.argv[1]).resolve()), "run"], cwd=tmp, stdout=subprocess.DEVNULL),
               subprocess.Popen(["prometheus", "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp}/data",
                                 f"--web.listen-address=127.0.0.1:{prometheus_port}"], cwd=tmp, stderr=subprocess.DEVNULL)]
    api = f"http://127.0.0.1:{prometheus_port}/api/v1/"

    def query(expression):
        return json.loads(get(api + "query?query=" + urllib.parse.quote(expression)))["data"]["result"]

    def firing():
        return {a["labels"]["alertname"] for a in json.loads(get(api + "alerts"))["data"]["alerts"] if a["state"] == "firing"}

    try:
        until("the agent answers", lambda: "holdshort_ready 1\n" in get(f"http://127.0.0.1:{agent_port}/metrics"))
        try:
            get(f"http://127.0.0.1:{gate_port}/")
        except OSError as answer:
            expect("a request goes through the gate", getattr(answer, "code", 0) == 401)
        for line in "holdshort_gate_open 1", 'holdshort_gate_connections_total{answer="relayed"} 1', 'holdshort_gate_connections_total{answer="rejected"} 0':
            expect(f"the gate's counters say {line}", line + "\n" in get(f"http://127.0.0.1:{agent_port}/metrics"))
        lint = subprocess.run(["promtool", "check", "metrics"], input=get(f"http://127.0.0.1:{agent_port}/metrics"), text=True, capture_output=True)
        expect("promtool finds nothing to say of the metrics " + lint.stdout + lint.stderr, lint.returncode == 0 and not lint.stdout + lint.stderr)
        schema = json.loads((DEPLOY.parents[1] / "docs" / "status.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        faults = list(jsonschema.Draft202012Validator(schema).iter_errors(json.loads(get(f"http://127.0.0.1:{agent_port}/status"))))
        expect(f"/status fits its schema {faults}", not faults)
        test = subprocess.run(["promtool", "test", "rules", "alerts_test.yml"], cwd=DEPLOY, capture_output=True, text=True)
        expect("the rules do what their tests say " + (test.stdout + test.stderr if test.returncode else ""), test.returncode == 0)
        until("Prometheus has scraped it", lambda: query("holdshort_ready")[0]["value"][1] == "1")
        for expression in expressions(json.loads((DEPLOY / "dashboard.json").read_text())):
            until("the dashboard's query is answered: " + expression, lambda: query(expression))
        expect("no alert while all is well", not firing())
        broken.set()
        until("a broken control fires", lambda: {"HoldshortControlBroken", "HoldshortNotReady", "HoldshortNoMachineReady"} <= firing())
        broken.clear()
        until("and resolves when it is mended", lambda: not firing())
        running[0].send_signal(signal.SIGKILL)
        until("an agent that has gone fires", lambda: "HoldshortAgentDown" in firing())
    finally:
        for process in running:
            process.kill()
            process.wait()
        app.shutdown()
        subprocess.run(["rm", "-r", str(tmp)])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
