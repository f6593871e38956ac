#!/usr/bin/env python3
"""Runs `holdshort run` beside real servers, breaks each control while it watches, and shows what an engineer would see.

usage: live.py HOLDSHORT [express] [nginx]      exits 0 only if every break closed /readyz in time and every mend opened it
"""
import json, os, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
INTERVAL = 2.0         # of every probe here, so that a break must be seen within one
SLACK = 1.0            # for a run's own length on a loaded machine
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdshort-e2e"
PINS = {"express": "4.21.2", "express-rate-limit": "8.7.5"}


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
    except OSError as error:
        return 0, str(error)


class Stage:
    """A server under test, the agent beside it, and a folder for both."""

    def __init__(self, holdshort, name):
        self.holdshort, self.name = holdshort, name
        self.tmp = Path(tempfile.mkdtemp(prefix=f"holdshort-live-{name}-"))
        self.port, self.app_port, self.agent_port = free_port(), free_port(), free_port()
        self.env = {**os.environ, "ADMIN_TOKEN": "ops_9fK2xQ7vB4mZ8sT1wR6yL3nD5", "PORT": str(self.port), "BROKEN": str(self.tmp / "broken")}
        self.processes, self.wrong = [], 0
        (self.tmp / "broken").write_text("")
        (self.tmp / "key").write_text("t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu\n")

    def start(self, command, **options):
        process = subprocess.Popen(command, env=self.env, cwd=self.tmp, **options)
        self.processes.append(process)
        return process

    def start_agent(self, config):
        (self.tmp / "holdshort.toml").write_text(config)
        self.log = self.tmp / "agent.log"
        self.agent = self.start([self.holdshort, "run", "--config", str(self.tmp / "holdshort.toml")], stdout=open(self.log, "wb"))

    def readyz(self):
        return get(f"http://127.0.0.1:{self.agent_port}/readyz")

    def await_status(self, status, limit):
        began = time.monotonic()
        while time.monotonic() - began < limit:
            if self.readyz()[0] == status:
                return time.monotonic() - began
            time.sleep(0.005)
        return None

    def show(self, title, status, limit, before):
        """Waits for /readyz to be `status`; prints the time it took, the answer and the log lines that came with it."""
        took = self.await_status(status, limit)
        ok = took is not None
        self.wrong += not ok
        print(f"\n== {self.name}: {title}")
        print(f"   /readyz {status} after {took:.2f} s (at most {limit:.1f})" if ok else f"   WRONG: /readyz not {status} within {limit:.1f} s")
        print("   " + self.readyz()[1].strip().replace("\n", "\n   "))
        for line in self.log.read_text().splitlines()[before:]:
            event = json.loads(line)
            if event["event"] in ("probe.changed", "readiness.changed", "clock.jumped"):
                print(f"   {event['time'][11:23]} {event['level']:<5} {event['event']}: {event['message']}")
        return ok

    def lines(self):
        return len(self.log.read_text().splitlines())

    def cycle(self, title, break_it, mend_it, limit=INTERVAL + SLACK):
        before = self.lines()
        break_it()
        self.show(f"broken: {title}", 503, limit, before)
        before = self.lines()
        mend_it()
        self.show(f"mended: {title}", 200, INTERVAL + SLACK, before)

    def close(self):
        began = time.monotonic()
        self.agent.send_signal(signal.SIGTERM)
        status = self.agent.wait(5)
        took = time.monotonic() - began
        print(f"\n== {self.name}: SIGTERM: the agent ended with {status} after {took:.2f} s")
        self.wrong += status != 0 or took > 1.5
        for process in self.processes:
            process.terminate()
            process.wait(5)
        shutil.rmtree(self.tmp, ignore_errors=True)


def common(stage):
    return f"""
[app]
url = "http://127.0.0.1:{stage.port}"
host = "shop.example.com"
[agent]
listen = "127.0.0.1:{stage.agent_port}"
log_format = "json"
request_budget = 1000
[defaults]
interval = "{INTERVAL:.0f}s"
timeout = "1s"
"""


