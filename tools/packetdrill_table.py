#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Plays a folder of packetdrill scripts and prints what does not pass as a Markdown table.

    tools/packetdrill_table.py [--without WORDS] [-D NAME=VALUE]... [--page] FOLDER

The folder is the user's: google/packetdrill's public scripts, for instance, of which
gtests/net/tcp wants -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable. --without leaves out
paths that have one of the words in them, by default those that only Linux can pass. --why names
the file with the reasons for what does not pass; --page writes docs/packetdrill.md with them.
"""
import argparse
import datetime
import json
import os
import subprocess
import sys

LINUX_ONLY = "zerocopy,timestamping,inq,gro,ioctl,sendfile,splice"


PAGE = "docs/packetdrill.md"
HEAD = """# Public packetdrill scripts

[google/packetdrill](https://github.com/google/packetdrill) comes with scripts that say what Linux's TCP does, under `gtests/net/tcp`. They are not a part of
this repository. This is how the stack does under the `linux` profile, in virtual time, with every script that is not about a feature of
Linux alone (left out: {without}).

**{date}: {passed} of {scripts} scripts pass**, {failed} fail, {wrong} are not understood, {skipped} are skipped. Those that do not pass:

{table}

To run them and to write this page again:

```
git clone https://github.com/google/packetdrill
tools/packetdrill_table.py -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable --page packetdrill/gtests/net/tcp
wholenet script -v -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable packetdrill/gtests/net/tcp/FILE.pkt
```

The second line plays them all, the third one with every event told. The reasons are kept in `tools/packetdrill_why.txt`. The scripts of our own, one for each
behaviour, are in `tests/scenario/pkt/`, and `make test` plays them.
"""


def reasons(path):
    """The reasons by script."""
    out = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            name, colon, why = line.strip().partition(": ")
            if colon and not line.startswith("#"):
                out[name] = why
    return out


def table(report, folder, why, everything):
    """The results as the rows of a Markdown table."""
    rows = ["| script | line | outcome | what | why |", "|---|---|---|---|---|"]
    for result in report["results"]:
        if result["outcome"] == "passed" and not everything:
            continue
        lines = [" ".join(line.split()) for line in result.get("message", "").split("\n")]
        what = "; ".join(line for line in lines if line).replace("|", "\\|")
        name = os.path.relpath(result["file"], folder)
        line = result["line"] or ""
        rows.append(f"| {name} | {line} | {result['outcome']} | {what} | {why.get(name, '')} |")
    return "\n".join(rows)


def say(report):
    return (f"{report['passed']} of {report['scripts']} scripts pass "
            f"({report['failed']} fail, {report['wrong']} are not understood, "
            f"{report['skipped']} are skipped).")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--program", default="build/release/wholenet")
    parser.add_argument("--profile", default="linux")
    parser.add_argument("--without", default=LINUX_ONLY, metavar="WORDS", help="comma-separated")
    parser.add_argument("-D", dest="defines", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--why", default="tools/packetdrill_why.txt", metavar="FILE")
    parser.add_argument("--page", action="store_true", help=f"write {PAGE}")
    parser.add_argument("--all", action="store_true", help="also the scripts that pass")
    options = parser.parse_args()

    words = [word for word in options.without.split(",") if word]
    files = []
    for folder, _, names in os.walk(options.folder):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith(".pkt") and not any(
                word in os.path.relpath(path, options.folder) for word in words
            ):
                files.append(path)
    command = [options.program, "script", "--json", "--profile", options.profile]
    for define in options.defines:
        command += ["-D", define]
    done = subprocess.run(command + sorted(files), capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr or f"{options.program} ended with {done.returncode}")
    report = json.loads(done.stdout)

    rows = table(report, options.folder, reasons(options.why), options.all)
    if options.page:
        numbers = {name: report[name] for name in
                   ("passed", "scripts", "failed", "wrong", "skipped")}
        with open(PAGE, "w", encoding="utf-8") as page:
            page.write(HEAD.format(date=datetime.date.today().isoformat(), table=rows,
                                   without=", ".join(words), **numbers))
    print(say(report) + "\n\n" + rows)


main()
