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

import clause_table

LABEL = re.compile(r"\b(?:MUST|SHLD|MAY|REC)-\d+\b")


def find_tags():
    tags = clause_table.Tags(LABEL)
    folder = "tests/scenario/tcp"
    for name in sorted(os.listdir(folder)):
        path = f"{folder}/{name}"
        with open(path, encoding="utf-8") as file:
            comments = " ".join(line for line in file if line.startswith("#"))
        tags.note(comments, ("tests/stack/tcp/test_tcp_scenarios", path, name[:-4]))
    tags.find_in_tests(("tests/stack", "tests/wire", "tests/io", "tests/sim"), "RFC 9293")
    return tags


def matrix(build):
    done = subprocess.run([f"{build}/tests/stack/tcp/test_tcp_matrix", "--table"],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        sys.exit("test_tcp_matrix --table fails")
    lines = done.stdout.decode().splitlines()
    return [line for line in lines if line.startswith("|") or re.match(r"\d+\. ", line) or not line]


def main():
    build, check = clause_table.arguments()
    clauses = clause_table.read_clauses("tests/stack/tcp/rfc9293.txt")
    tables = {
        "clauses": clause_table.clause_table(clauses, find_tags(), clause_table.Results(build)),
        "matrix": matrix(build),
    }
    return clause_table.write("docs/protocols/tcp.md", "tools/tcp_document.py", tables, check)


sys.exit(main())
