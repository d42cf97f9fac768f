#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes what the tests show of HTTP into docs/protocols/http.md, between its marks.

    tools/http_document.py [BUILD]            runs the tests of build/release, rewrites the page
    tools/http_document.py --check [BUILD]    a test: fails when the page says something else

Clauses: tests/wire/http/rfc*.txt. A test names the labels that it shows in the comment above it.
"""
import re
import sys

import clause_table

LABEL = re.compile(r"\b\d{4}/[\d.]+-\d+\b")
RFCS = ("9110", "9112")


def main():
    build, check = clause_table.arguments()
    tags = clause_table.Tags(LABEL)
    tags.find_in_tests(("tests/wire/http", "tests/proto/http", "tests/app/web"))
    results = clause_table.Results(build)
    lists = {rfc: clause_table.read_clauses(f"tests/wire/http/rfc{rfc}.txt") for rfc in RFCS}
    unknown = sorted(label for label in tags.of if not any(label in known for known in lists.values()))
    if unknown:
        sys.exit(f"tests name labels that no list of clauses has: {', '.join(unknown)}")
    tables = {}
    for rfc, clauses in lists.items():
        own = clause_table.Tags(LABEL)
        own.of = {label: tests for label, tests in tags.of.items() if label in clauses}
        tables[f"rfc{rfc}"] = clause_table.clause_table(clauses, own, results)
    return clause_table.write("docs/protocols/http.md", "tools/http_document.py", tables, check)


sys.exit(main())
