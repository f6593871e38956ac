#!/usr/bin/env python3
"""The JSON Schema of the configuration, judged by a validator that is not ours.

usage: schema.py HOLDSHORT [FILE ...]     needs python3-jsonschema (4 or later) and Python 3.11
Every valid configuration of the docs, of fly/deploy and the FILEs must fit; each of the broken ones must not. Both are
held against `holdshort validate`. With taplo in $TAPLO the same files go through `taplo check`, as editors do it.
"""
import json, os, re, subprocess, sys, tempfile, tomllib
from pathlib import Path

import jsonschema

ROOT = Path(__file__).resolve().parents[2]
APP = '[app]\nurl = "http://127.0.0.1:3000"\n'
HTTP = '[probes.a]\ntype = "http"\n'

# Each breaks one thing. `validate` must refuse it too.
BROKEN = {
    "no probe": APP,
    "no url": HTTP,
    "unknown table": APP + HTTP + "[probs]\n",
    "unknown key": APP + HTTP + 'intervall = "15s"\n',
    "key of another type": APP + HTTP + "limit = 5\n",
    "unknown type": APP + '[probes.a]\ntype = "htp"\n',
    "no type": APP + '[probes.a]\npath = "/"\n',
    "name with a space": APP + '[probes."a b"]\ntype = "http"\n',
    "bare number for a duration": APP + HTTP + "interval = 15\n",
    "duration without unit": APP + HTTP + 'interval = "15"\n',
    "negative duration": APP + HTTP + 'interval = "-5s"\n',
    "boolean in quotes": APP + HTTP + 'confirm = "yes"\n',
    "status out of range": APP + HTTP + "status = [9999]\n",
    "empty status list": APP + HTTP + "status = []\n",
    "path without slash": APP + HTTP + 'path = "healthz"\n',
    "line break in a header": APP + HTTP + 'headers = { X-A = "a\\r\\nb" }\n',
    "literal secret": APP + '[agent]\nstatus_token = "hunter2"\n' + HTTP,
    "secret of two sources": APP + '[agent]\nstatus_token = { env = "A", file = "/b" }\n' + HTTP,
    "literal bearer": APP + '[identities.a]\nbearer = "hunter2"\n' + HTTP,
    "identity of two kinds": APP + '[identities.a]\nbearer = { env = "A" }\ncookie = { name = "s", value = { env = "B" } }\n' + HTTP,
    "identity of no kind": APP + "[identities.a]\n" + HTTP,
    "jwt without a key": APP + '[probes.j]\ntype = "jwt"\n',
    "jwt with two keys": APP + '[probes.j]\ntype = "jwt"\nsecret = { env = "A" }\ntoken = { env = "B" }\n',
    "secret without a source": APP + '[probes.s]\ntype = "secret"\n',
    "secret with two": APP + '[probes.s]\ntype = "secret"\nenv = "A"\nfile = "/b"\n',
    "limit that is missing": APP + '[probes.r]\ntype = "rate_limit"\nwindow = "1m"\n',
    "empty rules": APP + '[probes.z]\ntype = "authorization"\nrules = []\n',
    "unknown scheme": APP + '[probes.w]\ntype = "webhook"\nsecret = { env = "S" }\nbody = "{}"\nscheme = "gitlab"\n',
    "size without unit": APP + '[probes.i]\ntype = "input_validation"\nbody = "{}"\nmax_body = 5\n',
}

holdshort = str(Path(sys.argv[1]).resolve())
taplo = os.environ.get("TAPLO")
passed = failed = 0
for_taplo = []  # what, text, whether it fits


def expect(what, held, detail=""):
    global passed, failed
    passed, failed = passed + bool(held), failed + (not held)
    if not held:
        print(f"FAIL {what} {detail}")


schema_text = subprocess.run([holdshort, "schema"], check=True, capture_output=True, text=True).stdout
schema = json.loads(schema_text)
validator = jsonschema.Draft202012Validator(schema)
# Readers of draft 7 (taplo among them) must come to the same verdicts.
older = jsonschema.Draft7Validator(schema)
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)
(folder / "holdshort.schema.json").write_text(schema_text)


def validate(text):
    file = folder / "holdshort.toml"
    file.write_text(text)
    return subprocess.run([holdshort, "validate", "--config", file], capture_output=True).returncode == 0


def judge(what, text, fits):
    document = tomllib.loads(text)
    for each in (validator, older):
        errors = [f"{e.json_path}: {e.message}"[:300] for e in each.iter_errors(document)]
        expect(f"{what} ({type(each).__name__})", (not errors) == fits, "; ".join(errors))
    for_taplo.append((what, "#:schema ./holdshort.schema.json\n" + text, fits))


# One run for all: taplo takes a second to start.
def ask_taplo():
    for number, (_, text, _) in enumerate(for_taplo):
        (folder / f"{number}.toml").write_text(text)
    files = [f"{number}.toml" for number in range(len(for_taplo))]
    ran = subprocess.run([taplo, "check", *files], capture_output=True, text=True, cwd=folder)
    invalid = {int(number) for number in re.findall(r'path="[^"]*/(\d+)\.toml"', ran.stderr)}
    for number, (what, _, fits) in enumerate(for_taplo):
        expect(f"{what} (taplo)", (number not in invalid) == fits)


jsonschema.Draft202012Validator.check_schema(schema)
jsonschema.Draft7Validator.check_schema(schema)
expect("docs/holdshort.schema.json is this schema", (ROOT / "docs/holdshort.schema.json").read_text() == schema_text)

valid = 0
sources = [*(ROOT / "docs").glob("*.md"), ROOT / "README.md", *(ROOT / "fly/deploy").rglob("holdshort.toml")]
for source in sources + [Path(file) for file in sys.argv[2:]]:
    text = re.sub(r"@(\w*[A-Z])(\d?)@", r"300\g<2>", source.read_text().replace("@PORT@", "3000"))  # of templates
    blocks = re.findall(r"```toml\n(.*?)```", text, re.S) if source.suffix == ".md" else [text]
    for number, block in enumerate(blocks, 1):
        config = block if "[app]" in block else APP + block
        if not validate(config):
            expect(f"{source} is valid", source.suffix == ".md")  # a page also shows fly.toml and excerpts
            continue
        valid += 1
        judge(f"{source} {number}", config, fits=True)
expect("there were valid ones", valid >= 20, valid)

for what, text in BROKEN.items():
    expect(f"validate refuses: {what}", not validate(text))
    judge(what, text, fits=False)

if taplo:
    ask_taplo()
print(f"schema: {valid} valid and {len(BROKEN)} broken configurations, {passed} passed, {failed} failed")
sys.exit(failed > 0)
