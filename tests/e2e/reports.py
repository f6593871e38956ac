#!/usr/bin/env python3
"""The reports of `holdshort check` against a hostile app, validated against their schemas.

usage: reports.py HOLDSHORT     needs xmllint and python3-jsonschema (Debian), and npm for the SARIF schema
"""
import json, os, subprocess, sys, tempfile, threading, xml.etree.ElementTree as xml
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jsonschema

HERE = Path(__file__).resolve().parent
MODULES = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "holdshort-e2e"
SCHEMA = "@microsoft/jest-sarif", "1.0.0-beta.0", "lib/schemas/sarif-2.1.0-rtm.5.json"
NASTY = b"]]></failure><script>alert(1)</script>&'\"\x01\x1b[31m\x9b\xff\xfe\xed\xa0\x80 \xe2\x80\xae rt"
CONFIG = """[app]
url = "http://127.0.0.1:PORT"

[probes.locked]
type = "authentication"
path = "/admin"
interval = "30s"

[probes.nasty]
type = "http"
path = "/nasty"
body_matches = "never there"
description = "<b>&"

[probes.absent]
type = "http"
url = "http://127.0.0.1:1"
"""


class App(BaseHTTPRequestHandler):
    """Grants what it should refuse, and answers bytes that no report expects."""

    def answer(self):
        self.send_response_only(200, "OK")
        self._headers_buffer.append(b"X-Nasty: " + NASTY + b"\r\n")
        self.send_header("Content-Length", str(len(NASTY)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(NASTY)

    do_GET = do_HEAD = do_POST = answer

    def log_message(self, *_):
        pass


def sarif_schema():
    package, version, path = SCHEMA
    home = MODULES / "sarif"
    file = home / "node_modules" / package / path
    if not file.exists():
        home.mkdir(parents=True, exist_ok=True)
        (home / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--legacy-peer-deps",
                        f"{package}@{version}"], cwd=home, check=True)
    return json.loads(file.read_text())


def main():
    holdshort = str(Path(sys.argv[1]).resolve())
    server = ThreadingHTTPServer(("127.0.0.1", 0), App)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    tmp = Path(tempfile.mkdtemp(prefix="holdshort-reports-"))
    (tmp / "holdshort.toml").write_text(CONFIG.replace("PORT", str(server.server_port)))
    passed, failed = 0, 0

    def expect(what, holds):
        nonlocal passed, failed
        passed, failed = passed + bool(holds), failed + (not holds)
        print("ok  " if holds else "FAIL", what)

    def check(form):
        file = tmp / form
        code = subprocess.run([holdshort, "check", "--format", form, "--output", str(file)], cwd=tmp, timeout=120).returncode
        expect(f"{form}: exit 1 for a control that is broken", code == 1)
        return file

    truth = json.loads(check("json").read_bytes())
    checks = [(probe, one) for probe in truth["probes"] for one in probe["checks"]]

    junit = check("junit")
    lint = subprocess.run(["xmllint", "--noout", "--schema", str(HERE / "junit.xsd"), str(junit)], capture_output=True, text=True)
    expect("junit: valid against the schema " + (lint.stderr if lint.returncode else ""), lint.returncode == 0)
    suites = xml.parse(junit).getroot()
    expect("junit: a testsuite for every probe", [s.get("name") for s in suites] == [p["name"] for p in truth["probes"]])
    expect("junit: a testcase for every check", len(list(suites.iter("testcase"))) == len(checks))
    for tag, outcome in ("failure", "fail"), ("error", "inconclusive"):
        expect(f"junit: {tag} is {outcome}", len(list(suites.iter(tag))) == sum(c["outcome"] == outcome for _, c in checks))

    sarif = json.loads(check("sarif").read_bytes())
    try:
        jsonschema.Draft7Validator(sarif_schema()).validate(sarif)
        expect("sarif: valid against the schema", True)
    except jsonschema.ValidationError as error:
        expect(f"sarif: valid against the schema: {error.message} at {list(error.absolute_path)}", False)
    results = sarif["runs"][0]["results"]
    expect("sarif: a result for everything that is broken or could not be seen",
           len(results) == sum(c["outcome"] in ("fail", "inconclusive") for _, c in checks))
    lines = (tmp / "holdshort.toml").read_text().splitlines()
    expect("sarif: every result points to its probe's table", all(
        lines[r["locations"][0]["physicalLocation"]["region"]["startLine"] - 1] == f"[probes.{r['properties']['probe']}]" for r in results))
    prints = [r["partialFingerprints"]["primaryLocationLineHash"] for r in results]
    expect("sarif: fingerprints are unique", len(set(prints)) == len(prints))
    again = json.loads(check("sarif").read_bytes())["runs"][0]["results"]
    expect("sarif: fingerprints are the same in the next run", [r["partialFingerprints"]["primaryLocationLineHash"] for r in again] == prints)

    server.shutdown()
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
