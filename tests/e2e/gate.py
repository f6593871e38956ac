#!/usr/bin/env python3
"""The gate before real servers: what passes, what is held back, and what each side sees when the other dies.

usage: gate.py HOLDSHORT [--mib 1024]     exits 0 only if every line says ok. Needs node, npm, curl and nginx.
"""
import argparse, hashlib, http.client, json, os, random, resource, shutil, signal, socket, subprocess, sys, tempfile, threading, time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdshort-e2e"
PINS = {"express": "4.21.2", "express-rate-limit": "8.7.5", "ws": "8.18.0"}
INTERVAL = 1.0          # of the probe
TIMEOUT = 0.5
LIFETIME = 3 * INTERVAL + TIMEOUT
wrong = 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def say(title, ok, detail=""):
    global wrong
    wrong += not ok
    print(f"{'ok   ' if ok else 'WRONG'} {title}{': ' if detail else ''}{detail}", flush=True)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, **options).stdout


def until(condition, limit=10):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def ask(port, path="/", timeout=10):
    """Status and body; 0 where the connection ended without an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


class Stage:
    """An app, the agent with a gate before it, and a folder for both."""

    def __init__(self, holdshort, gate_keys="", h2c=False, nginx=False, limit=0):
        self.tmp = Path(tempfile.mkdtemp(prefix="holdshort-gate-"))
        self.app_port, self.h2c_port, self.port, self.agent_port = (free_port() for _ in range(4))
        self.control = self.tmp / "control"
        self.control.write_text("")
        self.processes = []
        if nginx:
            (self.tmp / "html").mkdir()
            (self.tmp / "html" / "control").write_text("control\n")
            (self.tmp / "html" / "large").write_bytes(random.Random(1).randbytes(64 << 20))
            (self.tmp / "nginx.conf").write_text(f"""
                daemon off; pid {self.tmp}/pid; error_log stderr crit; worker_processes 1; user root;
                events {{ }}
                http {{ access_log off; client_body_temp_path {self.tmp}/body;
                  server {{ listen unix:{self.tmp}/app.sock; root {self.tmp}/html; }} }}""")
            self.app = self.start(shutil.which("nginx") or "/usr/sbin/nginx", "-c", self.tmp / "nginx.conf")
        else:
            self.app = self.start("node", HERE / "gate" / "app.js", self.app_port, self.h2c_port, self.control)
        url = f"unix:{self.tmp}/app.sock" if nginx else f"http://127.0.0.1:{self.app_port}"
        prober = "" if not h2c else f'url = "http://127.0.0.1:{self.app_port}"\n'
        if h2c:
            url = f"http://127.0.0.1:{self.h2c_port}"
        (self.tmp / "holdshort.toml").write_text(f"""
[app]
url = "{url}"
[agent]
listen = "127.0.0.1:{self.agent_port}"
log_format = "json"
[gate]
listen = "[::]:{self.port}"
{gate_keys}
[probes.control]
type = "http"
path = "/control"
{prober}interval = "{INTERVAL:.0f}s"
timeout = "{TIMEOUT * 1000:.0f}ms"
""")
        self.log = self.tmp / "agent.log"
        limited = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))) if limit else None
        self.agent = self.start(holdshort, "run", "--config", self.tmp / "holdshort.toml", stdout=open(self.log, "wb"), preexec_fn=limited)

    def start(self, *command, **options):
        env = {**os.environ, "NODE_PATH": str(MODULES / "node_modules")}
        process = subprocess.Popen([str(word) for word in command], env=env, **options)
        self.processes.append(process)
        return process

    def ready(self):
        return until(lambda: ask(self.port, "/.holdshort/readyz")[0] == 200)

    def health_ms(self):
        """None where it is not 200."""
        began = time.monotonic()
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
            client.sendall(b"GET /.holdshort/readyz HTTP/1.1\r\nHost: a\r\n\r\n")
            status = client.recv(4096)[9:12]
        return (time.monotonic() - began) * 1000 if status == b"200" else None

    def break_control(self):
        self.control.write_text("broken")

    def seen(self):
        return json.loads(ask(self.app_port, "/seen")[1])

    def logged(self, event):
        """Epoch milliseconds of each such line."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if f'"{event}"' in line]
        return [parse_time(line["time"]) for line in lines]

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.terminate()
        for process in self.processes:
            process.wait(10)
        shutil.rmtree(self.tmp, ignore_errors=True)


def parse_time(text):
    from datetime import datetime
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000


