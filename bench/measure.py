# SPDX-License-Identifier: ISC
"""What the benchmarks share: programs run in turn, round after round, and tables of ratios."""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

BUILT = os.path.abspath("build/release/bench")


def built(name):
    return os.path.join(BUILT, name)


def present(path):
    return os.path.exists(path)


def pinned(*command):
    """On CPU 0, where a machine lets us choose."""
    return ["taskset", "-c", "0", *map(str, command)] if shutil.which("taskset") else list(command)


def run_json(command, timeout=120):
    """The one line of JSON that the program writes; None, with a word on stderr, when it fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              timeout=timeout, stdin=subprocess.DEVNULL)
        return json.loads(done.stdout)
    except (subprocess.TimeoutExpired, ValueError, OSError) as failure:
        said = getattr(failure, "stderr", None) or (done.stderr if "done" in locals() else "")
        print(f"{' '.join(map(str, command))}: {said or failure}", file=sys.stderr)
        return None


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--json", metavar="FILE", help="write every sample to FILE")
    return parser


def spread(values, digits):
    if not values:
        return "–"
    text = f"{statistics.median(values):,.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
    return text


class Comparison:
    """Samples of ourselves and of one peer, by row; a round of both gives one ratio."""

    def __init__(self, peer, ours="wholenet"):
        self.peer = peer
        self.ours = ours
        self.rows = {}

    def keep(self, row, unit, digits, ours, peers, more_is_better=True):
        """One round's samples; either may be None."""
        entry = self.rows.setdefault(row, {"unit": unit, "digits": digits, "ours": [], "peer": [],
                                           "ratio": []})
        if ours is not None:
            entry["ours"].append(ours)
        if peers is not None:
            entry["peer"].append(peers)
        if ours and peers:
            entry["ratio"].append(ours / peers if more_is_better else peers / ours)

    def table(self):
        lines = [f"| | {self.ours} | {self.peer} | ratio, above 1 is better |", "|---|--:|--:|--:|"]
        for row, entry in self.rows.items():
            cells = [spread(entry[side], entry["digits"]) for side in ("ours", "peer")]
            lines.append(f"| {row}, {entry['unit']} | {cells[0]} | {cells[1]} | "
                         f"{spread(entry['ratio'], 2)} |")
        return "\n".join(lines)


def facts():
    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo")
             if line.startswith("model name")]
    return {"cpu": f"{os.cpu_count()} x {model[0] if model else '?'}",
            "kernel": os.uname().release, "date": time.strftime("%Y-%m-%d"),
            "load": os.getloadavg()[0]}


def finish(title, comparisons, options, extra=None):
    """Prints the tables and writes the samples."""
    known = facts()
    print(f"{title}: {known['cpu']}, Linux {known['kernel']}, {known['date']}, load "
          f"{known['load']:.1f} at the end. Median (min–max) of the rounds.\n")
    for comparison in comparisons:
        if not comparison.rows:
            continue
        print(comparison.table() + "\n")
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"facts": known, "extra": extra,
                       "tables": {c.peer: c.rows for c in comparisons}}, file, indent=1)
