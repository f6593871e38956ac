#!/usr/bin/env python3
"""One run of every probe type against one healthy app: what it costs, and which probe sees which control break.

usage: all_types.py HOLDSHORT      exits 0 only if all pass within the budget and each break fails its own probe alone

Wants node, npm, redis-server, redis-cli, openssl, and root or unprivileged user namespaces: it runs in a network
namespace of its own, so that the `listeners` probe sees the app's sockets and nobody else's.
"""
import fcntl, json, os, resource, secrets, shutil, signal, socket, statistics, struct, subprocess, sys, tempfile, time
from pathlib import Path

from live import MODULES, free_port, get

HERE = Path(__file__).resolve().parent
PINS = {"express": "4.21.2", "express-rate-limit": "8.7.5", "helmet": "8.3.0", "cors": "2.8.6", "jsonwebtoken": "9.0.3", "zod": "4.6.7",
        "redis": "6.3.1", "rate-limit-redis": "6.0.1"}
NOT_HERE = {"fleet"}   # needs other Machines
MAX_REQUESTS = 300     # of the whole set until the agent is ready
MAX_WHOLE = MAX_REQUESTS + 80  # in `check`, which asks for all of exposure's catalogue: the agent asks for 80 of it later
MAX_SECONDS = 1.5      # of the best of RUNS: other work on the machine must not decide
RUNS = 5
EVERYTHING_UP = 20     # seconds

CONFIG = """
[app]
url = "http://127.0.0.1:{PORT}"
host = "shop.example.com"
[agent]
listen = "127.0.0.1:{AGENT_PORT}"
log_format = "json"

[identities.alice]
jwt = {{ algorithm = "HS256", secret = {{ file = "{FOLDER}/jwt_secret" }}, claims = {{ sub = "alice", role = "customer", iss = "shop", aud = "shop-api" }} }}
[identities.bob]
jwt = {{ algorithm = "HS256", secret = {{ file = "{FOLDER}/jwt_secret" }}, claims = {{ sub = "bob", role = "customer", iss = "shop", aud = "shop-api" }} }}
[identities.admin]
jwt = {{ algorithm = "HS256", secret = {{ file = "{FOLDER}/jwt_secret" }}, claims = {{ sub = "ada", role = "admin", iss = "shop", aud = "shop-api" }} }}
[identities.partner]
api_key = {{ header = "X-API-Key", value = {{ env = "API_KEY" }} }}

[probes.alive]
type = "http"
path = "/healthz"
json = {{ "/status" = "ok" }}
[probes.no_debugger]
type = "tcp"
address = "127.0.0.1:{DEBUG_PORT}"
expect = "closed"
[probes.stats_want_a_key]
type = "authentication"
path = "/internal/stats"
as = "partner"
[probes.tokens_verified]
type = "jwt"
path = "/api/me"
algorithm = "HS256"
secret = {{ file = "{FOLDER}/jwt_secret" }}
claims = {{ sub = "alice", role = "customer", iss = "shop", aud = "shop-api" }}
[probes.orders_are_private]
type = "authorization"
rules = [
  {{ as = "alice", path = "/api/orders/1001", expect = "allow" }},
  {{ as = "bob", path = "/api/orders/1002", expect = "allow" }},
  {{ as = "bob", path = "/api/orders/1001", expect = "deny" }},
  {{ as = "alice", path = "/api/orders/1002", expect = "deny" }},
  {{ as = "admin", path = "/admin", expect = "allow" }},
  {{ as = "alice", path = "/admin", expect = "deny" }},
]
[probes.orders_validated]
type = "input_validation"
path = "/api/orders"
as = "alice"
body = '{{"sku":"LAMP-100","quantity":2,"email":"probe@example.com"}}'
[probes.search_limited]
type = "rate_limit"
path = "/api/search"
limit = 10
window = "1m"
[probes.events_signed]
type = "webhook"
path = "/webhooks/github"
scheme = "github"
secret = {{ env = "WEBHOOK_SECRET" }}
[probes.signing_key]
type = "secret"
file = "{FOLDER}/jwt_secret_deployed"
min_length = 32
[probes.nothing_exposed]
type = "exposure"
secrets = [{{ file = "{FOLDER}/jwt_secret" }}, {{ env = "API_KEY" }}, {{ env = "REDIS_URL" }}]
[probes.site_headers]
type = "headers"
preset = "web"
hsts_min_age = "720h"
[probes.other_sites]
type = "cors"
path = "/api/products"
allowed_origins = ["https://shop.example.com"]
[probes.own_tls]
type = "tls"
address = "127.0.0.1:{TLS_PORT}"
[probes.on_loopback]
type = "listeners"
allow = []
[probes.counters]
type = "redis"
store = {{ env = "REDIS_URL" }}
key_pattern = "search:*"
[probes.migrated]
type = "exec"
command = ["test", "-e", "{FOLDER}/migrated"]
"""


