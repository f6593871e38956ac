#!/usr/bin/env python3
"""No secret's value in anything that holdshort puts out, beside an app that repeats whatever it knows or was sent.

usage: redaction.py HOLDSHORT     needs openssl (the program)

Every place of the configuration that can hold a secret holds one of its own. All that `run`, `check`, `status` and
`validate` print, all endpoints, and the diagnostics of files with mistakes are then searched for each of them: as it
is, and in base64, in hex, percent-encoded, escaped as JSON and in halves.
"""
import base64, json, os, random, re, secrets, signal, socket, subprocess, sys, tempfile, threading, time
import urllib.parse, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOLDSHORT = str(Path(sys.argv[1]).resolve())
passed = failed = 0


def expect(what, holds):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds or "-v" in sys.argv:
        print("ok  " if holds else "FAIL", what, flush=True)


def token():
    return "hs" + secrets.token_urlsafe(21) + "&\"/x"  # what JSON, URLs and XML write differently


NAMES = ("STATUS_TOKEN BEARER BASIC_PASSWORD API_KEY COOKIE JWT_SECRET LOGIN_PASSWORD PROBE_JWT GIVEN_TOKEN WEBHOOK SLACK "
         "SIGNING_KEY SHOWN REDIS_PASSWORD EXEC_VALUE DENIED").split()
values = {name: token() for name in NAMES}
values["GIVEN_TOKEN"] = ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in
                                 (b'{"alg":"HS256","typ":"JWT"}', b'{"sub":"probe"}', secrets.token_bytes(32)))
values["DENIED"] = values["SIGNING_KEY"][:-1]
found_token = token()  # what a login answers
everything = json.dumps(values)


class Echo(BaseHTTPRequestHandler):
    """Says all it knows wherever an answer has room for it."""
    protocol_version = "HTTP/1.1"
    turn = 0

    def answer(self):
        Echo.turn += 1
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("latin-1")
        echo = str(self.headers) + sent + everything
        line = re.sub(r"[\r\n]+", " ", echo)[:6000]
        code = random.choice([200, 302, 400, 401, 403, 404, 429, 500]) if mode == "wild" else 200
        if self.path == "/login":
            code, echo = 200, json.dumps({"access_token": found_token, "echo": echo})
        elif mode == "json":
            echo = json.dumps({"echo": echo, "secrets": values})
        body = echo.encode("latin-1", "replace")
        self.send_response_only(code, line[:1000])
        for name in ("Server", "X-Powered-By", "Access-Control-Allow-Origin", "RateLimit", "Retry-After", "WWW-Authenticate", "Content-Type", "Strict-Transport-Security"):
            self.send_header(name, line[:1500])
        self.send_header("Set-Cookie", "session=" + line[:1500].replace(";", ","))
        self.send_header("Location", "http://elsewhere.test/?" + urllib.parse.quote(line[:1500]))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = do_PROPFIND = answer

    def log_message(self, *_):
        pass


mode = "json"


def redis():
    """Refuses whoever comes, quoting what it was sent."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            client, _ = server.accept()
            try:
                while data := client.recv(4096):
                    client.sendall(b"-ERR " + re.sub(rb"[\r\n]+", b" ", data) + everything.encode()[:500] + b"\r\n")
            except OSError:
                pass
    threading.Thread(target=serve, daemon=True).start()
    return server.getsockname()[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def forms(value):
    raw = value.encode()
    yield value
    yield json.dumps(value)[1:-1]
    yield urllib.parse.quote(value, safe="")
    yield urllib.parse.quote_plus(value)
    yield raw.hex()
    for shift in range(3):  # inside of something longer that was encoded
        for encode in base64.b64encode, base64.urlsafe_b64encode:
            yield encode(b"x" * shift + raw).decode().rstrip("=")[4 if shift else 0:-3]
    yield value.replace("&", "&amp;").replace('"', "&quot;")
    yield value[: len(value) // 2]
    yield value[len(value) // 2:]


def search(where, text):
    for name, value in [*values.items(), ("a login's token", found_token)]:
        hit = next((form for form in forms(value) if form in text), None)
        at = text.find(hit) if hit else 0
        expect(f"{where} has no {name}" + (f": ...{text[max(0, at - 80):at + 80]!r}" if hit else ""), not hit)


def configuration(app, redis_port, agent, key):
    return f"""[app]
