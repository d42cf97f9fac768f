#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet run is to its caller what the program itself would be: its exit status, signals,
# terminal, environment, folder and files; and nothing is left of it.
. tests/lib.sh

# ---- exit statuses ----
for code in 0 1 42 126 255; do
    "$wholenet" run -- sh -c "exit $code"
    equal "the program's exit status $code is ours" $? "$code"
done
"$wholenet" run -- sh -c 'kill -TERM $$'
equal "a program that SIGTERM ends gives 143" $? 143
"$wholenet" run -- sh -c 'kill -KILL $$'
equal "a program that SIGKILL ends gives 137" $? 137
capture "$wholenet" run -- no-such-program
equal "a program that is not there gives 127" "$status" 127
equal "… and one line says so" "$err" "wholenet run: no-such-program: no such program"
capture "$wholenet" run -- /etc/passwd
equal "a file that is no program gives 126" "$status" 126
equal "… and one line says so" "$err" "wholenet run: /etc/passwd: Permission denied"
capture "$wholenet" run -- "$tmp"
equal "a folder gives 126" "$status" 126
printf 'exit 7\n' >"$tmp/script"
chmod 755 "$tmp/script"
"$wholenet" run -- "$tmp/script"
equal "a script without #! is run by sh" $? 7

# ---- what the program inherits ----
equal "the working folder" "$(cd "$tmp" && "$wholenet" run -- pwd)" "$tmp"
equal "the environment" "$(A='b c' "$wholenet" run -- sh -c 'echo "$A"')" "b c"
equal "arguments as they are" "$("$wholenet" run -- printf '%s|' 'a b' '' '-v' '--')" "a b||-v|--|"
equal "arguments without --" "$("$wholenet" run printf '%s|' -v)" "-v|"
equal "standard input" "$(echo words | "$wholenet" run -- cat)" words
equal "standard error" "$("$wholenet" run -- sh -c 'echo words >&2' 2>&1 >/dev/null)" words
equal "other files that the caller opened" \
    "$(echo words | "$wholenet" run -- sh -c 'cat <&5' 5<&0 </dev/null)" words
files='ls /proc/self/fd | wc -l'
equal "… and no file of ours" "$("$wholenet" run -- sh -c "$files")" "$(sh -c "$files")"
equal "the user" "$("$wholenet" run -- id -u)" "$(id -u)"
equal "the host's name" "$("$wholenet" run -- uname -n)" "$(uname -n)"
equal "another host name with --hostname" "$("$wholenet" run --hostname box -- uname -n)" box
equal "a signal that the caller ignores" \
    "$(sh -c 'trap "" USR1; exec "$0" run -- sh -c "kill -USR1 \$\$; echo alive"' "$wholenet")" alive
equal "the terminal: there is none here" "$("$wholenet" run -- sh -c 'test -t 0 || echo none' </dev/null)" none

# Standard files that the caller has closed are closed for the program, too, and none of ours gets
# their numbers.
equal "standard input that is closed" \
    "$("$wholenet" run -- sh -c 'cat 2>/dev/null || echo closed' <&- 2>&1)" closed
"$wholenet" run -- sh -c 'echo words 2>/dev/null || exit 8' >&-
equal "standard output that is closed" $? 8
"$wholenet" run -- sh -c 'echo words || exit 8; exit 9' <&- >&- 2>&-
equal "all three closed" $? 8
equal "a command of ours without an output to write to" \
    "$("$wholenet" check --builtin 2>&1 >&-; echo $?)" "wholenet: cannot write to standard output
1"

# ---- the caller's limits ----
capture sh -c 'ulimit -n 8; exec "$0" run -- true' "$wholenet"
equal "too few files are allowed" "$status" 125
check "… and what is said of it is true" \
    sh -c 'grep -q "Too many open files" "$0" && ! grep -q loss "$0"' "$tmp/err"
capture sh -c 'ulimit -f 2; exec "$0" run --capture "$1" -- ping -q -c 20 -i 0.01 10.0.2.1' \
    "$wholenet" "$tmp/short.pcapng"
equal "a capture at the limit of file sizes does not end the program" "$status" 0
contains "… and is told of" "$err" "is not whole: File too large"

# A reader sees the end when the program closes its output, not when we end.
began=$(date +%s)
"$wholenet" run -- sh -c 'exec >&- 2>&-; sleep 2' | {
    cat
    date +%s >"$tmp/ended"
}
check "the end of the output is the program's" test $(($(cat "$tmp/ended") - began)) -lt 2