def alone():
    """Runs this script again where no other process has a socket."""
    flags = ["--net"] if os.geteuid() == 0 else ["--net", "--user", "--map-root-user"]
    os.execvp("unshare", ["unshare", *flags, sys.executable, __file__, *sys.argv[1:], "--alone"])


def loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING


def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


def make_certificates(folder):
    """ca.pem, right.pem (90 days) and ending.pem (3 days), each with its .key."""
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "365", "-subj", "/CN=Shop CA")
    (folder / "names").write_text("subjectAltName=DNS:shop.example.com\n")
    for name, days in (("right", "90"), ("ending", "3")):
        openssl(folder, "req", *curve, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=shop.example.com")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days,
                "-extfile", "names", "-out", f"{name}.pem")


class Shop:
    """The app, its store, and a folder for both."""

    def __init__(self, holdshort):
        self.holdshort = holdshort
        self.folder = Path(tempfile.mkdtemp(prefix="holdshort-shop-"))
        self.ports = {name: str(free_port()) for name in ("PORT", "TLS_PORT", "CONTROL_PORT", "DEBUG_PORT", "AGENT_PORT", "REDIS_PORT")}
        self.password = secrets.token_hex(16)
        self.processes = []
        make_certificates(self.folder)
        for name in ("jwt_secret", "jwt_secret_deployed"):
            (self.folder / name).write_text("t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu\n")
        (self.folder / "migrated").write_text("")
        (self.folder / ".env").write_text(f"NODE_ENV=production\nDATABASE_PASSWORD={secrets.token_hex(16)}\n")
        self.env = {**os.environ, **self.ports, "FOLDER": str(self.folder), "NODE_PATH": str(MODULES / "shop" / "node_modules"),
                    "SSL_CERT_FILE": str(self.folder / "ca.pem"), "NODE_ENV": "production", "API_KEY": secrets.token_urlsafe(24),
                    "WEBHOOK_SECRET": secrets.token_hex(24), "REDIS_URL": f"redis://:{self.password}@127.0.0.1:{self.ports['REDIS_PORT']}/0"}
        (self.folder / "holdshort.toml").write_text(CONFIG.format(FOLDER=self.folder, **self.ports))

    def start(self, command, **options):
        process = subprocess.Popen(command, env=self.env, cwd=self.folder, **options)
        self.processes.append(process)
        return process

    def open(self):
        self.start(["redis-server", "--port", self.ports["REDIS_PORT"], "--bind", "127.0.0.1", "--requirepass", self.password, "--save", "",
                    "--appendonly", "no"], stdout=subprocess.DEVNULL)
        while self.redis("PING") != "PONG":
            time.sleep(0.02)
        self.start(["node", str(HERE / "shop" / "app.js")])
        until = time.monotonic() + EVERYTHING_UP
        while get(f"http://127.0.0.1:{self.ports['PORT']}/healthz")[0] != 200:
            if time.monotonic() > until:
                sys.exit("the app does not come up")
            time.sleep(0.02)

    def redis(self, *words):
        command = ["redis-cli", "-p", self.ports["REDIS_PORT"], "--no-auth-warning", "-a", self.password, *words]
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()

    def forget_counts(self):
        """So many checks within one window would meet at the same synthetic addresses."""
        self.redis("EVAL", "for _, key in ipairs(redis.call('KEYS', 'search:*')) do if redis.call('TTL', key) > 0 then redis.call('DEL', key) end end", "0")

    def control(self, name):
        status, text = get(f"http://127.0.0.1:{self.ports['CONTROL_PORT']}/{name}")
        assert status == 200, text

    def check(self, *words):
        """Exit code, report, seconds, seconds of CPU."""
        began, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run([self.holdshort, "check", "--format", "json", *words], env=self.env, cwd=self.folder, capture_output=True, text=True)
        took, now = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode == 2:
            sys.exit(done.stderr)
        return done.returncode, json.loads(done.stdout), took, now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime

    def close(self):
        for process in reversed(self.processes):
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def say(verdict, text):
    print(f"   {'ok   ' if verdict else 'WRONG'} {text}")
    return not verdict