def express(holdshort):
    if not all((MODULES / "node_modules" / name).is_dir() for name in PINS):
        MODULES.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(MODULES), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
                        *[f"{name}@{version}" for name, version in PINS.items()]], check=True)
    stage = Stage(holdshort, "express")
    stage.env["NODE_PATH"] = str(MODULES / "node_modules")
    broken = stage.tmp / "broken"
    stage.start_agent(common(stage) + """
[identities.ops]
bearer = { env = "ADMIN_TOKEN" }
[probes.alive]
type = "http"
path = "/healthz"
json = { "/status" = "ok" }
[probes.admin_locked]
type = "authentication"
path = "/admin"
as = "ops"
runbook = "https://runbooks.example.com/admin"
[probes.search_limited]
type = "rate_limit"
path = "/search"
limit = 20
window = "1m"
exhaust_every = "1s"
[probes.signing_key]
type = "secret"
file = "%s"
min_length = 32
""" % (stage.tmp / "key"))
    stage.await_status(503, 5)
    print("== express: nothing listens yet\n   " + stage.readyz()[1].strip())
    before = stage.lines()
    app = stage.start(["node", str(HERE / "express" / "app.js")])
    stage.show("the app starts", 200, 5, before)
    for name, title in (("guard_off", "nobody has to log in"), ("guard_exact", "the guard compares the path letter by letter"),
                        ("limiter_off", "the rate limiter is gone"), ("limiter_spoofable", "the limiter believes X-Forwarded-For"),
                        ("unhealthy", "the health page says degraded")):
        stage.cycle(title, lambda: broken.write_text(name + "\n"), lambda: broken.write_text(""))
    key = (stage.tmp / "key").read_text()
    stage.cycle("the signing key is a placeholder", lambda: (stage.tmp / "key").write_text("please-change-me-please-change-me-please"),
                lambda: (stage.tmp / "key").write_text(key))
    # An app that hangs is inconclusive: three runs, each with its timeout, then not ready.
    stage.cycle("the app hangs (SIGSTOP)", lambda: app.send_signal(signal.SIGSTOP), lambda: app.send_signal(signal.SIGCONT),
                limit=3 * (INTERVAL + 1) + SLACK)
    stage.close()
    return stage.wrong


def nginx(holdshort):
    stage = Stage(holdshort, "nginx")
    template = (HERE / "nginx" / "nginx.conf.in").read_text()
    for name, value in (("TMP", stage.tmp), ("PORT", stage.port), ("APP", stage.app_port)):
        template = template.replace(f"@{name}@", str(value))
    password = subprocess.run(["openssl", "passwd", "-apr1", stage.env["ADMIN_TOKEN"]], capture_output=True, text=True, check=True)
    (stage.tmp / "htpasswd").write_text("ops:" + password.stdout)
    conf = stage.tmp / "nginx.conf"
    conf.write_text(template)
    user = ["-g", "daemon off; user root root;"] if os.geteuid() == 0 else ["-g", "daemon off;"]
    server = stage.start(["nginx", "-p", str(stage.tmp), "-c", str(conf), *user], stderr=subprocess.DEVNULL)
    stage.start_agent(common(stage) + """
[identities.ops]
basic = { user = "ops", password = { env = "ADMIN_TOKEN" } }
[probes.admin_locked]
type = "authentication"
path = "/admin"
as = "ops"
[probes.api_limited]
type = "rate_limit"
path = "/api"
limit = 10
window = "1m"
exhaust_every = "1s"
""")
    stage.show("auth_basic and limit_req on", 200, 5, 0)

    def without(control):
        kept = [line for line in template.splitlines() if not line.endswith(f"# control:{control}")]
        conf.write_text("\n".join(kept))
        server.send_signal(signal.SIGHUP)

    def mend():
        conf.write_text(template)
        server.send_signal(signal.SIGHUP)

    for control in ("auth_basic", "limit_req"):
        stage.cycle(f"{control} is gone", lambda: without(control), mend)
    stage.close()
    return stage.wrong


def main():
    holdshort = str(Path(sys.argv[1]).resolve())
    chosen = sys.argv[2:] or ["express", "nginx"]
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    wrong = sum({"express": express, "nginx": nginx}[name](holdshort) for name in chosen)
    print(f"\n{'all as it should be' if not wrong else f'{wrong} WRONG'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
