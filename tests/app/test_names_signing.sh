#!/bin/sh
# SPDX-License-Identifier: ISC
# Zones that we sign and serve, before those who believe nothing: delv(1) with the key as its anchor, and Unbound as a
# resolver that validates; reloads and rolls while it runs. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_plain_zone.sh
for tool in delv dig; do
    command -v $tool >/dev/null || { skip "zones that are signed" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
mkdir "$tmp/zones"
zones="nsec.example nsec3.example optout.example rsa.example ed.example"
for zone in $zones not.example; do
    plain >"$tmp/zones/$zone.zone"
done
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zones = "$tmp/zones"
    secondaries = {"127.0.0.1"}
    signing "*" { keys = "keys" zonemd = on }
    signing "nsec3.example" { keys = "keys" nsec3 = on separate = on serial = unixtime }
    signing "optout.example" { keys = "keys" nsec3 = on opt-out = on salt = "aabb" iterations = 2 }
    signing "rsa.example" { keys = "keys" algorithm = "RSASHA256" separate = on nsec3 = on }
    signing "ed.example" { keys = "keys" algorithm = "ED25519" validity = 1h }
    signing "not.example" { sign = off }
}
END
start() {
    rm -f "$tmp/log" # or that of the one before would say that this one serves
    "$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    wait_for grep -q "serving" "$tmp/log"
}
start
sed 's/^/# /' "$tmp/log"
ask() { dig @127.0.0.1 -p "$port" "$@"; }
serial() { ask +short SOA "$1" | cut -d' ' -f3; }
anchor() {
    ask +short DNSKEY "$1" | grep '^257 ' | while read -r flags protocol algorithm key; do
        echo "trust-anchors { \"$1\" static-key $flags $protocol $algorithm \"$(echo "$key" | tr -d ' ')\"; };"
    done >"$tmp/anchor.$1"
}
believes() {
    got=$(delv @127.0.0.1 -p "$port" -a "$tmp/anchor.$2" +root="$2" "$3.$2" "$4" 2>&1)
    contains "$3.$2 $4: $1" "$got" "; $1"
}
whole() { # whole NAME ZONE
    ask AXFR "$2" +onesoa +noall +answer >"$tmp/whole"
    check "$1: we say it is right" "$wholenet" check -q -s -z "$2" "$tmp/whole"
    if command -v ldns-verify-zone >/dev/null; then
        digest=$(grep -q '	ZONEMD	' "$tmp/whole" && echo -ZZ)
        # shellcheck disable=SC2086
        check "$1: so does ldns-verify-zone" ldns-verify-zone $digest "$tmp/whole"
    fi
}
for zone in $zones; do
    anchor "$zone"
    case $zone in
    optout.*) wild="unsigned answer" ;;
    *) wild="fully validated" ;;
    esac
    got=$(delv @127.0.0.1 -p "$port" -a "$tmp/anchor.$zone" +root="$zone" "$zone" SOA 2>&1)
    contains "$zone SOA" "$got" "; fully validated"
    for of in "ns A" "www A" "alias TXT" "a.b.d A" "shut DS" "gone A"; do
        # shellcheck disable=SC2086
        believes "fully validated" "$zone" $of
    done
    for of in "ns AAAA" "nobody A" "x.nobody.ns A" "b.c A" "x.w A" "open DS" "empty A"; do
        # shellcheck disable=SC2086
        believes "negative response, fully validated" "$zone" $of
    done
    believes "$wild" "$zone" x.w TXT
    whole "$zone" "$zone"
done
equal "a zone may be left unsigned" "$(ask +short DNSKEY not.example)" ""
equal "its serial number is its file's" "$(serial not.example)" 1

# ---- a resolver that validates ----
if command -v unbound >/dev/null; then
    uport=$((port + 1))
    for zone in $zones; do ask +noall +answer DNSKEY "$zone" | grep '	257 ' >>"$tmp/anchors"; done
    cat >"$tmp/unbound.conf" <<END
