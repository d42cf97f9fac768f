#!/bin/sh
# SPDX-License-Identifier: ISC
# The command line: help, versions, complaints in one line, check, ping, trace, the manual.
. tests/lib.sh

version=$(cat VERSION)
for words in "version" "--version" "run --version" "check --version"; do
    equal "wholenet $words" "$("$wholenet" $words)" "wholenet $version"
done
for command in run serve status check ping trace lookup update script; do
    contains "help lists $command" "$("$wholenet" help)" "  $command "
    equal "help $command and $command --help are the same" "$("$wholenet" help $command)" \
        "$("$wholenet" $command --help)"
    check "there is a manual page for $command" test -s "man/wholenet-$command.1"
    for option in $("$wholenet" $command --help | grep -o -- ' --[a-z0-9-]*' | sort -u); do
        check "… that tells of $option" grep -q -- "Fl -${option#--}\\>" "man/wholenet-$command.1"
    done
done
check "the manual is in order" sh -c 'command -v mandoc >/dev/null || exit 0
    mandoc -Tlint -Wwarning man/*.[1-8]'

# A complaint: the status, one line, and what it says.
complaint() {
    name=$1
    want=$2
    text=$3
    shift 3
    capture "$wholenet" "$@"
    equal "$name: status $want" "$status" "$want"
    contains "$name: what is wrong" "$err" "$text"
    equal "$name: in one line" "$(wc -l <"$tmp/err")" 1
    equal "$name: nothing on standard output" "$out" ""
}
complaint "no command" 2 "expected a command"
complaint "an unknown command" 2 'there is no command "rnu"; did you mean "run"?' rnu
complaint "an unknown option" 125 "there is no option --dealy; did you mean --delay?" run --dealy 2ms -- true
complaint "an unknown letter" 125 "there is no option -z" run -z true
complaint "an option without its value" 125 "--delay needs a value" run --delay
complaint "a value for an option that has none" 125 "--verbose takes no value" run --verbose=3 true
complaint "a wrong duration" 125 "--delay 20: expected a duration" run --delay 20 -- true
complaint "a wrong chance" 125 "--loss 101%: expected a chance" run --loss 101% -- true
complaint "a wrong rate" 125 "--rate fast: expected a rate" run --rate fast -- true
complaint "a wrong MTU" 125 "--mtu 100: expected a number of octets from 576 to 65520" run --mtu 100 -- true
complaint "a wrong address" 125 "--address 10.0.2.0: expected" run --address 10.0.2.0 -- true
complaint "a wrong port" 125 "--publish 99999: expected" run -p 99999 -- true
complaint "a wrong word" 125 "--internet some: expected host or none" run --internet some -- true
complaint "a wrong host name" 125 "--hostname a_b: expected" run --hostname a_b -- true
complaint "no program" 125 "expected a program to run" run -v
complaint "no such site file" 125 "/no/such: No such file or directory" run -c /no/such -- true
complaint "a capture where none can be" 125 "cannot write the capture /no/such/x" \
    run --capture /no/such/x -- true
complaint "jitter without delay" 125 "link jitter: it is larger than the delay" run --jitter 2ms -- true
complaint "nothing to serve" 2 "expected one site file" serve
complaint "nothing to ask" 1 'no answer from "nobody"' status nobody
complaint "no host to ping" 2 "expected one host" ping
complaint "an unknown host" 1 "no-such.invalid" ping no-such.invalid
complaint "nothing to check" 2 "expected the name of a site file" check

# ---- check ----
for file in examples/*.conf; do
    check "check $file" "$wholenet" check "$file"
done
"$wholenet" check --builtin >"$tmp/builtin.conf"
check "the built-in site, as a file" "$wholenet" check "$tmp/builtin.conf"
printf 'web {\n  name = www\n  port = 80\n}\n' >"$tmp/wrong.conf"
capture "$wholenet" check "$tmp/wrong.conf" examples/lab.conf
equal "a file that is wrong: status" "$status" 1
contains "… where, what, and what there is" "$err" \
    "$tmp/wrong.conf:3: no such option 'port'; known here: listen, name, connections"
equal "… and the other one is checked, too" "$out" "examples/lab.conf: right"

# ---- ping and trace, over the host's sockets ----
capture "$wholenet" ping -c 2 -i 20ms 127.0.0.1
if [ "$status" = 0 ]; then
    contains "ping" "$out" "2 sent, 2 received, 0% lost"
else
    contains "ping without permission says what to do" "$err" ping_group_range
fi
contains "trace" "$("$wholenet" trace -n 127.0.0.1)" " 1  127.0.0.1  "
contains "ping inside, without privilege" "$("$wholenet" run -- "$wholenet" ping -c 2 -i 20ms www.home.arpa)" \
    "2 sent, 2 received"
contains "trace inside" "$("$wholenet" run -- "$wholenet" trace www.home.arpa)" " 1  gateway.home.arpa (10.0.2.1)"
contains "trace of what is not there" "$("$wholenet" run --internet none -- "$wholenet" trace -n -m 3 192.0.2.1)" \
    "!N"
finish
