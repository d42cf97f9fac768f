#!/bin/sh
# SPDX-License-Identifier: ISC
# Views between us and BIND: zones of a view that come from another server, the key says which; and lists
# (RPZ) that are made of zones that have come so, for a view and for everybody, and change while they are
# used. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_tree.sh
. tests/support/dns_peers.sh
for tool in nsd named dig nsupdate; do
    command -v $tool >/dev/null || { skip "views from elsewhere" "$tool is not installed"; finish; exit; }
done

ours=$((20000 + $$ % 6000))
theirs=$((ours + 6000)) # below those that the kernel gives away
tree=$((ours + 6001))
dns_tree_start $tree
mkdir "$tmp/named"
zone() { # zone SERIAL ADDRESS
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n' "$1" "$2"
}
zone 1 10.0.0.1 >"$tmp/named/in"
zone 1 192.0.2.1 >"$tmp/named/out"
list() { printf '$TTL 60\n@ SOA . . 1 3600 600 86400 60\n@ NS localhost.\n%s\n' "$1"; }
list 'www.example.tree CNAME .' >"$tmp/named/rpz"
list 'www.other.tree A 192.0.2.200
x.rpz-unheard CNAME .' >"$tmp/named/rpz2"
{
    named_head 127.0.0.1 "$theirs"
    for view in in out; do
        echo "key \"$view\" { algorithm hmac-sha256; secret \"$secret\"; };"
    done
    for view in in out; do
        cat <<END
view "$view" {
    match-clients { key "$view"; };
    server 127.0.0.1 { keys { $view; }; };
    zone "v.example" {
        type primary;
        file "$view";
        allow-transfer { key $view; };
        allow-update { key $view; };
        also-notify { 127.0.0.1 port $ours; };
    };
END
        [ $view = out ] && for rpz in rpz rpz2; do
            echo "    zone \"$rpz.example\" { type primary; file \"$rpz\"; allow-update { key out; };"
            echo "        allow-transfer { key out; }; also-notify { 127.0.0.1 port $ours; }; };"
        done
        echo "};"
    done
} >"$tmp/named/conf"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    resolve = recursive
    roots = "$tmp/roots.zone"
    servers-port = $tree
    outgoing = ipv4
    policy = {"rpz.example"}
    key "in" { secret = "$secret" }
    key "out" { secret = "$secret" }
    secondaries = {"key in", "key out"}
    view "inside" {
        clients = {"key in", "127.0.0.2"}
        policy = {"rpz2.example", "rpz.example"}
        secondary "v.example" { primaries = {"127.0.0.1:$theirs key in"} file = "kept-in" }
        secondary "rpz2.example" { primaries = {"127.0.0.1:$theirs key out"} }
    }
    secondary "v.example" { primaries = {"127.0.0.1:$theirs key out"} file = "kept-out" }
    secondary "rpz.example" { primaries = {"127.0.0.1:$theirs key out"} file = "kept-rpz" }
}
END
named -g -c "$tmp/named/conf" >"$tmp/named/log" 2>&1 &
named=$!
children="$children $named"
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"

until_it_is_here() { # until_it_is_here WANT DIG-ARGUMENTS…
    want=$1
    shift
    until_it_is "$want" 127.0.0.1 "$ours" "$@"
}
status_of() { dig @127.0.0.1 -p "$ours" +time=3 "$@" | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }
until_status() { # until_status WANT DIG-ARGUMENTS…
    want=$1
    shift
    for _ in $(seq 100); do
        got=$(status_of "$@")
        [ "$got" = "$want" ] && return
        sleep 0.1
    done
}
until_it_is_here 10.0.0.1 -b 127.0.0.2 www.v.example
equal "the view's zone has come from the other's view" "$got" 10.0.0.1
until_it_is_here 192.0.2.1 www.v.example
equal "and everybody's" "$got" 192.0.2.1
equal "the key has the view here, too" \
    "$(dig @127.0.0.1 -p "$ours" -y "hmac-sha256:in:$secret" +short www.v.example)" 10.0.0.1
contains "and its zone whole" \
    "$(dig @127.0.0.1 -p "$ours" -y "hmac-sha256:in:$secret" AXFR v.example)" "10.0.0.1"
contains "where others have everybody's" \
    "$(dig @127.0.0.1 -p "$ours" -y "hmac-sha256:out:$secret" AXFR v.example)" "192.0.2.1"

nsupdate_to 127.0.0.1 "$theirs" in 'zone v.example\nadd new.v.example 60 A 10.0.0.77'
until_it_is_here 10.0.0.77 -b 127.0.0.2 new.v.example
equal "news of a view are for that" "$got" 10.0.0.77
equal "and change nothing in the other" "$(status_of new.v.example)" NXDOMAIN

# Lists of zones that have come.
until_status NXDOMAIN www.example.tree
equal "a list that has come" "$got" NXDOMAIN
until_it_is_here 192.0.2.200 -b 127.0.0.2 www.other.tree
equal "a view's own" "$got" 192.0.2.200
equal "which others do not have" "$(dig @127.0.0.1 -p "$ours" +short www.other.tree)" 192.0.2.80
equal "a view has everybody's where it says so" "$(status_of -b 127.0.0.2 www.example.tree)" NXDOMAIN
contains "what is no rule is left out, and that is said" "$(cat "$tmp/log")" \
    "list rpz2.example.: 1 records are no rules"
nsupdate_to 127.0.0.1 "$theirs" out 'zone rpz.example\ndelete www.example.tree.rpz.example\nadd alias.example.tree.rpz.example 60 CNAME .'
until_status NOERROR www.example.tree
equal "a rule that goes" "$got" NOERROR
equal "and one that comes" "$(status_of alias.example.tree)" NXDOMAIN
equal "in the view, too" "$(status_of -b 127.0.0.2 alias.example.tree)" NXDOMAIN
contains "each version is told" "$(cat "$tmp/log")" "list rpz.example.: serial 2, 1 rules"
reload "$server" "$tmp/log"
equal "a reload leaves it as it is" "$(status_of alias.example.tree)" NXDOMAIN

# What was kept is a list from the start, though nobody is there.
kill "$named" "$server"
wait "$server"
equal "it ends when told to" $? 0
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log2" 2>&1 &
server=$!
children="$children $server"
until_it_is_here 10.0.0.77 -b 127.0.0.2 new.v.example
equal "the view's zone was kept" "$got" 10.0.0.77
equal "and the list" "$(status_of alias.example.tree)" NXDOMAIN
kill "$server"
wait "$server"
finish