class Load:
    """Clients with kept connections that ask as fast as they are answered, and note what they get."""

    def __init__(self, port, clients=8):
        self.port, self.going = port, True
        self.statuses, self.broken, self.closed = {}, 0, 0
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self.ask, daemon=True) for _ in range(clients)]
        for thread in self.threads:
            thread.start()

    def ask(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        while self.going:
            try:
                connection.request("GET", "/")
                answer = connection.getresponse()
                body = answer.read()
                kind = answer.status if answer.status != 200 or body == b"hello\n" else "cut"
                with self.lock:
                    self.statuses[kind] = self.statuses.get(kind, 0) + 1
                if answer.status != 200:
                    time.sleep(0.01)
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError, ConnectionRefusedError):
                with self.lock:  # a kept connection was closed while the request was on its way: RFC 9112 9.3.1 lets the client repeat it
                    self.closed += 1
                connection.close()
                time.sleep(0.01)
            except (OSError, http.client.HTTPException):
                with self.lock:
                    self.broken += 1
                connection.close()
        connection.close()

    def stop(self):
        self.going = False
        for thread in self.threads:
            thread.join(15)


def passes(holdshort, mib):
    stage = Stage(holdshort)
    try:
        until(lambda: ask(stage.port, "/.holdshort/readyz")[0])
        say("the health path answers 503 before the app is up", ask(stage.port, "/.holdshort/readyz")[0] == 503)
        say("the gate opens", stage.ready())
        gate = f"127.0.0.1:{stage.port}"
        for host in ("127.0.0.1", "[::1]"):
            say(f"Express answers by {host}", run("curl", "-s", f"http://{host}:{stage.port}/") == "hello\n")
        env = {**os.environ, "NODE_PATH": str(MODULES / "node_modules")}
        said = run("node", HERE / "gate" / "ws.js", f"ws://{gate}/ws", env=env)
        say("WebSocket messages of every framing come back", said == "closed 1000 after 7 messages\n", said.strip())
        late = events(stage.port)
        # They come 50 ms apart; who collects them would be hundreds late. A loaded machine may be, once.
        say("events come without delay", len(late) == 20 and sorted(late)[10] < 25, f"{len(late)} events, half of them within {sorted(late)[10]:.0f} ms")
        size = mib << 20
        down = run("sh", "-c", f"curl -s http://{gate}/bytes/{size} | md5sum").split()[0]
        say(f"{mib} MiB down arrive whole", down == run("curl", "-s", f"http://{gate}/sum"), down)
        block, sent = random.Random(2).randbytes(1 << 20), hashlib.md5()
        piece = stage.tmp / "piece"
        with piece.open("wb") as file:
            for i in range(mib):
                file.write(block)
                sent.update(block)
        for name, extra in (("with a length", ["-T", piece]), ("in chunks", ["-H", "Transfer-Encoding: chunked", "-T", piece])):
            up = run("curl", "-s", *extra, f"http://{gate}/bytes")
            say(f"{mib} MiB up {name} arrive whole", up == sent.hexdigest(), up)
        rss = int((Path(f"/proc/{stage.agent.pid}/status").read_text().split("VmRSS:")[1]).split()[0]) / 1024
        say("and the agent has stored little of them", rss < 40, f"{rss:.1f} MB resident")
        stage.app.kill()
        stage.app.wait()
        say("kill -9 of the app: 502", ask(stage.port)[0] == 502)
        say("and the gate closes", until(lambda: ask(stage.port)[0] == 503, LIFETIME + 3 * INTERVAL + 2))
        say("the health path still answers", ask(stage.port, "/.holdshort/readyz") == (503, "not ready"))
    finally:
        stage.close()


