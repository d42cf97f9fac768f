/* SPDX-License-Identifier: ISC */
/*
 * counters.h - what a stack counts, under the names of IF-MIB (RFC 2863), IP-MIB (RFC 4293),
 * ICMP (same), UDP-MIB (RFC 4113) and TCP-MIB (RFC 4022). Gauges say so.
 */
#ifndef WN_STACK_COUNTERS_H
#define WN_STACK_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/trace.h"

struct interface_counters {
    uint64_t ifInOctets, ifInUcastPkts, ifInMulticastPkts, ifInBroadcastPkts;
    uint64_t ifInDiscards, ifInErrors, ifInUnknownProtos;
    uint64_t ifOutOctets, ifOutUcastPkts, ifOutMulticastPkts, ifOutBroadcastPkts;
    uint64_t ifOutDiscards, ifOutErrors;
};

struct stack_counters {
    uint64_t ipInReceives, ipInHdrErrors, ipInAddrErrors, ipInUnknownProtos, ipInDiscards;
    uint64_t ipInEcnPkts[4]; /* by codepoint (RFC 3168 §5): Linux's InNoECTPkts, InECT1Pkts, InECT0Pkts,
                              * InCEPkts */
    uint64_t ipInDelivers, ipForwDatagrams, ipInNoRoutes;
    uint64_t ipOutRequests, ipOutDiscards, ipOutNoRoutes;
    uint64_t ipReasmReqds, ipReasmOKs, ipReasmFails;
    uint64_t ipOutFragOKs, ipOutFragFails, ipOutFragCreates;
    uint64_t icmpInMsgs, icmpInErrors, icmpOutMsgs, icmpOutErrors;
    uint64_t icmpInEchos, icmpOutEchoReps, icmpInDestUnreachs, icmpOutDestUnreachs;
    uint64_t icmpOutTimeExcds;
    uint64_t udpInDatagrams, udpNoPorts, udpInErrors, udpOutDatagrams;
    uint64_t tcpActiveOpens, tcpPassiveOpens, tcpAttemptFails, tcpEstabResets;
    uint64_t tcpCurrEstab; /* gauge */
    uint64_t tcpInSegs, tcpOutSegs, tcpRetransSegs, tcpInErrs, tcpOutRsts;
    uint64_t tcpOutRstsLost; /* there was no room for them in the queue of the interface */
    uint64_t tcpChallenges, tcpChallengesSkipped; /* RFC 5961 */
    uint64_t tcpTimeouts; /* of retransmission and of probes */
    uint64_t tcpRetransSegsBy[RETRANSMIT_CAUSE_COUNT]; /* tcpRetransSegs without SYNs */
    uint64_t tcpTailProbes;       /* RFC 8985 §7; of them, */
    uint64_t tcpTailProbesMended; /* such that mended a loss */
    uint64_t tcpUndos;            /* reductions of the window that were put back; of them, */
    uint64_t tcpTimeoutsInVain;   /* such after timeouts */
    uint64_t tcpEcnOpens;         /* connections that agreed on ECN; */
    uint64_t tcpEcnReductions;    /* reductions of the window for marks, without loss */
    uint64_t tcpPathMtuBlackHoles; /* full segments vanished, and smaller ones are tried (RFC 4821) */
    uint64_t tcpSyncookiesSent, tcpSyncookiesRecv, tcpSyncookiesFailed;
    uint64_t tcpReqQFullDoCookies, tcpReqQFullDrop; /* SYNs that found the SYN queue full */
    uint64_t tcpListenOverflows;  /* SYNs and ACKs that found the accept queue full */
    uint64_t tcpTimeWaitReused;   /* by a successor, before their time; ended for want of */
    uint64_t tcpTimeWaitOverflow; /* room, or never begun */
    uint64_t tcpConnections; /* gauge: control blocks and entries of every state */
};

struct counter {
    const char *name; /* static: the member's */
    uint64_t value;
};

/* All of them, in turn from *place = 0; false ends. */
bool stack_each_counter(const struct stack_counters *counters, size_t *place, struct counter *out);
bool interface_each_counter(const struct interface_counters *counters, size_t *place,
                            struct counter *out);

#endif
