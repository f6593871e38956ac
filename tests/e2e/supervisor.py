#!/usr/bin/env python3
"""Runs apps under `holdshort run -- COMMAND` and looks at them from outside: signals, statuses, descriptors, output.

usage: supervisor.py HOLDSHORT [NAME ...]     the last line is "N passed, M failed"; exits 0 only if none failed
"""
import hashlib, json, os, pty, re, select, signal, socket, subprocess, sys, tempfile, time, urllib.error, urllib.request
from pathlib import Path

HOLDSHORT = ""
CASES = []


def case(function):
    CASES.append(function)
    return function


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stage:
    """A folder, a configuration, an agent with an app."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="holdshort-supervisor-")
        self.tmp = Path(self.folder.name)
        self.port, self.app_port = free_port(), free_port()
        self.env = {**os.environ, "PORT": str(self.app_port), "AGENT": f"http://127.0.0.1:{self.port}", "TMP": str(self.tmp)}
        self.agent = None
        self.configure()

    def configure(self, more="", level="info", probes='[probes.alive]\ntype = "http"\npath = "/"\n'):
        (self.tmp / "holdshort.toml").write_text(
            f'[app]\nurl = "http://127.0.0.1:{self.app_port}"\n[agent]\nlisten = "127.0.0.1:{self.port}"\nlog_level = "{level}"\n'
            f'log_format = "json"\n{more}\n{probes}')

    def start(self, *command, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **options}
        self.agent = subprocess.Popen([HOLDSHORT, "run", "--config", str(self.tmp / "holdshort.toml"), "--", *command],
                                      cwd=self.tmp, env=self.env, **options)
        return self.agent

    def python(self, script, **options):
        """An app in Python that has said "ready"; `script` runs before that."""
        (self.tmp / "app.py").write_text("import os, signal, subprocess, sys, time\n" + script)
        return self.start(sys.executable, "-u", str(self.tmp / "app.py"), **options)

    def file(self, name, limit=5.0):
        """The text of a file that the app writes."""
        path, ends = self.tmp / name, time.monotonic() + limit
        while not (path.exists() and path.read_text().endswith("\n")):
            assert time.monotonic() < ends, f"{name} was not written"
            time.sleep(0.005)
        return path.read_text()

    def end(self, limit=10.0):
        out, err = self.agent.communicate(timeout=limit)
        return self.agent.returncode, out, err

    def close(self):
        if self.agent and self.agent.poll() is None:
            self.agent.kill()
            self.agent.wait()
        self.folder.cleanup()


def events(out):
    return [json.loads(line) for line in out.decode().splitlines() if line.startswith('{"time"')]


def event(out, name):
    found = [e for e in events(out) if e["event"] == name]
    assert found, f"no {name} in {out.decode()[-2000:]}"
    return found[0]


def is_gone(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return True
    return state in "ZX"


def await_gone(pid, limit=3.0):
    ends = time.monotonic() + limit
    while not is_gone(pid):
        if time.monotonic() > ends:
            return False
        time.sleep(0.01)
    return True


WAIT = 'open(os.environ["TMP"] + "/ready", "w").write(str(os.getpid()) + "\\n")\nwhile True: time.sleep(0.01)\n'


@case
def the_status_is_the_apps(stage):
    for script, status in (("exit 0", 0), ("exit 3", 3), ("exit 255", 255), ("kill -KILL $$", 137), ("kill -SEGV $$", 139), ("kill -HUP $$", 129)):
        stage.start("sh", "-c", script)
        code, out, _ = stage.end()
        assert code == status, f"{script}: {code}"
        told = event(out, "app.exited")
        assert told.get("status", told.get("signal")) == (status if status < 128 or status == 255 else status - 128), told


@case
def a_command_that_cannot_run_is_127_or_126(stage):
    (stage.tmp / "plain").write_text("no program")
    for command, status in (("holdshort-no-such-command", 127), ("/no/such/file", 127), (str(stage.tmp / "plain"), 126), ("/", 126)):
        stage.start(command)
        code, out, err = stage.end()
        assert code == status, f"{command}: {code}"
        assert command.encode() in err, err
        assert not [e for e in events(out) if e["event"] == "app.started"]


@case
def an_invalid_configuration_starts_no_app(stage):
    stage.configure(more="intervall = 3")
    stage.start("sh", "-c", "echo started")
    code, out, err = stage.end()
    assert code == 2 and out == b"", (code, out)
    assert b"intervall" in err


@case
def a_port_that_is_taken_starts_no_app(stage):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", stage.port))
        taken.listen()
        stage.start("sh", "-c", "echo started")
        code, out, err = stage.end()
    assert code not in (0, None) and b"started" not in out.replace(b"agent.started", b""), (code, out)
    assert str(stage.port).encode() in err


@case
def no_command_after_the_dashes_is_a_usage_error(stage):
    stage.start()
    assert stage.end()[0] == 2


@case
def the_health_answer_is_up_before_the_app(stage):
    stage.python("""