def events(port):
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(b"GET /events HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        late, rest = [], b""
        while True:
            bytes_ = client.recv(65536)
            now = time.time() * 1000
            if not bytes_:
                return late
            rest += bytes_
            while b"data: " in rest and b"\n\n" in rest[rest.index(b"data: "):]:
                rest = rest[rest.index(b"data: ") + 6:]
                at = rest.index(b"\n\n")
                late.append(now - float(rest[:at]))
                rest = rest[at + 2:]


def http2(holdshort):
    stage = Stage(holdshort, h2c=True)
    try:
        stage.ready()
        said = run("curl", "-s", "--http2-prior-knowledge", f"http://127.0.0.1:{stage.port}/")
        say("HTTP/2 with prior knowledge", said == "HTTP/2.0\n", said.strip())
        stage.break_control()
        closed = until(lambda: ask(stage.port, "/.holdshort/readyz")[0] == 503)
        said = run("curl", "-s", "-D", "-", "--http2-prior-knowledge", f"http://127.0.0.1:{stage.port}/", f"http://127.0.0.1:{stage.port}/").split()
        say("closed, it says so in HTTP/2", closed and said.count("HTTP/2") == 2 and said.count("503") == 2 and "retry-after:" in said, " ".join(said))
    finally:
        stage.close()


def before_nginx(holdshort):
    stage = Stage(holdshort, nginx=True)
    try:
        say("the gate opens before nginx on a socket", stage.ready())
        large = run("sh", "-c", f"curl -s http://127.0.0.1:{stage.port}/large | md5sum").split()[0]
        say("64 MiB of nginx arrive whole", large == hashlib.md5((stage.tmp / "html" / "large").read_bytes()).hexdigest())
        part = run("curl", "-s", "-r", "0-7", f"http://127.0.0.1:{stage.port}/control", f"http://127.0.0.1:{stage.port}/control")
        say("ranges on a kept connection", part == "control\n" * 2)
    finally:
        stage.close()


def readiness_lost(holdshort):
    stage = Stage(holdshort, 'drain = "2s"')
    try:
        stage.ready()
        tunnel = stage.start("node", HERE / "gate" / "ws.js", f"ws://127.0.0.1:{stage.port}/ws", "stay", stdout=subprocess.PIPE, text=True)
        tunnel.stdout.readline()
        load = Load(stage.port)
        time.sleep(1)
        stage.break_control()
        until(lambda: stage.logged("gate.closed"), 5)
        time.sleep(0.5)
        load.stop()
        closed = stage.logged("gate.closed")[0]
        after = [when - closed for when in stage.seen() if when > closed + 20]
        say("readiness lost under load: no request reaches the app after it", not after, f"{load.statuses}, {load.closed} kept connections closed, latest {after[:3]}")
        say("and every response is whole", load.broken == 0 and "cut" not in load.statuses and load.statuses.get(503, 0) > 0)
        ended = until(lambda: tunnel.poll() is not None, 4)
        took = time.time() * 1000 - closed
        say("the tunnel ends after the drain", ended and took > 1900, f"{took / 1000:.1f} s after the gate has closed")
        stage.control.write_text("")
        say("the gate opens again", until(lambda: ask(stage.port)[0] == 200, 10))
    finally:
        stage.close()


def stopped_agent(holdshort):
    stage = Stage(holdshort)
    try:
        stage.ready()
        kept = http.client.HTTPConnection("127.0.0.1", stage.port, timeout=20)
        kept.request("GET", "/")
        kept.getresponse().read()
        before = len(stage.seen())
        stage.agent.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{stage.agent.pid}/task")
        until(lambda: all("State:\tT" in (task / "status").read_text() for task in tasks.iterdir()))
        stage.break_control()
        queued = []
        for _ in range(50):
            client = socket.create_connection(("127.0.0.1", stage.port))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            queued.append(client)
        kept.request("GET", "/")
        time.sleep(LIFETIME + 1)
        stage.agent.send_signal(signal.SIGCONT)
        answers = []
        for client in queued:
            client.settimeout(10)
            answers.append(client.recv(4096)[:12])
        reached = len(stage.seen()) - before
        say("stopped for longer than the verdict may age: nothing queued meanwhile is relayed", reached == 0 and set(answers) == {b"HTTP/1.1 503"},
            f"{reached} of 51 reached the app, answers {sorted(set(answers))}")
    finally:
        stage.close()


def held(holdshort):
    stage = Stage(holdshort, 'when_closed = "hold"\nhold_timeout = "8s"')
    try:
        stage.ready()
        stage.break_control()
        until(lambda: stage.logged("gate.closed"), 5)
        asked = time.monotonic()
        threading.Timer(0.5, lambda: stage.control.write_text("")).start()
        status, body = ask(stage.port)
        took = time.monotonic() - asked
        say("a held request is served as soon as the control holds again", (status, body) == (200, "hello\n") and took < 2.5, f"{status} after {took:.2f} s")
    finally:
        stage.close()


def stop_under_load(holdshort):
    stage = Stage(holdshort)
    try:
        stage.ready()
        answers = []
        slow = [threading.Thread(target=lambda: answers.append(ask(stage.port, "/slow"))) for _ in range(10)]
        for thread in slow:
            thread.start()
        load = Load(stage.port)
        time.sleep(0.5)
        began = time.monotonic()
        stage.agent.terminate()
        status = stage.agent.wait(10)
        took = time.monotonic() - began
        load.stop()
        for thread in slow:
            thread.join(10)
        say("SIGTERM under load: what was accepted is answered", answers == [(200, "slow\n")] * 10 and load.broken == 0 and "cut" not in load.statuses,
            f"{load.statuses}, ended with {status} after {took:.2f} s")
        say("and the agent ends with 0 within the drain", status == 0 and took < 4)
    finally:
        stage.close()


def killed_agent(holdshort):
    stage = Stage(holdshort)
    try:
        stage.ready()
        client = socket.create_connection(("127.0.0.1", stage.port))
        client.sendall(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        time.sleep(0.2)
        stage.agent.kill()
        client.settimeout(5)
        try:
            said = client.recv(100)
        except OSError as error:
            said = type(error).__name__.encode()
        say("kill -9 of the agent: the client learns it at once", said in (b"", b"ConnectionResetError"), said.decode())
        say("and the port is closed", ask(stage.port)[0] == 0)
    finally:
        stage.close()


def few_descriptors(holdshort):
    stage = Stage(holdshort, nginx=True, limit=300)
    try:
        stage.ready()
        request = b"GET /control HTTP/1.1\r\nHost: a\r\n\r\n"

        def answer(client):
            client.settimeout(5)
            client.sendall(request)
            return client.recv(4096)[9:12]

        clients, answers = [], []
        for _ in range(200):
            clients.append(socket.create_connection(("127.0.0.1", stage.port)))
            answers.append(answer(clients[-1]))
        served = [client for client, status in zip(clients, answers) if status == b"200"]
        say("300 descriptors: who finds no room gets 503", set(answers) == {b"200", b"503"}, f"{len(served)} of 200 served")
        silent = [socket.create_connection(("127.0.0.1", stage.port)) for _ in range(300)]
        say("the health path answers among 300 silent clients", all(ask(stage.port, "/.holdshort/readyz")[0] == 200 for _ in range(20)))
        time.sleep(LIFETIME + 1)
        say("the probes go on, the served are kept", all(answer(client) == b"200" for client in served) and not stage.logged("gate.closed"))
        del silent
    finally:
        stage.close()


def crowd(holdshort):
    stage = Stage(holdshort, "max_connections = 12000", nginx=True)
    try:
        stage.ready()
        silent, waits = [], []
        for i in range(10_000):
            client = socket.socket()
            client.connect(("127.0.0.1", stage.port))
            silent.append(client)
            if i % 100 == 0:
                waits.append(stage.health_ms())
        end = time.monotonic() + 3
        while time.monotonic() < end:
            waits.append(stage.health_ms())
            time.sleep(0.01)
        rss = int((Path(f"/proc/{stage.agent.pid}/status").read_text().split("VmHWM:")[1]).split()[0]) / 1024
        late = sorted(waits)[int(len(waits) * 0.99)]
        say("10,000 silent clients that come and go: the health path answers", None not in waits and late < 50, f"p99 {late:.1f} ms, at most {rss:.1f} MB")
        say("in less than 40 MB", rss < 40)
    finally:
        stage.close()


def taken_port(holdshort):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder) / "holdshort.toml"
            config.write_text(f"""
[app]
url = "http://127.0.0.1:1"
[agent]
listen = "127.0.0.1:0"
[gate]
listen = "127.0.0.1:{port}"
[probes.x]
type = "http"
path = "/"
""")
            ended = subprocess.run([holdshort, "run", "--config", str(config)], capture_output=True, text=True, timeout=10)
            say("a port that is taken ends run with status 1 and its name", ended.returncode == 1 and str(port) in ended.stderr, ended.stderr.strip())


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("holdshort", type=lambda path: str(Path(path).resolve()))
    options.add_argument("--mib", type=int, default=1024)
    options = options.parse_args()
    if not all((MODULES / "node_modules" / name).is_dir() for name in PINS):
        MODULES.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", str(MODULES), "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error",
                        *[f"{name}@{version}" for name, version in PINS.items()]], check=True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    passes(options.holdshort, options.mib)
    for act in (http2, before_nginx, readiness_lost, stopped_agent, held, stop_under_load, killed_agent, few_descriptors, crowd, taken_port):
        act(options.holdshort)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
