#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Writes what the tests show of HTTP, and of multicast DNS, into docs/protocols/, between their marks.

    tools/http_document.py [BUILD]            runs the tests of build/release, rewrites the pages
    tools/http_document.py --check [BUILD]    a test: fails when a page says something else

Clauses: tests/wire/http/rfc*.txt, tests/proto/http/rfc*.txt, tests/proto/dns/rfc*.txt. A test names the labels that it shows in the
comment above it.
"""
import re
import sys

import clause_table

LABEL = re.compile(r"\b\d{4}/[\d.]+-[pc]?\d+\b")
PAGES = {
    "docs/protocols/http.md": {"rfc9110": "tests/wire/http/rfc9110.txt",
                               "rfc9112": "tests/wire/http/rfc9112.txt"},
    "docs/protocols/http-cache.md": {"rfc9111": "tests/proto/http/rfc9111.txt"},
    "docs/protocols/http-proxy.md": {"proxy": "tests/app/proxy/rfc911x.txt"},
    "docs/protocols/http-client.md": {"client": "tests/cli/rfc911x.txt"},
    "docs/protocols/mdns.md": {"rfc6762": "tests/proto/dns/rfc6762.txt"},
}
# Scripts whose lines say which label they show, and the list of those.
SCRIPTS = {"tests/app/proxy/test_proxy_clauses.sh": "proxy", "tests/cli/test_get_clauses.sh": "client"}


def main():
    build, check = clause_table.arguments()
    tags = clause_table.Tags(LABEL)
    tags.find_in_tests(("tests/wire/http", "tests/proto/http", "tests/proto/dns", "tests/app/web"))
    results = clause_table.Results(build)
    lists = {name: clause_table.read_clauses(path) for page in PAGES.values() for name, path in page.items()}
    for script, name in SCRIPTS.items():
        tags.find_in_script(script, lists[name])
    unknown = sorted(label for label in tags.of if not any(label in known for known in lists.values()))
    if unknown:
        sys.exit(f"tests name labels that no list of clauses has: {', '.join(unknown)}")
    status = 0
    for page, names in PAGES.items():
        tables = {}
        for name in names:
            own = clause_table.Tags(LABEL)
            own.of = {label: tests for label, tests in tags.of.items() if label in lists[name]}
            tables[name] = clause_table.clause_table(lists[name], own, results)
        status |= clause_table.write(page, "tools/http_document.py", tables, check)
    return status


sys.exit(main())
