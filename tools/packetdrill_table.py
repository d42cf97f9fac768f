#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Plays a folder of packetdrill scripts and prints what does not pass as a Markdown table.

    tools/packetdrill_table.py [--without WORDS] [-D NAME=VALUE]... FOLDER

The folder is the user's: google/packetdrill's public scripts, for instance, of which
gtests/net/tcp wants -D TFO_COOKIE=3021b9d889017eeb -D CODE=host_unreachable. --without leaves out
paths that have one of the words in them, by default those that only Linux can pass.
"""
import argparse
import json
import os
import subprocess
import sys

LINUX_ONLY = "zerocopy,timestamping,inq,gro,ioctl,sendfile,splice"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--program", default="build/release/wholenet")
    parser.add_argument("--profile", default="linux")
    parser.add_argument("--without", default=LINUX_ONLY, metavar="WORDS", help="comma-separated")
    parser.add_argument("-D", dest="defines", action="append", default=[], metavar="NAME=VALUE")
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

    print(f"{report['passed']} of {report['scripts']} scripts pass "
          f"({report['failed']} fail, {report['wrong']} are not understood, "
          f"{report['skipped']} are skipped).\n")
    print("| script | line | outcome | what |\n|---|---|---|---|")
    for result in report["results"]:
        if result["outcome"] == "passed" and not options.all:
            continue
        lines = [" ".join(line.split()) for line in result.get("message", "").split("\n")]
        what = "; ".join(line for line in lines if line).replace("|", "\\|")
        name = os.path.relpath(result["file"], options.folder)
        print(f"| {name} | {result['line'] or ''} | {result['outcome']} | {what} |")


main()