import urllib.request, urllib.error
try: print("saw", urllib.request.urlopen(os.environ["AGENT"] + "/readyz").status)
except urllib.error.HTTPError as error: print("saw", error.code)
""")
    code, out, _ = stage.end()
    assert b"saw 503\n" in out, out


@case
def signals_reach_the_app_and_sighup_also_reloads(stage):
    stage.python("""
def note(number, frame):
    print("got", signal.Signals(number).name)
    if number == signal.SIGTERM: sys.exit(42)
for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM"): signal.signal(getattr(signal, name), note)
""" + WAIT)
    stage.file("ready")
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM"):
        stage.agent.send_signal(getattr(signal, name))
        time.sleep(0.1)
    code, out, _ = stage.end()
    assert code == 42, code
    for name in ("SIGHUP", "SIGUSR1", "SIGUSR2", "SIGTERM"):
        assert out.count(b"got " + name.encode() + b"\n") == 1, (name, out)
    event(out, "config.reloaded")


@case
def an_invalid_reload_keeps_app_and_configuration(stage):
    stage.python("signal.signal(signal.SIGHUP, lambda *_: print('got SIGHUP'))\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + WAIT)
    stage.file("ready")
    stage.configure(more="intervall = 3")
    stage.agent.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert stage.agent.poll() is None
    stage.agent.send_signal(signal.SIGTERM)
    code, out, err = stage.end()
    assert code == 0 and b"got SIGHUP\n" in out, (code, out)
    event(out, "config.rejected")


@case
def sigint_sigterm_and_sigquit_stop_the_app_with_the_same_signal(stage):
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        (stage.tmp / "ready").unlink(missing_ok=True)
        stage.python(f"signal.signal({int(number)}, lambda *_: sys.exit(7))\n" + WAIT)
        stage.file("ready")
        began = time.monotonic()
        stage.agent.send_signal(number)
        code, out, _ = stage.end()
        assert code == 7 and time.monotonic() - began < 1.5, (number, code)


@case
def a_machine_that_stops_is_not_ready(stage):
    stage.configure(probes='[probes.alive]\ntype = "secret"\nenv = "KEY"\n')
    stage.env["KEY"] = "t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu"
    stage.python("signal.signal(signal.SIGTERM, lambda *_: None)\n" + WAIT)
    stage.file("ready")

    def readyz():
        try:
            return urllib.request.urlopen(stage.env["AGENT"] + "/readyz").status
        except urllib.error.HTTPError as error:
            return error.code

    ends = time.monotonic() + 5
    while readyz() != 200:
        assert time.monotonic() < ends
    stage.agent.send_signal(signal.SIGTERM)
    time.sleep(0.1)
    assert readyz() == 503


@case
def what_still_runs_after_4500_ms_is_killed(stage):
    stage.python("""
ignore = lambda *_: None
signal.signal(signal.SIGTERM, ignore)
child = "import os, signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\nif os.fork(): os.fork()\\nos.setsid() if os.getpid() != os.getsid(0) and os.getpgid(0) != os.getpid() else 0\\nopen(os.environ['TMP'] + '/pid.%d' % os.getpid(), 'w')\\nwhile True: time.sleep(1)"
subprocess.Popen([sys.executable, "-c", child])
while len([n for n in os.listdir(os.environ["TMP"]) if n.startswith("pid.")]) < 3: time.sleep(0.01)
""" + WAIT)
    stage.file("ready")
    began = time.monotonic()
    stage.agent.send_signal(signal.SIGTERM)
    code, out, _ = stage.end()
    took = time.monotonic() - began
    assert code == 137 and 4.4 < took < 4.9, (code, took)
    assert "still ran" in event(out, "app.exited")["message"]
    for name in os.listdir(stage.tmp):
        if name.startswith("pid."):
            assert is_gone(int(name[4:])), name


@case
def orphans_are_reaped(stage):
    stage.python("""
