/* SPDX-License-Identifier: ISC */
/* trace.c - the words for why a packet went no further. */
#include "stack/trace.h"

static const char *const texts[] = {
    [DROP_NONE] = "not dropped",
    [DROP_ETHERNET_MALFORMED] = "Ethernet header is cut short or its source is a group",
    [DROP_ETHERNET_NOT_OURS] = "Ethernet frame is for another station",
    [DROP_ETHERNET_TYPE] = "EtherType is not spoken here",
    [DROP_ARP_MALFORMED] = "ARP packet is malformed",
    [DROP_ARP_TABLE_FULL] = "neighbour table is full",
    [DROP_ARP_UNRESOLVED] = "neighbour did not answer ARP",
    [DROP_ARP_QUEUE_FULL] = "too many packets wait for the neighbour's address",
    [DROP_IP_MALFORMED] = "IP header is malformed",
    [DROP_IP_CHECKSUM] = "IP header checksum does not verify",
    [DROP_IP_SOURCE] = "IP source address cannot be",
    [DROP_IP_NOT_OURS] = "IP packet is not for this host",
    [DROP_IP_TTL] = "time to live is used up",
    [DROP_IP_NO_ROUTE] = "there is no route",
    [DROP_IP_TOO_BIG] = "packet is larger than the link takes and must not be fragmented",
    [DROP_IP_PROTOCOL] = "IP protocol is not spoken here",
    [DROP_IP_OPTION] = "IP option is malformed or not allowed",
    [DROP_FRAGMENT_MALFORMED] = "fragment is malformed",
    [DROP_FRAGMENT_OVERLAP] = "fragments overlap",
    [DROP_FRAGMENT_TIMEOUT] = "fragments did not arrive in time",
    [DROP_FRAGMENT_LIMIT] = "too many fragments wait",
    [DROP_ICMP_MALFORMED] = "ICMP message is malformed",
    [DROP_ICMP_CHECKSUM] = "ICMP checksum does not verify",
    [DROP_ICMP_RATE] = "ICMP errors are limited in rate",
    [DROP_UDP_MALFORMED] = "UDP header is malformed",
    [DROP_UDP_CHECKSUM] = "UDP checksum does not verify",
    [DROP_UDP_NO_PORT] = "no socket has this UDP port",
    [DROP_UDP_QUEUE_FULL] = "UDP socket's queue is full",
    [DROP_TCP_MALFORMED] = "TCP header is malformed",
    [DROP_TCP_CHECKSUM] = "TCP checksum does not verify",
    [DROP_TCP_NO_CONNECTION] = "there is no such TCP connection",
    [DROP_TCP_BACKLOG] = "TCP listener's queue is full",
    [DROP_TCP_OUT_OF_WINDOW] = "TCP segment is outside the window",
    [DROP_TCP_BAD_RST] = "TCP reset does not have the exact sequence number",
    [DROP_TCP_BAD_SYN] = "TCP SYN in an open connection",
    [DROP_TCP_BAD_ACK] = "TCP acknowledgement is out of range",
    [DROP_TCP_PAWS] = "TCP timestamp is old",
    [DROP_TCP_TOO_FAR] = "TCP segment comes from too far",
    [DROP_TCP_DUPLICATE] = "TCP segment has nothing new",
    [DROP_TCP_AFTER_CLOSE] = "TCP data after the application closed",
    [DROP_TCP_LIMIT] = "TCP table or buffer is full",
    [DROP_OUTPUT_FULL] = "interface's queue is full",
    [DROP_INTERFACE_DOWN] = "interface is down",
    [DROP_NO_MEMORY] = "no memory",
    [DROP_FILTERED] = "filtered",
    [DROP_WIRE_LOSS] = "lost by the wire, as asked for",
    [DROP_WIRE_QUEUE] = "the wire's queue is full, as asked for",
};

_Static_assert(ARRAY_LEN(texts) == DROP_REASON_COUNT, "one text per reason");

const char *drop_reason_text(enum drop_reason reason)
{
    return (unsigned)reason < DROP_REASON_COUNT ? texts[reason] : "unknown";
}