url = "http://127.0.0.1:{app}"
[agent]
listen = "127.0.0.1:{agent}"
status_token = {{ env = "STATUS_TOKEN" }}
log_level = "debug"
request_budget = 5000
[defaults]
interval = "3s"
timeout = "2s"
[identities.bearer]
bearer = {{ env = "BEARER" }}
[identities.basic]
basic = {{ user = "probe", password = {{ env = "BASIC_PASSWORD" }} }}
[identities.api_key]
api_key = {{ header = "X-API-Key", value = {{ env = "API_KEY" }} }}
[identities.cookie]
cookie = {{ name = "session", value = {{ env = "COOKIE" }} }}
[identities.jwt]
jwt = {{ algorithm = "HS256", secret = {{ env = "JWT_SECRET" }}, claims = {{ sub = "probe" }} }}
[identities.login]
login = {{ path = "/login", body = '{{"user":"probe","password":"${{LOGIN_PASSWORD}}"}}', token = "/access_token" }}
""" + "".join(f"""[probes.guard_{who}]
type = "authentication"
path = "/admin"
as = "{who}"
bypasses = "thorough"
[probes.http_{who}]
type = "http"
path = "/page"
as = "{who}"
status = [299]
body_matches = "absent"
body_not_matches = "."
header_matches = {{ Server = "absent", Location = "^/$" }}
header_absent = ["X-Powered-By"]
json = {{ "/secrets" = 1, "/echo" = "absent" }}
""" for who in ("bearer", "basic", "api_key", "cookie", "jwt", "login")) + f"""[probes.token]
type = "jwt"
path = "/me"
algorithm = "HS256"
secret = {{ env = "PROBE_JWT" }}
[probes.given_token]
type = "jwt"
path = "/me"
token = {{ env = "GIVEN_TOKEN" }}
[probes.signed_token]
type = "jwt"
path = "/me"
algorithm = "RS256"
private_key = {{ file = "{key}" }}
[probes.rules]
type = "authorization"
rules = [{{ as = "bearer", path = "/a", expect = "allow" }}, {{ as = "login", path = "/a", expect = "deny" }}, {{ path = "/a", expect = "deny" }}]
[probes.github]
type = "webhook"
path = "/hook"
secret = {{ env = "WEBHOOK" }}
[probes.slack]
type = "webhook"
path = "/hook"
scheme = "slack"
secret = {{ env = "SLACK" }}
[probes.key]
type = "secret"
env = "SIGNING_KEY"
deny = ["{values['DENIED'].replace('"', chr(92) + '"')}"]
not_in_files = ["{Path(key).parent}"]
[probes.shown]
type = "exposure"
paths = ["/", "/page"]
secrets = [{{ env = "SHOWN" }}, {{ env = "SIGNING_KEY" }}]
[probes.fields]
type = "headers"
preset = "web"
path = "/"
[probes.sites]
type = "cors"
path = "/page"
allowed_origins = ["https://app.example.com"]
[probes.bodies]
type = "input_validation"
path = "/orders"
as = "login"
body = '{{"sku":"LAMP","quantity":2}}'
[probes.limit]
type = "rate_limit"
path = "/search"
as = "api_key"
limit = 5
window = "1m"
[probes.store]
type = "redis"
store = {{ env = "REDIS_URL" }}
key_pattern = "rl:*"
[probes.program]
type = "exec"
command = ["sh", "-c", "echo $EXEC_VALUE; exit 3"]
env = ["EXEC_VALUE"]
"""


def broken(text):
    """Files with one mistake each, at every place where a secret is named or could be written."""
    for name in NAMES:
        reference = f'{{ env = "{name}" }}'
        if reference in text:
            yield f"a literal {name}", text.replace(reference, '"' + values[name].replace('"', '\\"') + '"', 1)
            yield f"an unended {name}", text.replace(reference, '"' + values[name].replace('"', "") + ' # ', 1)
    yield "a literal in the login's body", text.replace("${LOGIN_PASSWORD}", values["LOGIN_PASSWORD"] + "${", 1)
    yield "an unended reference in the login's body", text.replace("${LOGIN_PASSWORD}", "${LOGIN_PASSWORD", 1)


def main():
    global mode
    app = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=app.serve_forever, daemon=True).start()
    tmp = Path(tempfile.mkdtemp(prefix="holdshort-secrets-"))
    agent, store = free_port(), redis()
    key = tmp / "key.pem"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    values["PRIVATE_KEY"] = key.read_text().splitlines()[5]
    env = {**os.environ, **{n: v for n, v in values.items() if n in NAMES},
           "REDIS_URL": "redis://:" + urllib.parse.quote(values["REDIS_PASSWORD"], safe="") + f"@127.0.0.1:{store}/0"}
    text = configuration(app.server_port, store, agent, key)
    file = tmp / "holdshort.toml"
    file.write_text(text)

    def ask(path, method="GET", body=None, secret=values["STATUS_TOKEN"]):
        request = urllib.request.Request(f"http://127.0.0.1:{agent}{path}", body, {"Authorization": "Bearer " + secret}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, str(answer.headers) + answer.read(1 << 24).decode()
        except urllib.error.HTTPError as answer:
            return answer.code, str(answer.headers) + answer.read().decode()

    for mode in "json", "wild":
        file.write_text(text)
        for format in "text", "json", "junit", "sarif":
            run = subprocess.run([HOLDSHORT, "check", "--config", str(file), "--format", format], env=env, capture_output=True, text=True)
            expect(f"check --format {format} has something to report: {run.stderr}", run.returncode in (1, 3) and len(run.stdout) > 5000)
            search(f"check --format {format} ({mode})", run.stdout + run.stderr)
        for log_format in "json", "text":
            file.write_text(text.replace('log_level', f'log_format = "{log_format}"\nlog_level', 1))
            log = open(tmp / "log", "w+")
            running = subprocess.Popen([HOLDSHORT, "run", "--config", str(file)], env=env, stdout=log, stderr=log)
            try:
                for _ in range(100):
                    time.sleep(0.1)
                    try:
                        if '"outcome": null' not in ask("/status")[1]:
                            break
                    except OSError:
                        pass
                for path in "/", "/status", "/metrics", "/readyz", "/readyz?verbose", "/livez", "/readyz/key":
                    code, answer = ask(path)
                    expect(f"{path} answers", code in (200, 503))
                    search(f"{path} ({mode})", answer)
                expect("a wrong token is refused", ask("/status", secret=values["STATUS_TOKEN"][:-1])[0] == 401)
                reason = json.dumps({"ready": False, "reason": "because " + " ".join(values[n] for n in NAMES[:3]), "ttl": "1m"})
                search("POST /override", ask("/override", "POST", reason.encode())[1])
                search("an override's refusal", ask("/override", "POST", ("{" + everything).encode())[1])
                search("the page with an override", ask("/")[1] + ask("/status")[1])
                with urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{agent}/events", headers={"Authorization": "Bearer " + values["STATUS_TOKEN"]}), timeout=5) as events:
                    search("/events", "".join(events.readline().decode() for _ in range(5)))
                shown = subprocess.run([HOLDSHORT, "status", "--url", f"http://127.0.0.1:{agent}"], env={**env, "HOLDSHORT_STATUS_TOKEN": values["STATUS_TOKEN"]}, capture_output=True, text=True)
                expect("holdshort status shows it", shown.returncode == 1)
                search("holdshort status", shown.stdout + shown.stderr)
                file.write_text(text.replace('{ env = "BEARER" }', json.dumps(values["BEARER"]), 1))
                running.send_signal(signal.SIGHUP)
                time.sleep(1)
            finally:
                running.terminate()
                running.wait(10)
            log.seek(0)
            written = log.read()
            for word in "config.rejected", "probe.result", "override.set", "agent.stopped":
                expect(f"the log has {word}", word in written)
            search(f"the {log_format} log ({mode})", written)
            expect("a program repeated a secret, and it was taken out", "***" in written)
    for what, bad in broken(text):
        file.write_text(bad)
        for command in "validate", "check", "run":
            run = subprocess.run([HOLDSHORT, command, "--config", str(file)], env=env, capture_output=True, text=True, timeout=20)
            expect(f"{command} refuses {what}: {run.returncode} {run.stderr[:300]}", run.returncode in (1, 2))
            search(f"{command} of {what}", run.stdout + run.stderr)
    app.shutdown()
    subprocess.run(["rm", "-r", str(tmp)])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
