#!/bin/sh
# SPDX-License-Identifier: ISC
# Who is answered, who may have names of others found, who is told what is known of them; and views by
# address and by key with records, lists and rights of their own. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_tree.sh
for tool in nsd dig; do
    command -v $tool >/dev/null || { skip "access" "$tool is not installed"; finish; exit; }
done

port=$((20000 + $$ % 12000))
tree=$((port + 1))
dns_tree_start $tree
secret=c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0hIQ==
printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n' \
    >"$tmp/everybody"
sed 's/192.0.2.2/10.0.0.2/' "$tmp/everybody" >"$tmp/inside"
printf '@ 60 SOA . . 1 2 3 4 5\nwww.example.tree CNAME .\n' >"$tmp/block"
printf '@ 60 SOA . . 1 2 3 4 5\nwww.example.tree A 192.0.2.99\n' >"$tmp/other"
write_site() {
    cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    resolve = recursive
    roots = "$tmp/roots.zone"
    servers-port = $tree
    outgoing = ipv4
    zone = {"one.example $tmp/everybody"}
    policy = {"block.list $tmp/block"}
    key "inside" { secret = "$secret" }
    key "nobody" { secret = "$secret" }
    $1
    view "keyed" {
        clients = {"key inside"}
        zone = {"one.example $tmp/inside"}
        policy = {none}
        recursion-for = {any}
        record = {"only.keyed. A 192.0.2.50"}
    }
    view "narrow" {
        clients = {"127.0.0.2", "127.0.0.3 key nobody"}
        recursion = off
    }
    view "otherwise" {
        clients = {"127.0.0.4"}
        policy = {"other.list $tmp/other"}
        query-for = {any}
    }
}
END
}
write_site ''
"$wholenet" serve -v "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
ask() { dig @127.0.0.1 -p "$port" +time=3 +tries=2 "$@" 2>&1; }
keyed="-y hmac-sha256:inside:$secret"
for _ in $(seq 50); do
    [ "$(ask +short www.one.example)" = 192.0.2.2 ] && break
    sleep 0.1
done
equal "everybody's zone" "$(ask +short www.one.example)" 192.0.2.2
equal "the key has its view" "$(ask $keyed +short www.one.example)" 10.0.0.2
equal "by TCP too" "$(ask $keyed +tcp +short www.one.example)" 10.0.0.2
equal "with its records" "$(ask $keyed +short only.keyed)" 192.0.2.50
contains "which others have not" "$(ask only.keyed)" "status: NXDOMAIN"
equal "an address alone is not enough" "$(ask -b 127.0.0.3 +short www.other.tree)" 192.0.2.80
contains "where a key is asked for too" \
    "$(ask -b 127.0.0.3 -y "hmac-sha256:nobody:$secret" www.other.tree)" "status: REFUSED"
contains "a view without recursion" "$(ask -b 127.0.0.2 www.other.tree)" "status: REFUSED"
contains "which says so" "$(ask -b 127.0.0.2 www.one.example)" "flags: qr aa rd;"
equal "has zones all the same" "$(ask -b 127.0.0.2 +short www.one.example)" 192.0.2.2
contains "everybody's list" "$(ask www.example.tree)" "status: NXDOMAIN"
equal "a view without lists" "$(ask $keyed +short www.example.tree)" 192.0.2.1
equal "a view with one of its own" "$(ask -b 127.0.0.4 +short www.example.tree)" 192.0.2.99

# Who wants no recursion is told nothing; who may look into the cache is.
contains "the cache is not for everybody" "$(ask +norecurse www.other.tree)" "status: REFUSED"
write_site 'cache-for = {"127.0.0.5"}
    recursion-for = {"127.0.0.1"}
    query-for = {"127.0.0.1", "127.0.0.2", "127.0.0.5"}'
kill -HUP "$server"
for _ in $(seq 50); do
    case $(ask -b 127.0.0.6 www.one.example) in *REFUSED*) break ;; esac
    sleep 0.1
done
got=$(ask -b 127.0.0.6 www.one.example)
contains "who is not among those who are answered" "$got" "status: REFUSED"
contains "is told why" "$got" "EDE: 18 (Prohibited)"
contains "of class CHAOS, too" "$(ask -b 127.0.0.6 CH TXT version.bind)" "EDE: 18 (Prohibited)"
equal "the others are" "$(ask -b 127.0.0.2 +short www.one.example)" 192.0.2.2
equal "a view for any is for any" "$(ask -b 127.0.0.4 +short www.one.example)" 192.0.2.2
got=$(ask -b 127.0.0.5 www.other.tree)
contains "who may have no recursion" "$got" "status: REFUSED"
contains "is told that" "$got" "EDE: 18 (Prohibited)"
equal "who may has" "$(ask +short www.other.tree)" 192.0.2.80
contains "a view's own list of who may" "$(ask -b 127.0.0.6 $keyed www.other.tree)" "status: REFUSED"
equal "what is known is told to who may look" \
    "$(ask -b 127.0.0.5 +norecurse +short www.other.tree)" 192.0.2.80
got=$(ask -b 127.0.0.5 +norecurse nobody.other.tree)
contains "what is not is referred" "$got" "status: NOERROR"
contains "to the closest that are known" "$got" "other.tree."
contains "and nobody was asked" "$got" "ANSWER: 0, AUTHORITY: "
contains "the cache is not for the others" "$(ask +norecurse www.other.tree)" "status: REFUSED"

kill "$server"
wait "$server"
equal "it ends when told to" $? 0
finish
