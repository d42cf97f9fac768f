/* SPDX-License-Identifier: ISC */
/* counters.c - the counters by their names, for those who show them all. */
#include "stack/counters.h"

#include <string.h>

#include "base/compiler.h"

struct counter_row {
    const char *name;
    size_t offset;
};

#define OF_STACK(name) {#name, offsetof(struct stack_counters, name)}
#define OF_ELEMENT(name, array, index)                                                             \
    {#name, offsetof(struct stack_counters, array) + (index) * sizeof(uint64_t)}
#define OF_CAUSE(name, cause) OF_ELEMENT(name, tcpRetransSegsBy, cause)
#define OF_INTERFACE(name) {#name, offsetof(struct interface_counters, name)}

static const struct counter_row stack_rows[] = {
    OF_STACK(ipInReceives),
    OF_STACK(ipInHdrErrors),
    OF_STACK(ipInAddrErrors),
    OF_STACK(ipInUnknownProtos),
    OF_STACK(ipInDiscards),
    OF_STACK(ipInDelivers),
    OF_STACK(ipForwDatagrams),
    OF_STACK(ipInNoRoutes),
    OF_ELEMENT(ipInNoECTPkts, ipInEcnPkts, 0),
    OF_ELEMENT(ipInECT1Pkts, ipInEcnPkts, 1),
    OF_ELEMENT(ipInECT0Pkts, ipInEcnPkts, 2),
    OF_ELEMENT(ipInCEPkts, ipInEcnPkts, 3),
    OF_STACK(ipOutRequests),
    OF_STACK(ipOutDiscards),
    OF_STACK(ipOutNoRoutes),
    OF_STACK(ipReasmReqds),
    OF_STACK(ipReasmOKs),
    OF_STACK(ipReasmFails),
    OF_STACK(ipOutFragOKs),
    OF_STACK(ipOutFragFails),
    OF_STACK(ipOutFragCreates),
    OF_STACK(icmpInMsgs),
    OF_STACK(icmpInErrors),
    OF_STACK(icmpOutMsgs),
    OF_STACK(icmpOutErrors),
    OF_STACK(icmpInEchos),
    OF_STACK(icmpOutEchoReps),
    OF_STACK(icmpInDestUnreachs),
    OF_STACK(icmpOutDestUnreachs),
    OF_STACK(icmpOutTimeExcds),
    OF_STACK(udpInDatagrams),
    OF_STACK(udpNoPorts),
    OF_STACK(udpInErrors),
    OF_STACK(udpOutDatagrams),
    OF_STACK(tcpActiveOpens),
    OF_STACK(tcpPassiveOpens),
    OF_STACK(tcpAttemptFails),
    OF_STACK(tcpEstabResets),
    OF_STACK(tcpCurrEstab),
    OF_STACK(tcpInSegs),
    OF_STACK(tcpOutSegs),
    OF_STACK(tcpRetransSegs),
    OF_STACK(tcpInErrs),
    OF_STACK(tcpOutRsts),
    OF_STACK(tcpOutRstsLost),
    OF_STACK(tcpChallenges),
    OF_STACK(tcpChallengesSkipped),
    OF_STACK(tcpTimeouts),
    OF_CAUSE(tcpRetransSegsByTimeout, RETRANSMIT_TIMEOUT),
    OF_CAUSE(tcpRetransSegsByFast, RETRANSMIT_FAST),
    OF_CAUSE(tcpRetransSegsBySack, RETRANSMIT_SACK),
    OF_CAUSE(tcpRetransSegsByRack, RETRANSMIT_RACK),
    OF_CAUSE(tcpRetransSegsByTailProbe, RETRANSMIT_TAIL_PROBE),
    OF_CAUSE(tcpRetransSegsByProbe, RETRANSMIT_PROBE),
    OF_STACK(tcpTailProbes),
    OF_STACK(tcpTailProbesMended),
    OF_STACK(tcpUndos),
    OF_STACK(tcpTimeoutsInVain),
    OF_STACK(tcpPathMtuBlackHoles),
    OF_STACK(tcpEcnOpens),
    OF_STACK(tcpEcnReductions),
    OF_STACK(tcpSyncookiesSent),
    OF_STACK(tcpSyncookiesRecv),
    OF_STACK(tcpSyncookiesFailed),
    OF_STACK(tcpReqQFullDoCookies),
    OF_STACK(tcpReqQFullDrop),
    OF_STACK(tcpListenOverflows),
    OF_STACK(tcpTimeWaitReused),
    OF_STACK(tcpTimeWaitOverflow),
    OF_STACK(tcpConnections),
};
_Static_assert(ARRAY_LEN(stack_rows) == sizeof(struct stack_counters) / sizeof(uint64_t),
               "a row for each counter of counters.h");

static const struct counter_row interface_rows[] = {
    OF_INTERFACE(ifInOctets),        OF_INTERFACE(ifInUcastPkts),
    OF_INTERFACE(ifInMulticastPkts), OF_INTERFACE(ifInBroadcastPkts),
    OF_INTERFACE(ifInDiscards),      OF_INTERFACE(ifInErrors),
    OF_INTERFACE(ifInUnknownProtos), OF_INTERFACE(ifOutOctets),
    OF_INTERFACE(ifOutUcastPkts),    OF_INTERFACE(ifOutMulticastPkts),
    OF_INTERFACE(ifOutBroadcastPkts), OF_INTERFACE(ifOutDiscards),
    OF_INTERFACE(ifOutErrors),
};
_Static_assert(ARRAY_LEN(interface_rows) == sizeof(struct interface_counters) / sizeof(uint64_t),
               "a row for each counter of counters.h");

static bool each(const struct counter_row *rows, size_t count, const void *counters, size_t *place,
                 struct counter *out)
{
    if (*place >= count)
        return false;
    const struct counter_row *row = &rows[(*place)++];
    out->name = row->name;
    memcpy(&out->value, (const char *)counters + row->offset, sizeof out->value);
    return true;
}

bool stack_each_counter(const struct stack_counters *counters, size_t *place, struct counter *out)
{
    return each(stack_rows, ARRAY_LEN(stack_rows), counters, place, out);
}

bool interface_each_counter(const struct interface_counters *counters, size_t *place,
                            struct counter *out)
{
    return each(interface_rows, ARRAY_LEN(interface_rows), counters, place, out);
}
