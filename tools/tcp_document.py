#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes what the tests show of TCP into docs/protocols/tcp.md, between its marks.

    tools/tcp_document.py [BUILD]            runs the tests of build/release, rewrites the page
    tools/tcp_document.py --check [BUILD]    a test: fails when the page says something else

Clauses: tests/stack/tcp/rfc9293.txt has each label of RFC 9293, appendix B. A scenario
(tests/scenario/tcp/*.scn) names in comments the labels that it shows; a test in C does so in the comment
above its function. A label passes when there are such tests and all of them do.

The matrix of states and segments is what test_tcp_matrix --table prints, which has compared it with
the model before.
"""
import os
import re
import subprocess
import sys

PAGE = "docs/protocols/tcp.md"
LABEL = re.compile(r"\b(?:MUST|SHLD|MAY|REC)-\d+\b")
FUNCTION = re.compile(r"/\*((?:(?!\*/).)*)\*/\s*static void (\w+)\(void \*\*", re.S)
REMARKS = ("SKIPS", "DEVIATES", "NOTE", "APPLICATION")


def read_clauses():
    """Label → [section, text, remarks]."""
    clauses, last = {}, None
    with open("tests/stack/tcp/rfc9293.txt", encoding="utf-8") as file:
        for line in file:
            if line.startswith("#") or not line.strip():
                continue
            if not line.startswith(" "):
                label, section, text = line.rstrip().split(" ", 2)
                last = clauses[label] = [section, text, []]
            elif line.strip().split(":")[0] in REMARKS:
                last[2].append(line.strip())
            else:
                last[2][-1] += " " + line.strip()
    return clauses


def find_tags():
    """Label → tests that show it, each (program, name of the test in its output, how to call it)."""
    tags = {}

    def note(text, test):
        for label in LABEL.findall(text):
            if test not in tags.setdefault(label, []):
                tags[label].append(test)

    folder = "tests/scenario/tcp"
    for name in sorted(os.listdir(folder)):
        path = f"{folder}/{name}"
        with open(path, encoding="utf-8") as file:
            comments = " ".join(line for line in file if line.startswith("#"))
        note(comments, ("tests/stack/tcp/test_tcp_scenarios", path, name[:-4]))
    for top in ("tests/stack", "tests/wire", "tests/io", "tests/sim"):
        for where, _, names in sorted(os.walk(top)):
            for name in sorted(n for n in names if n.startswith("test_") and n.endswith(".c")):
                with open(f"{where}/{name}", encoding="utf-8") as file:
                    for comment, function in FUNCTION.findall(file.read()):
                        if "RFC 9293" in comment:
                            note(comment, (f"{where}/{name[:-2]}", function, name[:-2]))
    return tags


def run(build, program):
    """Name of test → did it pass?"""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP")
    done = subprocess.run([f"{build}/{program}"], env=env, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    results = {}
    for good, name in re.findall(r"^(not )?ok \d+ - (.*)$", done.stdout.decode(errors="replace"), re.M):
        results[name.strip()] = not good
    return results


class Results:
    def __init__(self, build):
        self.build = build
        self.known = {}

    def passed(self, test):
        program, name, _ = test
        if program not in self.known:
            self.known[program] = run(self.build, program)
        results = self.known[program]
        # A function that runs under other names (test_tcp_matrix): all of them count.
        return results.get(name, bool(results) and all(results.values()))


def shown_by(tests):
    names = []
    for _, name, short in tests:
        text = f"`{short}`" if name.endswith(".scn") or short == "test_tcp_matrix" else f"`{short}`: {name}"
        if text not in names:
            names.append(text)
    return ", ".join(names)


def clause_table(results):
    clauses, tags = read_clauses(), find_tags()
    unknown = sorted(set(tags) - set(clauses))
    if unknown:
        sys.exit(f"tests name labels that RFC 9293 has not: {', '.join(unknown)}")
    rows, counts = [], {}
    for label, (section, text, remarks) in clauses.items():
        tests = tags.get(label, [])
        kinds = {remark.split(":")[0] for remark in remarks}
        if tests and not all(results.passed(test) for test in tests):
            result = "**fails**"
        elif tests:
            result = "passes in part" if kinds & {"SKIPS", "DEVIATES"} else "passes"
        elif "APPLICATION" in kinds:
            result = "a rule for applications"
        elif "SKIPS" in kinds:
            result = "not done"
        elif "DEVIATES" in kinds:
            result = "done otherwise"
        else:
            result = "**no test**"
        counts[result] = counts.get(result, 0) + 1
        said = " ".join(f"*{r}*" if ":" in r else "" for r in remarks).strip()
        rows.append(f"| {label} | §{section} | {text}{' ' + said if said else ''} | {shown_by(tests)} "
                    f"| {result} |")
    summary = ", ".join(f"{count} {result.strip('*')}" for result, count in sorted(
        counts.items(), key=lambda item: -item[1]))
    return [f"{len(clauses)} labels: {summary}.", "", "| label | section | asks | shown by | |",
            "|---|---|---|---|---|", *rows]


def matrix(build):
    done = subprocess.run([f"{build}/tests/stack/tcp/test_tcp_matrix", "--table"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit("test_tcp_matrix --table fails")
    lines = done.stdout.decode().splitlines()
    return [line for line in lines if line.startswith("|") or re.match(r"\d+\. ", line) or not line]


def fill(page, name, lines):
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    return before + begin + "\n" + "\n".join(lines).strip() + "\n\n" + end + after


def main():
    arguments = sys.argv[1:]
    check = "--check" in arguments
    builds = [a for a in arguments if not a.startswith("-")]
    build = builds[0] if builds else "build/release"
    with open(PAGE, encoding="utf-8") as file:
        old = file.read()
    new = fill(old, "clauses", clause_table(Results(build)))
    new = fill(new, "matrix", matrix(build))
    if not check:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(new)
        return 0
    stale = new != old
    failed = "**fails**" in new
    print(f"{'not ' if stale else ''}ok 1 - {PAGE} says what the tests show (tools/tcp_document.py writes it)")
    print(f"{'not ' if failed else ''}ok 2 - no clause of RFC 9293 fails")
    return stale or failed


sys.exit(main())
