#!/bin/sh
# SPDX-License-Identifier: ISC
# Views with resolvers of their own: whom they ask, and that nothing of what one knows is told to another, whether it was
# asked for before or not, is there or not, by datagrams or TCP, with one worker or several. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v dig >/dev/null || { skip "resolvers of views" "dig is not installed"; finish; exit; }

port=$((20000 + $$ % 12000))
upstream() { # upstream NAME ADDRESS
    mkdir "$tmp/$1"
    printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A %s\nwww A %s\nonly-%s A %s\nalias CNAME www\n' \
        "$2" "$2" "$1" "$2" >"$tmp/$1/split.tree.zone"
    printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A %s\nwww A %s\n' "$2" "$2" >"$tmp/$1/part.tree.zone"
    cat >"$tmp/$1.conf" <<END
link "host" { address = "127.0.0.1/8" }
names { listen = "$3:$((port + 1))" zones = "$tmp/$1" }
END
    "$wholenet" serve -q "$tmp/$1.conf" >"$tmp/$1.log" 2>&1 &
    children="$children $!"
}
upstream in 10.0.0.1 127.0.0.11
upstream out 192.0.2.1 127.0.0.12
upstream part 10.0.0.7 127.0.0.13
write_site() { # write_site WORKERS
    cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }

control = "views$port"
workers = $1
names {
    listen = "127.0.0.1:$port"
    forward = {"127.0.0.12:$((port + 1))"}
    view "inside" {
        clients = {"127.0.0.2"}
        forward = {"127.0.0.11:$((port + 1))"}
        forward-for = {"part.tree 127.0.0.13:$((port + 1))"}
        cache = 1M
    }
    view "nobody" { clients = {"127.0.0.3"} resolve = none }
    view "as-all" { clients = {"127.0.0.4"} record = {"own.split.tree. A 10.0.0.44"} }
}
END
}
ask() { # ask FROM DIG-ARGUMENTS…
    from=$1
    shift
    dig -b "$from" @127.0.0.1 -p "$port" +time=2 +tries=2 "$@"
}
cache() { "$wholenet" cache -s "views$port" "$@"; }
short() { ask "$@" +short; }
status() { ask "$@" | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }
for workers in 1 2; do
    write_site $workers
    "$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    wait_for grep -q serving "$tmp/log"
    w="$workers workers"
    for i in 1 2 3; do
        equal "$w: everybody is told what his server says ($i)" "$(short 127.0.0.1 www.split.tree A)" 192.0.2.1
        equal "$w: the view what its own says" "$(short 127.0.0.2 www.split.tree A)" 10.0.0.1
        equal "$w: a view without has everybody's" "$(short 127.0.0.4 www.split.tree A)" 192.0.2.1
    done
    equal "$w: by TCP, too" "$(short 127.0.0.2 www.split.tree A +tcp) $(short 127.0.0.1 www.split.tree A +tcp)" \
        "10.0.0.1 192.0.2.1"
    equal "$w: through an alias" "$(short 127.0.0.1 alias.split.tree A | tail -1) $(short 127.0.0.2 alias.split.tree A | tail -1)" \
        "192.0.2.1 10.0.0.1"
    for i in 1 2; do
        equal "$w: what is there for one alone ($i)" \
            "$(status 127.0.0.1 only-in.split.tree A) $(status 127.0.0.2 only-in.split.tree A)" "NXDOMAIN NOERROR"
        equal "$w: and for the other" \
            "$(status 127.0.0.2 only-out.split.tree A) $(status 127.0.0.1 only-out.split.tree A)" "NXDOMAIN NOERROR"
    done
    equal "$w: domains of a view's own" "$(short 127.0.0.2 www.part.tree A) $(short 127.0.0.1 www.part.tree A)" \
        "10.0.0.7 192.0.2.1"
    equal "$w: a view that finds nothing" "$(status 127.0.0.3 www.split.tree A)" REFUSED
    equal "$w: a record of a view goes before all" "$(short 127.0.0.4 own.split.tree A) $(status 127.0.0.1 own.split.tree A)" \
        "10.0.0.44 NXDOMAIN"
    dump=$(cache dump 2>&1)
    contains "$w: what is known is shown, by view" "$dump" "; view inside"
    contains "$w: of that" "$(echo "$dump" | sed -n '/^; view inside/,$p')" "10.0.0.1"
    equal "$w: and of everybody nothing else's" "$(echo "$dump" | sed '/^; view inside/,$d' | grep -c '10\.0\.0\.')" 0
    cache flush www.split.tree >/dev/null 2>&1
    dump=$(cache dump 2>&1)
    equal "$w: what is flushed is flushed for all" "$(echo "$dump" | grep -c '^www.split.tree')" 0
    equal "$w: and asked for again" "$(short 127.0.0.2 www.split.tree A) $(short 127.0.0.1 www.split.tree A)" "10.0.0.1 192.0.2.1"
    kill "$server"
    wait "$server"
    equal "$w: it ends when told to" $? 0
done

# Everybody finds nothing, a view does.
sed -i -e '/^    forward = {"127.0.0.12/d' "$tmp/site.conf"
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
wait_for grep -q serving "$tmp/log"
equal "without a resolver for everybody" "$(status 127.0.0.1 www.split.tree A) $(short 127.0.0.2 www.split.tree A)" \
    "REFUSED 10.0.0.1"
contains "who has one is told so" "$(ask 127.0.0.2 www.split.tree A)" "flags: qr rd ra"
kill "$server"
wait "$server"

# What does not fit together is said.
wrong() { # wrong NAME OPTIONS WHAT
    printf 'link "host" { address = "127.0.0.1/8" }\nnames { view "v" { clients = {"127.0.0.2"} %s } }\n' "$2" >"$tmp/wrong.conf"
    contains "$1" "$("$wholenet" check "$tmp/wrong.conf" 2>&1)" "$3"
}
wrong "forward without servers" 'resolve = forward' "expected forward or forward-for"
wrong "servers without forward" 'resolve = recursive forward = {"127.0.0.1"}' "expected resolve = forward"
wrong "a cache of nobody" 'cache = 1M' "expected resolve or forward"
wrong "the host's servers" 'forward = {"host"}' "expected"
finish
