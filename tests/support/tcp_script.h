/* SPDX-License-Identifier: ISC */
/*
 * tcp_script.h - plays a scenario: one stack, and a peer whose segments are written by hand.
 *
 * A scenario is text, a step on each line, in virtual time. `#` begins a comment.
 *
 *      +0.1 < PA 1:101 ack 1 win 100    the peer sends, 0.1 s after the last step
 *      +0.04 > A 1 ack 101              we send, at that instant: 0.04 s later
 *      +1                               time passes, and nothing is sent
 *
 * Sequence numbers count from the initial ones of both sides, which lie just below 2^32. Everything
 * that is sent must be expected by a `>` line before time passes or the peer sends again. Flags are
 * S F R P A U E W (CWR); then first:end, `ack n`, `win n` (as in the header), `mss n`, `wscale n`, `sackok`,
 * `ts value echo`, `sack a:b c:d`, `gso n`, `port n` (of the peer), `kinds 2,4,8,1,3` (of
 * our options as they lie), `uto n` (RFC 5482: the field), `fo cookie|ask`, `foexp cookie|ask`, `nofo`; `> SA new 0`: of another connection, whose numbers count then. On `>` lines a word that is missing is not looked at, but `sack` must be
 * there when there are blocks; `urg n` is the urgent pointer. On `<` lines, `ts` alone (in the SYN) makes the peer use timestamps
 * from then on; `old n` sends one n older than that,
 * `echo-older n` echoes what we sent n ms earlier. `raw HEX` adds options as octets, `urg n` sets
 * the urgent pointer, `badsum` spoils the checksum. `<<` instead of `<` comes in one batch with the
 * segment before: nothing is sent in between.  `class n` is IP's traffic class. On `>` lines `ttl n`, `class n` and `df 0|1` look at IP's header.
 *
 * Settings, before all: mtu n, tso, foreign, receive n, send n, connections n,
 *      profile NAME, with WORD n (of the profile: script_with()), congestion NAME.
 * Ours: establish [rtt msec] [words of the SYN], listen [n], unlisten, intercept, connect, connect-none, accept,
 *      accept-none, answer, refuse [n], write n [taken], write-urgent n [taken], frame n, read n,
 *      take-urgent n (which must be octet n of the peer's), unplug, plug (our
 *      address goes and comes back), finish, close,
 *      abort, nodelay, keepalive, buffers n n, option NAME n [range|state] (of the connection, or
 *      of the listener while there is none)
 * Peer: icmp [type n] code [mtu n] [seq n]    about our segment at seq; Destination Unreachable
 *      when no type is given
 * Expected: mark none|coming n|here n|taken n (octets before it); events NAME…|none; listener opened|none; state NAME; error NAME; drop words…;
 *      received n; room n; at-end; `> unreachable code`; numbers of tcp_info: mss cwnd ssthresh
 *      flight window offered rto srtt again unacknowledged …: info_word(); connections n; idle (no timer runs);
 *      remains STATE|nothing (of the only connection, also when it was closed)
 */
#ifndef WN_TESTS_SUPPORT_TCP_SCRIPT_H
#define WN_TESTS_SUPPORT_TCP_SCRIPT_H

/* Fails the test, telling file and line, where the stack does otherwise. */
void tcp_script_play(const char *path);

#endif
