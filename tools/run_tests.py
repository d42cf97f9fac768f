#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Runs every test and ends with one line: N passed, N failed, N skipped.

A test is a program that prints TAP: cmocka binaries, scripts tests/**/*.sh, the checks in tools/.
Programs that print no plan count as one test, by their exit status.

As many run at a time as there are processors: scripts first, which mostly wait; then programs, which
compute; at the end, one by one, those that measure.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import threading
import time

LINE = re.compile(r"^(not )?ok\b\s*(\d+)?\s*-?\s*(.*)$")
VARIANTS = ("asan", "release")
MUTATIONS = 20000  # of each fuzz target's corpus
# Of those of which one input is a whole resolution, a whole life, a zone and its history.
MUTATIONS_OF = {"fuzz_resolver": 1500, "fuzz_cache": 5000, "fuzz_zone_change": 2000,
                "fuzz_tls_stream": 3000, "fuzz_rate_limit": 5000, "fuzz_mdns": 5000}

# What they assert is a rate, a delay, or how much goes through.
MEASURES = ("tests/app/proxy/test_proxy_rate.sh", "tests/app/test_names_forward_tls.sh",
            "tests/run/test_run_impairments.sh", "tests/run/test_run_load.sh",
            "tests/run/test_run_storm.sh", "tests/app/web/test_web_serve.sh")


class Totals:
    passed = failed = skipped = 0
    lock = threading.Lock()


def find(top, prefix, suffix):
    found = []
    for folder, _, names in os.walk(top):
        found += [os.path.join(folder, n) for n in names if n.startswith(prefix) and n.endswith(suffix)]
    return sorted(found)


def count(output, status, name, totals):
    """Adds what the output says; returns the lines that tell of failures."""
    failures, results = [], 0
    notes = []
    for line in output.splitlines():
        match = LINE.match(line)
        if not match:
            notes.append(line)
            continue
        results += 1
        if re.search(r"#\s*skip", line, re.I):  # cmocka writes "not ok" before it
            totals.skipped += 1
            print(f"  skipped: {name}: {match.group(3)}", flush=True)
        elif match.group(1):
            totals.failed += 1
            failures += notes[-30:] + [line]
        else:
            totals.passed += 1
        notes = []
    if status != 0 and not failures:
        totals.failed += 1
        failures = notes[-60:] + [f"{name}: exit status {status}"]
    elif results == 0 and status == 0:
        totals.passed += 1
    return failures


def run(command, name, totals, environment=None, timeout=600):
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", LC_ALL="C.UTF-8",
               ASAN_OPTIONS="detect_leaks=1:abort_on_error=0", UBSAN_OPTIONS="print_stacktrace=1")
    env.update(environment or {})
    began = time.monotonic()
    try:
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, timeout=timeout)
        output, status = done.stdout.decode(errors="replace"), done.returncode
    except subprocess.TimeoutExpired as e:
        output = (e.stdout or b"").decode(errors="replace")
        status = f"none: stopped after {timeout} s"
    seconds = time.monotonic() - began
    with totals.lock:
        failures = count(output, status, name, totals)
        mark = "FAIL" if failures else "ok"
        print(f"{mark:4} {seconds:6.1f} s  {name}", flush=True)
        for line in failures:
            print(f"      {line}", flush=True)


def run_all(tests, totals, jobs):
    """Each of `tests` is what run() takes, less the totals."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        began = [pool.submit(run, command, name, totals, *more) for command, name, *more in tests]
        for one in began:
            one.result()


def build(variant, *targets, **variables):
    settings = [f"{k}={v}" for k, v in variables.items()]
    command = ["make", "--no-print-directory", "-s", f"-j{os.cpu_count()}", f"VARIANT={variant}",
               "WERROR=1", *settings, *targets]
    if subprocess.run(command).returncode != 0:
        print(f"the {variant} build failed; nothing was tested")
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)


def programs(variants, only):
    for variant in variants:
        for path in find(f"build/{variant}/tests", "test_", ""):
            source = path[len(f"build/{variant}/"):] + ".c"
            if os.access(path, os.X_OK) and "." not in os.path.basename(path) and \
               os.path.exists(source) and only in path:
                yield [path], path, {"VARIANT": variant}


def checks(variant, only):
    if only in "check_floors":
        yield [sys.executable, "tools/check_floors.py", f"build/{variant}"], "tools/check_floors.py"


def fuzzers(variant, only, quick):
    for path in find("fuzz", "fuzz_", ".c"):
        name = os.path.basename(path)[:-2]
        binary = f"build/{variant}/fuzz/{name}"
        if only in name and os.path.exists(binary):
            rounds = MUTATIONS_OF.get(name, MUTATIONS) // (10 if quick else 1)
            yield [binary, "--replay", f"fuzz/corpus/{name[5:]}", "--mutations", str(rounds)], binary


def scripts(only):
    for path in find("tests", "test_", ".sh"):
        if only in path:
            yield [path], path


def main():
    parser = argparse.ArgumentParser(description="Runs the tests.")
    parser.add_argument("--quick", metavar="VARIANT", help="unit tests of one variant, built already")
    parser.add_argument("--only", default="", help="only tests whose name contains this")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="so many at a time")
    args = parser.parse_args()
    totals = Totals()
    began = time.monotonic()

    variants = [args.quick] if args.quick else list(VARIANTS)
    if not args.quick:
        for variant in variants:
            build(variant, "programs", *(["benches"] if variant == "release" else []))
    waiting = [] if args.quick else list(scripts(args.only))
    measuring = [test for test in waiting if test[1] in MEASURES]
    waiting = [test for test in waiting if test[1] not in MEASURES]
    computing = [*checks(variants[-1], args.only), *programs(variants, args.only),
                 *fuzzers(variants[0], args.only, args.quick)]
    run_all(waiting + computing, totals, args.jobs)
    run_all(measuring, totals, 1)

    print(f"in {time.monotonic() - began:.0f} s")
    print(f"{totals.passed} passed, {totals.failed} failed, {totals.skipped} skipped")
    sys.exit(1 if totals.failed else 0)


main()