def covers_every_type(shop):
    listed = subprocess.run([shop.holdshort, "explain"], capture_output=True, text=True, check=True).stdout.split("\n\n")[0]
    types = {line.split()[0] for line in listed.splitlines()} - NOT_HERE
    report = shop.check("--only", "alive")[1]
    declared = {line.split('"')[1] for line in CONFIG.splitlines() if line.startswith("type = ")}
    print(f"== {len(types)} types, holdshort {report['version']}")
    return say(types == declared, f"every type is declared once{'' if types == declared else ': not ' + ', '.join(types ^ declared)}")


def show_costs(shop):
    """The whole set, RUNS times; each probe's median."""
    runs = [shop.check() for _ in range(RUNS)]
    wrong = 0
    print(f"\n== check, {RUNS} times (medians)\n   {'probe':<20} {'type':<17} {'requests':>8} {'checks':>7} {'ms':>7}")
    for n, probe in enumerate(runs[0][1]["probes"]):
        each = [run[1]["probes"][n] for run in runs]
        print(f"   {probe['name']:<20} {probe['type']:<17} {max(p['requests'] for p in each):>8} {len(probe['checks']):>7}"
              f" {statistics.median(p['duration_ms'] for p in each):>7.1f}")
        for bad in (p for p in each if p["outcome"] != "pass"):
            wrong += say(False, f"{bad['outcome']}: {bad['summary']}")
    requests = [sum(probe["requests"] for probe in run[1]["probes"]) for run in runs]
    took, cpu = [run[2] for run in runs], [run[3] for run in runs]
    wrong += say(all(run[0] == 0 for run in runs), "all pass")
    wrong += say(max(requests) < MAX_WHOLE, f"{max(requests)} requests (under {MAX_WHOLE})")
    wrong += say(min(took) < MAX_SECONDS, f"{min(took):.2f} s at best, {statistics.median(took):.2f} s in the middle (under {MAX_SECONDS})")
    print(f"         {statistics.median(cpu) * 1000:.0f} ms of CPU")
    return wrong


def show_start(shop):
    """`run` until its first ready, and what the probes had sent by then."""
    log = open(shop.folder / "agent.log", "wb")
    began = time.monotonic()
    agent = shop.start([shop.holdshort, "run"], stdout=log)
    url = f"http://127.0.0.1:{shop.ports['AGENT_PORT']}"
    while get(url + "/readyz")[0] != 200 and time.monotonic() - began < EVERYTHING_UP:
        time.sleep(0.005)
    took = time.monotonic() - began
    fields = Path(f"/proc/{agent.pid}/stat").read_text().rsplit(")", 1)[1].split()
    cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    requests = sum(int(float(line.split()[-1])) for line in get(url + "/metrics")[1].splitlines()
                   if line.startswith("holdshort_probe_requests_total{"))
    print("\n== run, until it is ready")
    wrong = say(get(url + "/readyz")[0] == 200, f"ready after {took:.2f} s, {cpu * 1000:.0f} ms of CPU, {requests} requests")
    wrong += say(requests < MAX_REQUESTS, f"under {MAX_REQUESTS} requests")
    agent.send_signal(signal.SIGTERM)
    agent.wait(10)
    return wrong