for _ in range(50):
    if os.fork() == 0:
        if os.fork() == 0: time.sleep(0.05)
        os._exit(0)
    os.wait()
""" + WAIT)
    pid = stage.agent.pid
    stage.file("ready")
    ends = time.monotonic() + 5
    while True:
        children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        if len(children) == 1:
            break
        assert time.monotonic() < ends, f"left: {children}"
        time.sleep(0.01)
    stage.agent.send_signal(signal.SIGKILL)


@case
def an_exec_probe_gets_the_status_of_its_command(stage):
    stage.configure(level="debug", probes='[probes.told]\ntype = "exec"\ncommand = ["sh", "-c", "exit 0"]\ninterval = "1s"\ntimeout = "500ms"\n')
    stage.python("""
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for _ in range(100):  # orphans to be reaped meanwhile
    if os.fork() == 0:
        if os.fork() == 0: time.sleep(0.01)
        os._exit(0)
    os.wait()
    time.sleep(0.02)
""" + WAIT)
    stage.file("ready", 15)
    stage.agent.send_signal(signal.SIGTERM)
    code, out, _ = stage.end()
    results = [e for e in events(out) if e["event"] == "probe.result"]
    assert code == 0 and len(results) >= 2, (code, results)
    assert all(e["outcome"] == "pass" for e in results), results


@case
def a_killed_agent_takes_the_app_with_it(stage):
    stage.python("""
def note(*_):
    open(os.environ["TMP"] + "/told", "w").write("SIGTERM\\n")
    os._exit(0)
signal.signal(signal.SIGTERM, note)
""" + WAIT)
    pid = int(stage.file("ready"))
    stage.agent.kill()
    assert stage.file("told") == "SIGTERM\n"
    assert await_gone(pid)


@case
def a_killed_app_ends_the_agent(stage):
    stage.python(WAIT)
    pid = int(stage.file("ready"))
    os.kill(pid, signal.SIGKILL)
    code, out, _ = stage.end(2)
    told = event(out, "app.exited")
    assert code == 137 and told["signal"] == 9 and told["level"] == "error", (code, told)


@case
def standard_input_is_the_apps(stage):
    data = os.urandom(3_000_000)
    stage.start("sh", "-c", "sha256sum", stdin=subprocess.PIPE)
    out, _ = stage.agent.communicate(data, timeout=10)
    assert hashlib.sha256(data).hexdigest().encode() in out, out
    assert stage.agent.returncode == 0


@case
def environment_and_folder_are_the_agents(stage):
    stage.env["ODD"] = "a b\nc="
    stage.python('print(repr(os.environ["ODD"]), os.getcwd() == os.environ["TMP"])\n'
                 'open(os.environ["TMP"] + "/env", "wb").write(open("/proc/self/environ", "rb").read())\n')
    code, out, _ = stage.end()
    assert b"'a b\\nc=' True" in out, out
    seen = set(filter(None, (stage.tmp / "env").read_bytes().split(b"\0")))
    wanted = {f"{k}={v}".encode() for k, v in stage.env.items()}
    assert seen == wanted, seen ^ wanted


@case
def no_descriptor_and_no_signal_state_is_inherited(stage):
    leak = os.open("/dev/null", os.O_RDONLY)
    os.set_inheritable(leak, True)
    script = "for f in /proc/self/fd/*; do echo fd=${f##*/}; done; grep -E '^(SigBlk|SigIgn)' /proc/self/status"
    agent = stage.start("sh", "-c", script, close_fds=False, preexec_fn=lambda: (signal.signal(signal.SIGHUP, signal.SIG_IGN),
                                                                               signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])))
    code, out, _ = stage.end()
    os.close(leak)
    found = sorted(int(n) for n in re.findall(rb"fd=(\d+)", out))
    assert found in ([0, 1, 2], [0, 1, 2, 3]), found  # 3: the shell reads the folder
    assert re.search(rb"SigBlk:\s*0+\n", out) and re.search(rb"SigIgn:\s*0+\n", out), out


@case
def borrowed_images_only_exec(stage):
    for name in ("RELEASE_COMMAND", "FLY_TEST_COMMAND"):
        for value in ("1", ""):
            stage.env[name] = value
            (stage.tmp / "holdshort.toml").write_text("this is no TOML")
            stage.start("sh", "-c", 'echo "$$ $0 $1"; exit 9', "[a]", '"b c"')
            pid = stage.agent.pid
            code, out, err = stage.end()
            assert (code, out, err) == (9, f'{pid} [a] "b c"\n'.encode(), b""), (code, out, err)
        stage.start("/no/such/file")
        assert stage.end()[0] == 127
        del stage.env[name]


NOISE = """
import random, zlib
random.seed(7)
check = 0
done = 0
while done < 60_000_000:
    piece = b"".join(b"%d:" % i + b"x" * random.randrange(400) + b"\\n" for i in range(500))
    if random.random() < 0.05: piece += b"L:" + b"y" * random.randrange(200_000) + b"\\n"
    check = zlib.crc32(piece, check)
    at = 0
    while at < len(piece):  # in pieces that end anywhere
        at += os.write(random.choice((1, 2)), piece[at:at + random.randrange(1, 30_000)])
    done += len(piece)