server:
    interface: 127.0.0.1@$uport
    do-daemonize: no
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    logfile: ""
    directory: "$tmp"
    do-not-query-localhost: no
    trust-anchor-file: "$tmp/anchors"
    module-config: "validator iterator"
    val-log-level: 2
remote-control:
    control-enable: no
$(for zone in $zones; do printf 'stub-zone:\n    name: %s\n    stub-addr: 127.0.0.1@%s\n' "$zone" "$port"; done)
END
    unbound -c "$tmp/unbound.conf" >"$tmp/unbound.log" 2>&1 &
    children="$children $!"
    wait_for dig @127.0.0.1 -p "$uport" +tries=1 +time=1 ns.nsec.example
    verdict() { dig @127.0.0.1 -p "$uport" +dnssec "$1.$2" "$3" | sed -n 's/.*status: \([A-Z]*\),.*/\1/p;s/^;; flags:\([a-z ]*\);.*/\1/p' | tr -d '\n'; }
    for zone in $zones; do
        case $zone in
        optout.*) open=" qr rd ra" ;;
        *) open=" qr rd ra ad" ;;
        esac
        equal "Unbound believes ns.$zone" "$(verdict ns "$zone" A)" "NOERROR qr rd ra ad"
        equal "Unbound believes x.w.$zone" "$(verdict x.w "$zone" TXT)" "NOERROR$open"
        equal "Unbound believes that nobody.$zone is not there" "$(verdict nobody "$zone" A)" "NXDOMAIN$open"
        equal "Unbound believes that ns.$zone has no address of the other kind" "$(verdict ns "$zone" AAAA)" "NOERROR qr rd ra ad"
        equal "Unbound follows a DNAME in $zone" "$(verdict a.b.d "$zone" A)" "NOERROR qr rd ra ad"
    done
else
    skip "Unbound" "it is not installed"
fi

# ---- while it runs ----
reload() {
    kill -HUP "$server"
    wait_for "$@"
}
before=$(serial nsec.example)
signature=$(ask +dnssec +short A mail.nsec.example)
echo 'new A 192.0.2.77' >>"$tmp/zones/nsec.example.zone"
is_new() { [ "$(ask +short A new.nsec.example)" = 192.0.2.77 ]; }
reload is_new
equal "a name comes with the file" "$(ask +short A new.nsec.example)" 192.0.2.77
equal "the serial number goes on" "$(serial nsec.example)" $((before + 1))
equal "what has not changed keeps its signature" "$(ask +dnssec +short A mail.nsec.example)" "$signature"
whole "after a reload" nsec.example
before=$(serial ed.example)
"$wholenet" key -k "$tmp/keys" roll --zsk nsec3.example >/dev/null
has_three() { [ "$(ask +short DNSKEY nsec3.example | wc -l)" = 3 ]; }
reload has_three
equal "a roll begins: the key is published" "$(ask +short DNSKEY nsec3.example | wc -l)" 3
whole "with three keys" nsec3.example
equal "a zone in which nothing has changed keeps its serial number" "$(serial ed.example)" "$before"
"$wholenet" key -k "$tmp/keys" roll ed.example >/dev/null
has_two() { [ "$(ask +short CDS ed.example | wc -l)" = 2 ]; }
reload has_two
equal "a roll begins: the parent is asked for a second DS" "$(ask +short CDS ed.example | wc -l)" 2
equal "and the key stays away until it has it" "$(ask +short DNSKEY ed.example | wc -l)" 1
whole "in the middle of a roll" ed.example

# ---- again ----
before=$(serial nsec.example)
key=$(ask +short DNSKEY nsec.example)
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
start
equal "after a restart the keys are the same" "$(ask +short DNSKEY nsec.example)" "$key"
equal "and so is the serial number" "$(serial nsec.example)" "$before"
whole "after a restart" nsec.example
kill "$server"
wait "$server"
mv "$tmp/keys" "$tmp/away"
touch "$tmp/keys"
start
contains "without keys it is not served" "$(ask SOA nsec.example)" "status: SERVFAIL"
contains "and the log says why" "$(cat "$tmp/log")" "zone nsec.example. is not signed"
equal "others are" "$(serial not.example)" 1
finish
