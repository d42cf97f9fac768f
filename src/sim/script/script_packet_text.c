/* SPDX-License-Identifier: ISC */
/* script_packet_text.c - packets in the words of a script, and in what two of them differ. */
#include "sim/script/script_packet.h"
#include "sim/script/script_parse.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/tcp_header.h"

/* ---- in words ---- */

static void format_flags(uint16_t flags, struct text *out)
{
    static const char letters[] = "SFRPUEWA"; /* SYN comes first, as it is written */
    static const uint16_t bits[] = {TCP_SYN, TCP_FIN, TCP_RST, TCP_PSH,
                                    TCP_URG, TCP_ECE, TCP_CWR, SCRIPT_FLAG_AE};
    size_t before = out->len;
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if ((flags & bits[i]) != 0)
            text_add_format(out, "%c", letters[i]);
    if ((flags & TCP_ACK) != 0)
        text_add(out, ".");
    if (out->len == before)
        text_add(out, "-");
}

static void format_hex(struct bytes data, struct text *out)
{
    for (size_t i = 0; i < data.len; i++)
        text_add_format(out, "%02x", data.data[i]);
}

static void format_option(const struct script_tcp_option *option, struct text *out)
{
    struct reader r = reader_of(option->data);
    switch (option->kind) {
    case 0:
        text_add(out, "eol");
        return;
    case 1:
        text_add(out, "nop");
        return;
    case 2:
        text_add_format(out, "mss %u", read_u16(&r));
        return;
    case 3:
        text_add_format(out, "wscale %u", read_u8(&r));
        return;
    case 4:
        text_add(out, "sackOK");
        return;
    case 5:
        text_add(out, "sack");
        while (reader_left(&r) >= 8) {
            uint32_t start = read_u32(&r);
            uint32_t end = read_u32(&r);
            text_add_format(out, " %u:%u", start, end);
        }
        return;
    case 8: {
        uint32_t value = read_u32(&r);
        uint32_t echo = read_u32(&r);
        text_add_format(out, "TS val %u ecr %u", value, echo);
        return;
    }
    case 19:
        text_add(out, "md5 ");
        format_hex(option->data, out);
        return;
    case 34:
        text_add(out, option->data.len > 0 ? "FO " : "FO");
        format_hex(option->data, out);
        return;
    case 254:
        if (read_u16(&r) == 0xf989 && !r.failed) {
            text_add(out, reader_left(&r) > 0 ? "FOEXP " : "FOEXP");
            format_hex(read_rest(&r), out);
            return;
        }
        break;
    default:
        break;
    }
    text_add_format(out, "kind %u ", option->kind);
    format_hex(option->data, out);
}

static void format_options(const struct script_packet *packet, struct text *out)
{
    struct bytes rest = bytes_of(packet->options, packet->option_len);
    struct script_tcp_option option;
    const char *between = " <";
    if (packet->any_options)
        text_add(out, " <...>");
    while (script_option_next(&rest, &option)) {
        text_add(out, between);
        format_option(&option, out);
        between = ",";
    }
    if (packet->option_len > 0)
        text_add(out, rest.len > 0 ? " malformed>" : ">");
}

static void format_ip(const struct script_packet *packet, struct text *out)
{
    static const char *const marks[] = {"noecn", "ect1", "ect0", "ce"};
    if (packet->ip_check == SCRIPT_IP_ECN)
        text_add_format(out, "[%s] ", marks[packet->traffic_class & IP_ECN_MASK]);
    else if (packet->ip_check == SCRIPT_IP_ECT)
        text_add(out, "[ect01] ");
    else if (packet->ip_check == SCRIPT_IP_TOS)
        text_add_format(out, "[tos 0x%02x] ", packet->traffic_class);
}

static void format_tcp(const struct script_packet *packet, struct text *out)
{
    format_flags(packet->flags, out);
    text_add_format(out, " %u:%u(%u)", packet->sequence, packet->sequence + packet->payload_len,
                    packet->payload_len);
    if ((packet->flags & TCP_ACK) != 0)
        text_add_format(out, " ack %u", packet->acknowledgement);
    if (packet->window != SCRIPT_WINDOW_ANY)
        text_add_format(out, " win %d", packet->window);
    if ((packet->flags & TCP_URG) != 0 || packet->urgent != 0)
        text_add_format(out, " urg %u", packet->urgent);
    format_options(packet, out);
}

static void format_icmp(const struct script_packet *packet, struct text *out)
{
    const char *type = script_icmp_type_text(packet->icmp_type);
    const char *code = script_icmp_code_text(packet->icmp_type, packet->icmp_code);
    text_add(out, "icmp ");
    if (type != NULL)
        text_add(out, type);
    else
        text_add_format(out, "type_%u", packet->icmp_type);
    if (code != NULL)
        text_add_format(out, " %s", code);
    else if (packet->icmp_code != 0)
        text_add_format(out, " code_%u", packet->icmp_code);
    if (packet->icmp_mtu != 0)
        text_add_format(out, " mtu %u", packet->icmp_mtu);
    if (packet->inbound && packet->quoted_protocol == IP_PROTOCOL_TCP)
        text_add_format(out, " [%u:%u(%u)]", packet->quoted_sequence,
                        packet->quoted_sequence + packet->quoted_len, packet->quoted_len);
}

