#!/bin/sh
# SPDX-License-Identifier: ISC
# What RFC 9110 and RFC 9112 demand of a proxy, clause by clause (rfc911x.txt).
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
for tool in python3 openssl; do
    command -v $tool >/dev/null || { skip "the clauses" "$tool is not installed"; finish; }
done
port=$((20000 + $$ % 6000))
guarded=$((port + 6000))
echo "ada:$(openssl passwd -6 lovelace)" >"$tmp/users"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "clauses-$$"
proxy { listen = "127.0.0.1:$port" name = open connect-ports = "1-65535" }
proxy { listen = "127.0.0.1:$guarded" name = guarded users = "users" realm = "r" }
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/out.log" 2>&1 &
children="$children $!"
listening() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $1)).close()"; }
wait_for listening "$port"
wait_for listening "$guarded"
python3 tests/app/proxy/proxy_clauses.py "$port" "$guarded"
