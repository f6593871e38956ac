#!/usr/bin/env python3
"""Every check in reports of real runs is one that `holdshort explain` knows, and ends as it says there.

usage: check_ids.py HOLDSHORT REPORT ...     reports of check --format json; files that are none are passed over
The unit tests hold their own runs against the same rows; this is for those against real servers.
"""
import fnmatch, functools, json, re, subprocess, sys
from collections import Counter

ENDS = {"pass or fail": {"pass", "fail"}, "pass or skipped": {"pass"}, "pass": {"pass"}, "fail": {"fail"}, "no verdict": set()}


@functools.cache
def rows(kind):
    text = subprocess.run([sys.argv[1], "explain", kind], check=True, capture_output=True, text=True).stdout
    found = dict(re.findall(r"^  (\S+\.\S+|internal): (%s)$" % "|".join(ENDS), text, re.M))
    assert found, f"explain {kind} lists no checks"
    return found


def row_of(kind, name):
    return next((ends for pattern, ends in rows(kind).items() if fnmatch.fnmatchcase(name, pattern)), None)


seen, wrong = Counter(), []
for file in sys.argv[2:]:
    try:
        report = json.load(open(file))
    except ValueError:  # no report: the configuration was meant to be invalid
        continue
    for probe in report["probes"]:
        for check in probe["checks"]:
            seen[check["id"]] += 1
            ends = row_of(probe["type"], check["id"])
            if ends is None:
                wrong.append(f"{file}: {check['id']} is not declared")
            elif check["outcome"] in ("pass", "fail") and check["outcome"] not in ENDS[ends]:
                wrong.append(f"{file}: {check['id']} ended as {check['outcome']}, declared as: {ends}")
print("\n".join(sorted(set(wrong))[:50]))
print(f"{seen.total()} checks of {len(seen)} ids in {len(sys.argv) - 2} reports, {len(wrong)} wrong")
sys.exit(not seen or bool(wrong))