def breaks(shop):
    """(what breaks, the one probe that must fail, break it, mend it)"""
    def by_app(what, name, probe):
        return what, probe, lambda: shop.control(name), lambda: shop.control("")

    def by_file(what, name, probe, text):
        file, right = shop.folder / name, (shop.folder / name).read_text()
        return what, probe, lambda: file.unlink() if text is None else file.write_text(text), lambda: file.write_text(right)

    return [
        by_app("the health page says degraded", "http", "alive"),
        by_app("a debugger's port is open", "tcp", "no_debugger"),
        by_app("the key is not compared", "authentication", "stats_want_a_key"),
        by_app("tokens are decoded, not verified", "jwt", "tokens_verified"),
        by_app("an order's owner is not asked", "authorization", "orders_are_private"),
        by_app("the role is not asked", "role", "orders_are_private"),
        by_app("orders are taken as they come", "input_validation", "orders_validated"),
        by_app("the limiter believes X-Real-IP", "rate_limit", "search_limited"),
        by_app("signatures are not compared", "webhook", "events_signed"),
        by_file("the signing key is a placeholder", "jwt_secret_deployed", "signing_key", "please-change-me-please-change-me-please"),
        by_app("static files are those of the deployed folder", "exposure", "nothing_exposed"),
        by_app("helmet is gone", "headers", "site_headers"),
        by_app("cors reflects any origin", "cors", "other_sites"),
        by_app("the certificate ends in three days", "tls", "own_tls"),
        by_app("a socket listens on all addresses", "listeners", "on_loopback"),
        ("the store wants no password", "counters", lambda: shop.redis("CONFIG", "SET", "requirepass", ""),
         lambda: shop.redis("CONFIG", "SET", "requirepass", shop.password)),
        ("a counter never expires", "counters", lambda: shop.redis("SET", "search:forever", "1"), lambda: shop.redis("DEL", "search:forever")),
        by_file("the migration did not run", "migrated", "migrated", None),
    ]


def show_breaks(shop):
    wrong = 0
    print("\n== one control after the other breaks")
    for what, name, break_it, mend_it in breaks(shop):
        break_it()
        shop.forget_counts()
        code, report, _, _ = shop.check()
        mend_it()
        failed = [probe for probe in report["probes"] if probe["outcome"] != "pass"]
        ok = code == 1 and [(probe["name"], probe["outcome"]) for probe in failed] == [(name, "fail")]
        wrong += say(ok, what)
        for probe in failed:
            worst = next((check["id"] for check in probe["checks"] if check["outcome"] == probe["outcome"]), "")
            print(f"         {probe['name']} {probe['outcome']}: {probe['summary']}  [{worst}]")
    shop.forget_counts()
    code, _, _, _ = shop.check()
    return wrong + say(code == 0, "all mended: all pass again")


def main():
    holdshort = str(Path(sys.argv[1]).resolve())
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    if "--alone" not in sys.argv:
        modules = MODULES / "shop"
        if not all((modules / "node_modules" / name).is_dir() for name in PINS):
            modules.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "install", "--prefix", str(modules), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
                            *[f"{name}@{version}" for name, version in PINS.items()]], check=True)
        sys.stdout.flush()
        alone()
    loopback_up()
    shop = Shop(holdshort)
    try:
        shop.open()
        wrong = covers_every_type(shop) + show_costs(shop) + show_start(shop) + show_breaks(shop)
    finally:
        shop.close()
    print(f"\n{'all as it should be' if not wrong else f'{wrong} WRONG'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
