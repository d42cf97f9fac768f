#!/bin/sh
# SPDX-License-Identifier: ISC
# What RFC 9110 and RFC 9112 demand of a client, clause by clause (rfc911x.txt).
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v python3 >/dev/null || { skip "the clauses" "python3 is not installed"; finish; }
python3 tests/cli/get_clauses.py "$wholenet"