void script_packet_format(const struct script_packet *packet, struct text *out)
{
    format_ip(packet, out);
    if (packet->kind == SCRIPT_TCP)
        format_tcp(packet, out);
    else if (packet->kind == SCRIPT_UDP)
        text_add_format(out, "udp (%u)", packet->payload_len);
    else
        format_icmp(packet, out);
}

/* ---- compared ---- */

static bool same(const char *name, uint32_t expected, uint32_t actual, struct text *difference)
{
    if (expected == actual)
        return true;
    text_add_format(difference, "%s: expected %u, got %u", name, expected, actual);
    return false;
}

static bool same_ip(const struct script_packet *expected, const struct script_packet *actual,
                    struct text *difference)
{
    unsigned ecn = actual->traffic_class & IP_ECN_MASK;
    if (expected->ttl != 0 && !same("time to live", expected->ttl, actual->ttl, difference))
        return false;
    if (expected->ip_check == SCRIPT_IP_ECT && ecn != IP_ECT_0 && ecn != IP_ECT_1) {
        text_add_format(difference, "ECN mark: expected ECT(0) or ECT(1), got %u", ecn);
        return false;
    }
    if (expected->ip_check == SCRIPT_IP_ECN)
        return same("ECN mark", expected->traffic_class, ecn, difference);
    if (expected->ip_check == SCRIPT_IP_TOS)
        return same("type of service", expected->traffic_class, actual->traffic_class, difference);
    return true;
}

static bool same_flags(const struct script_packet *expected, const struct script_packet *actual,
                       struct text *difference)
{
    if (expected->flags == actual->flags)
        return true;
    text_add(difference, "flags: expected ");
    format_flags(expected->flags, difference);
    text_add(difference, ", got ");
    format_flags(actual->flags, difference);
    return false;
}

static bool same_options(const struct script_packet *expected, const struct script_packet *actual,
                         struct text *difference)
{
    struct bytes wanted = bytes_of(expected->options, expected->option_len);
    struct bytes got = bytes_of(actual->options, actual->option_len);
    struct script_tcp_option a, b;
    if (expected->any_options)
        return true;
    bool more_wanted, more_got;
    while (more_wanted = script_option_next(&wanted, &a), more_got = script_option_next(&got, &b),
           more_wanted && more_got) {
        if (a.kind == b.kind && (a.kind == 8 || bytes_equal(a.data, b.data)))
            continue;
        text_add(difference, "TCP options: expected ");
        format_option(&a, difference);
        text_add(difference, ", got ");
        format_option(&b, difference);
        return false;
    }
    if (!more_wanted && !more_got && wanted.len == 0 && got.len == 0)
        return true;
    text_add(difference, more_wanted ? "TCP options: missing " : "TCP options: unexpected ");
    if (more_wanted || more_got)
        format_option(more_wanted ? &a : &b, difference);
    else
        text_add(difference, "octets that are no option");
    return false;
}

bool script_packet_matches(const struct script_packet *expected,
                           const struct script_packet *actual, struct text *difference)
{
    static const char *const kinds[] = {
        [SCRIPT_TCP] = "TCP", [SCRIPT_UDP] = "UDP", [SCRIPT_ICMP] = "ICMP"};
    if (expected->kind != actual->kind) {
        text_add_format(difference, "protocol: expected %s, got %s", kinds[expected->kind],
                        kinds[actual->kind]);
        return false;
    }
    if (!same_ip(expected, actual, difference))
        return false;
    if (expected->kind == SCRIPT_ICMP)
        return same("ICMP type", expected->icmp_type, actual->icmp_type, difference) &&
               same("ICMP code", expected->icmp_code, actual->icmp_code, difference);
    if (expected->kind == SCRIPT_UDP)
        return same("payload", expected->payload_len, actual->payload_len, difference);
    return same_flags(expected, actual, difference) &&
           same("sequence number", expected->sequence, actual->sequence, difference) &&
           same("payload", expected->payload_len, actual->payload_len, difference) &&
           same("acknowledgement", expected->acknowledgement, actual->acknowledgement,
                difference) &&
           (expected->window == SCRIPT_WINDOW_ANY ||
            same("window", (uint32_t)expected->window, (uint32_t)actual->window, difference)) &&
           same("urgent pointer", expected->urgent, actual->urgent, difference) &&
           same_options(expected, actual, difference);
}

bool script_packet_continues(const struct script_packet *last, const struct script_packet *next,
                             struct text *difference)
{
    const uint16_t loose = TCP_FIN | TCP_PSH | TCP_CWR; /* on the last, or the first, only */
    if (last->kind != SCRIPT_TCP || next->kind != SCRIPT_TCP) {
        text_add(difference, "not a TCP segment");
        return false;
    }
    return same("flags", last->flags & ~loose & 0x1ffu, next->flags & ~loose & 0x1ffu,
                difference) &&
           same("sequence number", last->sequence + last->payload_len, next->sequence,
                difference) &&
           same("acknowledgement", last->acknowledgement, next->acknowledgement, difference) &&
           same("window", (uint32_t)last->window, (uint32_t)next->window, difference);
}