# ---- signals from other processes ----
for signal in HUP INT QUIT TERM USR1 USR2 WINCH CONT; do
    mkfifo "$tmp/ready"
    # A shell starts background jobs with INT and QUIT ignored.
    env --default-signal "$wholenet" run -- sh -c "trap 'exit 9' $signal; echo >\"\$0\"; while :; do sleep 0.05; done" \
        "$tmp/ready" &
    pid=$!
    read -r _ <"$tmp/ready"
    kill -$signal $pid
    wait $pid
    equal "SIG$signal is passed on" $? 9
    rm "$tmp/ready"
done
"$wholenet" run -- sleep 100 &
pid=$!
wait_for pgrep -x -f "sleep 100"
kill -TERM $pid
wait $pid
equal "SIGTERM ends a program that does not catch it" $? 143

# ---- the terminal ----
terminal() {
    python3 tests/support/terminal.py "$@"
}
shown=$(printf 'expect up\ntype \\x03\n' |
    terminal "$wholenet" run -- sh -c 'trap "echo caught; exit 3" INT; echo up; while :; do sleep 0.05; done')
contains "Ctrl-C reaches the program" "$shown" caught
contains "… once, and its status is ours" "$shown" "[status 3]"
shown=$(printf 'expect up\ntype \\x03\n' | terminal "$wholenet" run -- python3 -c 'import signal, time
signal.signal(signal.SIGINT, signal.SIG_DFL); print("up", flush=True); time.sleep(100)')
contains "Ctrl-C ends a program that does not catch it" "$shown" "[status 130]"
shown=$(printf 'expect up\ntype \\x1a\nstopped\ncontinue\ntype done\\n\n' |
    terminal "$wholenet" run -- sh -c 'echo up; read -r line; echo "read $line"; exit 4')
contains "Ctrl-Z stops, fg continues" "$shown" "[stopped]"
contains "… and the program goes on with the terminal" "$shown" "read done"
contains "… to its end" "$shown" "[status 4]"
shown=$(printf 'expect up\nstopped\ncontinue\n' |
    terminal "$wholenet" run -- sh -c 'echo up; kill -STOP $$; echo on; exit 5')
contains "a program that stops itself stops us" "$shown" "[stopped]"
contains "… and is continued with us" "$shown" "[status 5]"
shown=$(printf 'type echo $((40+2))\\n\nexpect 42\nexpect # \ntype sh -c "echo $((50+5))up; exec sleep 100"\\n\nexpect 55up\ntype \\x03\nexpect # \ntype exit 6\\n\n' |
    terminal "$wholenet" run -- bash --norc -i)
contains "a shell inside has job control" "$shown" "[status 6]"
contains "… and the terminal is the caller's again" "$shown" "[terminal kept]"

# ---- nothing is left ----
leftovers() {
    sleep 0.2
    ls /sys/class/net >"$tmp/after.net"
    cp /proc/self/mounts "$tmp/after.mounts"
    cksum /etc/resolv.conf /etc/hosts >"$tmp/after.files"
    ls -a /tmp | grep -v "$(basename "$tmp")" >"$tmp/after.tmp"
    ! pgrep -f "$1" && cmp "$tmp/before.net" "$tmp/after.net" &&
        cmp "$tmp/before.mounts" "$tmp/after.mounts" &&
        cmp "$tmp/before.files" "$tmp/after.files"
}
ls /sys/class/net >"$tmp/before.net"
cp /proc/self/mounts "$tmp/before.mounts"
cksum /etc/resolv.conf /etc/hosts >"$tmp/before.files"
"$wholenet" run -- sh -c 'sleep 901 & (setsid sleep 901 &) ; exit 0'
check "background processes end with the program" leftovers "sleep 901"
for signal in TERM KILL; do
    "$wholenet" run -- sh -c 'setsid sleep 902 & sleep 902' &
    pid=$!
    wait_for pgrep -f "sleep 902"
    kill -$signal $pid
    wait $pid 2>/dev/null
    check "nothing is left after SIG$signal" leftovers "sleep 902"
done
"$wholenet" run -- sleep 903 &
pid=$!
wait_for pgrep -x -f "sleep 903"
init=$(pgrep -P $pid)
kill -KILL "$init"
wait $pid
equal "when the first process inside is killed we say so" $? 125
check "… and nothing is left" leftovers "sleep 903"
equal "resolv.conf inside is ours" "$("$wholenet" run -- sed -n '2,$p' /etc/resolv.conf)" \
    "search home.arpa
nameserver 10.0.2.1"
finish
