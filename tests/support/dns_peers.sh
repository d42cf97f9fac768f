# SPDX-License-Identifier: ISC
# dns_peers.sh - what tests of name servers beside others share. Behind lib.sh.
secret=c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0hIQ==

# named_head ADDRESS PORT [MORE-OPTIONS]: how a configuration of BIND begins, for "$tmp/named"
named_head() {
    cat <<END
options {
    directory "$tmp/named";
    listen-on port $2 { $1; };
    listen-on-v6 { none; };
    pid-file "$tmp/named/pid";
    session-keyfile "$tmp/named/session";
    recursion no;
    notify explicit;
    dnssec-validation no;
    ${3-}
};
controls { };
END
}

until_it_is() { # until_it_is WANT SERVER PORT DIG-ARGUMENTS…: up to twenty seconds; the last answer is $got
    want=$1 at=$2 at_port=$3
    shift 3
    for _ in $(seq 200); do
        got=$(dig "@$at" -p "$at_port" +time=1 +tries=1 +short "$@" 2>&1)
        [ "$got" = "$want" ] && return
        sleep 0.1
    done
}

# nsupdate_to SERVER PORT KEY COMMANDS: says what went wrong, if anything did
nsupdate_to() {
    printf 'server %s %s\n%b\nsend\n' "$1" "$2" "$4" |
        nsupdate -y "hmac-sha256:$3:$secret" >"$tmp/update" 2>&1 || cat "$tmp/update"
}
