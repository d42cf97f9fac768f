# SPDX-License-Identifier: ISC
"""Tables of what the tests show of an RFC: what the pages of docs/protocols/ are made of.

A list of clauses has a line for each: its label, its section, and in our words what it asks for. Tests name
in comments the labels that they show. A label passes when there are such tests and all of them do.
"""
import os
import re
import subprocess
import sys

FUNCTION = re.compile(r"/\*((?:(?!\*/).)*)\*/\s*static void (\w+)\(void \*\*", re.S)
REMARKS = ("SKIPS", "DEVIATES", "NOTE", "APPLICATION")


def read_clauses(path):
    """Label → [section, text, remarks]."""
    clauses, last = {}, None
    with open(path, encoding="utf-8") as file:
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


class Tags:
    """Label → tests that show it, each (program, name of the test in its output, how to call it)."""

    def __init__(self, label):
        self.label = label  # what a label looks like
        self.of = {}

    def note(self, text, test):
        for label in self.label.findall(text):
            if test not in self.of.setdefault(label, []):
                self.of[label].append(test)

    def find_in_tests(self, tops, wanted=""):
        """In the comments above the functions of tests in C that have `wanted` in them."""
        for top in tops:
            for where, _, names in sorted(os.walk(top)):
                for name in sorted(n for n in names if n.startswith("test_") and n.endswith(".c")):
                    with open(f"{where}/{name}", encoding="utf-8") as file:
                        for comment, function in FUNCTION.findall(file.read()):
                            if wanted in comment:
                                self.note(comment, (f"{where}/{name[:-2]}", function, name[:-2]))

    def find_in_script(self, script, labels):
        """A script whose lines of TAP begin with labels, each of which it shows."""
        for label in labels:
            self.note(label, (script, label, os.path.basename(script)))


def run(build, program):
    """Name of test → did it pass?"""
    env = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="TAP", WHOLENET=os.path.abspath(f"{build}/wholenet"))
    command = program if program.endswith(".sh") else f"{build}/{program}"
    done = subprocess.run([command], env=env, stdout=subprocess.PIPE,
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
        if program.endswith(".sh"):  # each line begins with the label that it shows
            own = [good for line, good in results.items() if line.startswith(name + " ")]
            return bool(own) and all(own)
        # A function that runs under other names (test_tcp_matrix): all of them count.
        return results.get(name, bool(results) and all(results.values()))


def shown_by(tests):
    names = []
    for program, name, short in tests:
        if program.endswith(".sh"):
            names.append(f"`{short}`")
            continue
        text = f"`{short}`" if name.endswith(".scn") or short == "test_tcp_matrix" else f"`{short}`: {name}"
        if text not in names:
            names.append(text)
    return ", ".join(names)


def clause_table(clauses, tags, results):
    unknown = sorted(set(tags.of) - set(clauses))
    if unknown:
        sys.exit(f"tests name labels that no list of clauses has: {', '.join(unknown)}")
    rows, counts = [], {}
    for label, (section, text, remarks) in clauses.items():
        tests = tags.of.get(label, [])
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


def fill(page, name, lines):
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, rest = page.split(begin, 1)
    after = rest.split(end, 1)[1]
    return before + begin + "\n" + "\n".join(lines).strip() + "\n\n" + end + after


def write(page, tool, tables, check):
    """Fills the tables (name → lines) into the page; with `check` only says whether they are there."""
    with open(page, encoding="utf-8") as file:
        old = new = file.read()
    for name, lines in tables.items():
        new = fill(new, name, lines)
    if not check:
        with open(page, "w", encoding="utf-8") as file:
            file.write(new)
        return 0
    stale, failed = new != old, "**fails**" in new
    print(f"{'not ' if stale else ''}ok - {page} says what the tests show ({tool} writes it)")
    print(f"{'not ' if failed else ''}ok - no clause on {page} fails")
    return stale or failed


def arguments():
    """(the build's folder, only check?)"""
    given = [a for a in sys.argv[1:] if not a.startswith("-")]
    return given[0] if given else "build/release", "--check" in sys.argv