open(os.environ["TMP"] + "/check", "w").write("%d %d\\n" % (done, check))
os.write(1, b"the last, unfinished line")
sys.exit(0)
"""


@case
def no_log_line_falls_inside_a_line_of_the_app(stage):
    import zlib
    stage.configure(level="debug", probes="".join(
        f'[probes.p{i}]\ntype = "http"\npath = "/"\nstartup_interval = "10ms"\ninterval = "1s"\ntimeout = "500ms"\n' for i in range(8)))
    stage.python(NOISE, stderr=subprocess.STDOUT)
    out, _ = stage.agent.communicate(timeout=60)
    logged, of_the_app = [], []
    for line in out.splitlines(keepends=True):
        (logged if line.startswith(b'{"time"') else of_the_app).append(line)
    for line in logged:
        json.loads(line)
    assert len(logged) > 20, len(logged)
    done, check = map(int, (stage.tmp / "check").read_text().split())
    app = b"".join(of_the_app)
    assert app.endswith(b"the last, unfinished line\n")
    app = app[:-len(b"the last, unfinished line\n")]
    assert (len(app), zlib.crc32(app)) == (done, check), (len(app), done)
    print(f"    {done >> 20} MiB of the app, {len(logged)} lines of the log between its lines")


@case
def an_unfinished_line_does_not_hold_up_the_log(stage):
    stage.python("os.write(1, b'abc')\ntime.sleep(0.5)\nos.write(1, b'def\\n')\n")
    _, out, _ = stage.end()
    assert b"abcdef\n" in out, out


@case
def a_secret_is_seen_in_the_supervised_process(stage):
    stage.configure(probes='[probes.key]\ntype = "secret"\nprocess = { name = "app.py", env = "KEY" }\n')
    stage.env["KEY"] = "t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu"
    stage.python("signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n" + WAIT)
    stage.file("ready")
    ends = time.monotonic() + 5
    while True:
        try:
            assert urllib.request.urlopen(stage.env["AGENT"] + "/readyz").status == 200
            break
        except urllib.error.HTTPError as error:
            assert time.monotonic() < ends, error.read()
            time.sleep(0.02)
    stage.agent.send_signal(signal.SIGTERM)
    assert stage.end()[0] == 0


@case
def when_failing_exit_stops_the_app_and_ends_with_1(stage):
    stage.configure(more='[readiness]\nwhen_failing = "exit"\n', probes='[probes.key]\ntype = "secret"\nfile = "key"\ninterval = "1s"\ntimeout = "500ms"\n')
    (stage.tmp / "key").write_text("t2Zq8mVb4Xw9Lk3Rj7Nc5Ps1Hd6Fy0Gu\n")
    stage.python("def stop(*_):\n    open(os.environ['TMP'] + '/told', 'w').write('SIGTERM\\n')\n    sys.exit(0)\nsignal.signal(signal.SIGTERM, stop)\n" + WAIT)
    stage.file("ready")
    ends = time.monotonic() + 5
    while True:
        try:
            if urllib.request.urlopen(stage.env["AGENT"] + "/readyz").status == 200:
                break
        except urllib.error.HTTPError:
            assert time.monotonic() < ends
    (stage.tmp / "key").write_text("changeme\n")
    code, out, _ = stage.end()
    assert code == 1 and stage.file("told") == "SIGTERM\n", (code, out)


@case
def on_a_terminal_ctrl_c_reaches_the_app_once(stage):
    app = stage.tmp / "app.py"
    app.write_text("import signal, sys, time\nseen = []\nsignal.signal(signal.SIGINT, lambda *_: seen.append(1))\nprint('name? ', end='', flush=True)\n"
                   "print('read', input())\nwhile not seen: time.sleep(0.01)\ntime.sleep(0.3)\nprint('times', len(seen))\nsys.exit(5)\n")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(stage.tmp)
        os.execve(HOLDSHORT, [HOLDSHORT, "run", "--config", str(stage.tmp / "holdshort.toml"), "--", sys.executable, "-u", str(app)], stage.env)
    seen = b""

    def until(what):
        nonlocal seen
        ends = time.monotonic() + 5
        while what not in seen:
            assert time.monotonic() < ends, seen
            if select.select([terminal], [], [], 0.1)[0]:
                try:
                    seen += os.read(terminal, 4096)
                except OSError:
                    break
        assert what in seen, seen

    until(b"name? ")
    os.write(terminal, b"bob\n")
    until(b"read bob")
    os.write(terminal, b"\x03")
    until(b"times 1")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 5
    os.close(terminal)


class Terminal:
    """A process on a terminal of its own, as its session's first."""

    def __init__(self, stage, *command):
        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.chdir(stage.tmp)
            os.execve(command[0], [str(word) for word in command], {**stage.env, "PS1": "$ ", "TERM": "dumb"})
        self.seen = b""

    def until(self, what):
        ends = time.monotonic() + 10
        while what not in self.seen:
            assert time.monotonic() < ends, self.seen
            if select.select([self.end], [], [], 0.1)[0]:
                self.seen += os.read(self.end, 4096)
        self.seen = self.seen.split(what, 1)[1]

    def type(self, text):
        os.write(self.end, text)

    def close(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.end)


TICKS = "import time\nfor i in range(1000): print('tick', i, flush=True); time.sleep(0.05)\n"


@case
def ctrl_z_stops_both_and_fg_continues_both(stage):
    app = stage.tmp / "app.py"
    app.write_text(TICKS)
    shell = Terminal(stage, "/bin/bash", "--norc", "-i")
    try:
        shell.until(b"$ ")
        shell.type(f"{HOLDSHORT} run --config {stage.tmp / 'holdshort.toml'} -- {sys.executable} {app}\n".encode())
        shell.until(b"tick 3")
        shell.type(b"\x1a")
        shell.until(b"Stopped")
        shell.type(b"echo the shell is $((40 + 2)) again\n")
        shell.until(b"the shell is 42 again")
        assert b"tick" not in shell.seen, shell.seen
        shell.type(b"fg\n")
        shell.until(b"tick 1")
        shell.type(b"\x03")  # the app has the terminal again
        shell.until(b"KeyboardInterrupt")
        shell.until(b"$ ")
    finally:
        shell.close()


@case
def ctrl_z_without_a_shell_stops_nothing(stage):
    app = stage.tmp / "app.py"
    app.write_text(TICKS)
    alone = Terminal(stage, HOLDSHORT, "run", "--config", stage.tmp / "holdshort.toml", "--", sys.executable, app)
    try:
        alone.until(b"tick 3")
        alone.type(b"\x1a")
        alone.until(b"tick 20\r\n")
    finally:
        alone.close()


def main():
    global HOLDSHORT
    HOLDSHORT = str(Path(sys.argv[1]).resolve())
    wanted, passed, failed = sys.argv[2:], 0, 0
    for function in CASES:
        if wanted and function.__name__ not in wanted:
            continue
        stage = Stage()
        began = time.monotonic()
        try:
            function(stage)
            passed += 1
            print(f"ok    {function.__name__} ({time.monotonic() - began:.1f} s)", flush=True)
        except Exception as error:
            failed += 1
            print(f"FAIL  {function.__name__}: {type(error).__name__} {error}", flush=True)
        finally:
            stage.close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
