/* SPDX-License-Identifier: ISC */
/*
 * script_parse_packet.c - a packet as it stands in a script.
 *
 *      packet = ( "<" | ">" ) [ ip ] ( tcp | udp | icmp )
 *      ip     = "[" or "(" ( ect0 | ect1 | ect01 | ce | noecn | tos hex | ttl n ) ")" or "]"
 *      tcp    = [ port ">" port ] flags seq ":" seq "(" len ")" [ ack n ] [ win n ] [ urg n ]
 *               [ "<" options ">" ]
 *      udp    = "udp" [ port ">" port ] "(" len ")"
 *      icmp   = "icmp" type [ code ] [ mtu n ] [ id n ] [ "[" quoted "]" ]
 */
#include "sim/script/script_parse.h"
#include "wire/inet/icmp_message.h"
#include "wire/inet/ipv4.h"
#include "wire/inet/tcp_header.h"

/* ---- IP ---- */

static void parse_ip_item(struct script_parser *p, struct script_packet *packet)
{
    static const struct {
        const char *word;
        uint8_t value;
    } marks[] = {{"noecn", IP_NOT_ECT}, {"ect0", IP_ECT_0}, {"ect1", IP_ECT_1}, {"ce", IP_CE}};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (script_parser_word(p, marks[i].word)) {
            packet->ip_check = SCRIPT_IP_ECN;
            packet->traffic_class = marks[i].value;
            return;
        }
    if (script_token_is_word(&p->token, "ect01")) {
        if (packet->inbound)
            script_parser_fail(p, NULL, "[ect01] is for outbound packets only");
        script_parser_take(p);
        packet->ip_check = SCRIPT_IP_ECT;
    } else if (script_parser_word(p, "tos")) {
        if (p->token.kind != SCRIPT_TOKEN_HEX || p->token.number > UINT8_MAX)
            script_parser_fail(p, NULL, "expected the type of service as 0x00 to 0xff");
        packet->ip_check = SCRIPT_IP_TOS;
        packet->traffic_class = (uint8_t)script_parser_take(p).number;
    } else if (script_parser_word(p, "ttl")) {
        packet->ttl = (uint8_t)script_parser_number(p, UINT8_MAX, "the time to live");
    } else
        script_parser_fail(p, NULL,
                           "expected noecn, ect0, ect1, ect01, ce, tos or ttl");
}

static void parse_ip(struct script_parser *p, struct script_packet *packet)
{
    bool round = script_token_is_sign(&p->token, '(');
    if (!round && !script_token_is_sign(&p->token, '['))
        return;
    script_parser_take(p);
    parse_ip_item(p, packet);
    script_parser_expect(p, round ? ')' : ']');
}

/* ---- TCP ---- */

static bool set_flag(struct script_parser *p, struct script_packet *packet,
                     const struct script_token *token, uint8_t letter)
{
    static const char letters[] = "FSRP.UEWA";
    const char *found = strchr(letters, letter);
    uint16_t flag;
    if (letter >= '0' && letter <= '7') /* the accurate ECN counter: AE, CWR, ECE */
        flag = (uint16_t)((letter - '0') << 6);
    else if (letter != '\0' && found != NULL)
        flag = (uint16_t)(1u << (found - letters));
    else {
        script_parser_fail(p, token, "unknown TCP flag \"%c\": they are F S R P . U E W A", letter);
        return false;
    }
    packet->flags |= flag;
    return true;
}

static void set_flags(struct script_parser *p, struct script_packet *packet,
                      const struct script_token *token)
{
    for (size_t i = 0; i < token->text.len; i++)
        if (!set_flag(p, packet, token, token->text.data[i]))
            return;
}

static void parse_flags(struct script_parser *p, struct script_packet *packet)
{
    struct script_token token = p->token;
    if (script_parser_sign(p, '-'))
        return;
    bool any = false;
    if (token.kind == SCRIPT_TOKEN_WORD) {
        set_flags(p, packet, &token);
        script_parser_take(p);
        any = true;
    }
    token = p->token;
    if (script_token_is_sign(&token, '.') || token.kind == SCRIPT_TOKEN_FLOAT) {
        set_flags(p, packet, &token);
        script_parser_take(p);
    } else if (!any)
        script_parser_fail(p, NULL, "expected the flags of a TCP segment, udp or icmp");
}

static void parse_sequence(struct script_parser *p, uint32_t *start, uint32_t *len)
{
    struct script_token at = p->token;
    *start = script_parser_number(p, UINT32_MAX, "a sequence number");
    script_parser_expect(p, ':');
    uint32_t end = script_parser_number(p, UINT32_MAX, "a sequence number");
    script_parser_expect(p, '(');
    *len = script_parser_number(p, SCRIPT_PAYLOAD_MAX, "the length of a segment");
    script_parser_expect(p, ')');
    if (!p->failed && *start + *len != end)
        script_parser_fail(p, &at, "%u and %u octets do not make %u", *start, *len, end);
}

static void parse_ports(struct script_parser *p, struct script_packet *packet)
{
    if (p->token.kind != SCRIPT_TOKEN_INTEGER)
        return;
    packet->source_port = (uint16_t)script_parser_number(p, UINT16_MAX, "a port");
    script_parser_expect(p, '>');
    packet->target_port = (uint16_t)script_parser_number(p, UINT16_MAX, "a port");
}

static void parse_tcp(struct script_parser *p, struct script_packet *packet)
{
    packet->kind = SCRIPT_TCP;
    parse_ports(p, packet);
    parse_flags(p, packet);
    parse_sequence(p, &packet->sequence, &packet->payload_len);
    if (script_parser_word(p, "ack"))
        packet->acknowledgement = script_parser_number(p, UINT32_MAX, "an acknowledgement");
    packet->window = SCRIPT_WINDOW_ANY;
    if (script_parser_word(p, "win"))
        packet->window = (int32_t)script_parser_number(p, UINT16_MAX, "a window");
    else if (packet->inbound)
        script_parser_fail(p, NULL, "an inbound segment needs its window (win)");
    if (script_parser_word(p, "urg"))
        packet->urgent = (uint16_t)script_parser_number(p, UINT16_MAX, "an urgent pointer");
    if (script_token_is_sign(&p->token, '<')) {
        /* After a packet without options the next thing is a time, so this is not one's start. */
        script_parse_tcp_options(p, packet);
    }
}

/* ---- UDP and ICMP ---- */

static void parse_udp(struct script_parser *p, struct script_packet *packet)
{
    packet->kind = SCRIPT_UDP;
    parse_ports(p, packet);
    script_parser_expect(p, '(');
    packet->payload_len = script_parser_number(p, SCRIPT_PAYLOAD_MAX, "the length of a datagram");
    script_parser_expect(p, ')');
}

static const char *const icmp_types[] = {
    [ICMP_ECHO_REPLY] = "echo_reply",
    [ICMP_UNREACHABLE] = "unreachable",
    [ICMP_SOURCE_QUENCH] = "source_quench",
    [ICMP_REDIRECT] = "redirect",
    [ICMP_ECHO_REQUEST] = "echo_request",
    [ICMP_TIME_EXCEEDED] = "time_exceeded",
    [ICMP_PARAMETER_PROBLEM] = "parameter_problem",
    [ICMP_TIMESTAMP_REQUEST] = "timestamp_request",
    [ICMP_TIMESTAMP_REPLY] = "timestamp_reply",
    [ICMP_INFORMATION_REQUEST] = "information_request",
    [ICMP_INFORMATION_REPLY] = "information_reply",
    [ICMP_MASK_REQUEST] = "address_mask_request",
    [ICMP_MASK_REPLY] = "address_mask_reply",
};

static const char *const unreachable_codes[] = {
    [ICMP_NET_UNREACHABLE] = "net_unreachable",
    [ICMP_HOST_UNREACHABLE] = "host_unreachable",
    [ICMP_PROTOCOL_UNREACHABLE] = "protocol_unreachable",
    [ICMP_PORT_UNREACHABLE] = "port_unreachable",
    [ICMP_FRAGMENTATION_NEEDED] = "frag_needed",
    [ICMP_SOURCE_ROUTE_FAILED] = "source_route_failed",
    [ICMP_NET_UNKNOWN] = "net_unknown",
    [ICMP_HOST_UNKNOWN] = "host_unknown",
    [ICMP_SOURCE_ISOLATED] = "source_host_isolated",
    [ICMP_NET_PROHIBITED] = "net_prohibited",
    [ICMP_HOST_PROHIBITED] = "host_prohibited",
    [ICMP_NET_FOR_TOS] = "net_unreachable_for_tos",
    [ICMP_HOST_FOR_TOS] = "host_unreachable_for_tos",
    [ICMP_ADMIN_PROHIBITED] = "packet_filtered",
    [ICMP_PRECEDENCE_VIOLATION] = "precedence_violation",
    [ICMP_PRECEDENCE_CUTOFF] = "precedence_cutoff",
};

static int find_name(const char *const *names, size_t count, struct bytes name, const char *prefix)
{
    for (size_t i = 0; i < count; i++)
        if (names[i] != NULL && bytes_equal(bytes_of_text(names[i]), name))
            return (int)i;
    uint64_t number;
    size_t len = strlen(prefix);
    if (bytes_equal(bytes_first(name, len), bytes_of_text(prefix)) &&
        text_parse_number(bytes_after(name, len), UINT8_MAX, &number))
        return (int)number;
    return -1;
}

int script_icmp_type(struct bytes name)
{
    return find_name(icmp_types, ARRAY_LEN(icmp_types), name, "type_");
}

int script_icmp_code(int type, struct bytes name)
{
    bool known = type == ICMP_UNREACHABLE;
    return find_name(unreachable_codes, known ? ARRAY_LEN(unreachable_codes) : 0, name, "code_");
}

const char *script_icmp_type_text(uint8_t type)
{
    return type < ARRAY_LEN(icmp_types) ? icmp_types[type] : NULL;
}

const char *script_icmp_code_text(uint8_t type, uint8_t code)
{
    return type == ICMP_UNREACHABLE && code < ARRAY_LEN(unreachable_codes)
               ? unreachable_codes[code] : NULL;
}

/* What of our packet the error quotes: [1:1001(1000)], [udp (8)]; [raw (56)]: just so many octets
 * behind the ICMP header's four. */
static void parse_quoted(struct script_parser *p, struct script_packet *packet)
{
    packet->quoted_protocol = IP_PROTOCOL_TCP;
    if (!script_parser_sign(p, '['))
        return;
    bool udp = script_token_is_word(&p->token, "udp");
    if (udp || script_token_is_word(&p->token, "raw")) {
        script_parser_take(p);
        script_parser_expect(p, '(');
        uint32_t len = script_parser_number(p, SCRIPT_PAYLOAD_MAX, "the length of a payload");
        script_parser_expect(p, ')');
        packet->quoted_protocol = udp ? IP_PROTOCOL_UDP : 0;
        packet->quoted_len = udp ? len : 0;
        packet->payload_len = udp ? 0 : len;
        if (!udp && len < ICMP_HEADER_LEN)
            script_parser_fail(p, NULL, "an ICMP message has at least %d octets", ICMP_HEADER_LEN);
    } else
        parse_sequence(p, &packet->quoted_sequence, &packet->quoted_len);
    script_parser_expect(p, ']');
}

enum { ICMP6_PACKET_TOO_BIG = 2 };

static void parse_icmp(struct script_parser *p, struct script_packet *packet)
{
    packet->kind = SCRIPT_ICMP;
    packet->icmp6 = script_token_is_word(&p->token, "packet_too_big"); /* RFC 4443 §3.2 */
    int type = p->token.kind == SCRIPT_TOKEN_WORD ? script_icmp_type(p->token.text) : -1;
    if (packet->icmp6)
        type = ICMP6_PACKET_TOO_BIG;
    if (type < 0)
        script_parser_fail(p, NULL, "unknown ICMP type \"%.*s\"", (int)p->token.text.len,
                           (const char *)p->token.text.data);
    script_parser_take(p);
    int code = 0;
    if (p->token.kind == SCRIPT_TOKEN_WORD && !script_token_is_word(&p->token, "mtu") &&
        !script_token_is_word(&p->token, "id")) {
        if ((code = script_icmp_code(type, p->token.text)) < 0)
            script_parser_fail(p, NULL, "unknown ICMP code \"%.*s\"", (int)p->token.text.len,
                               (const char *)p->token.text.data);
        script_parser_take(p);
    }
    packet->icmp_type = (uint8_t)type;
    packet->icmp_code = (uint8_t)code;
    if (script_token_is_word(&p->token, "mtu")) {
        if (!packet->icmp6 && (type != ICMP_UNREACHABLE || code != ICMP_FRAGMENTATION_NEEDED))
            script_parser_fail(p, NULL, "an MTU is told by unreachable frag_needed only");
        script_parser_take(p);
        packet->icmp_mtu = (uint16_t)script_parser_number(p, UINT16_MAX, "an MTU");
    }
    if (script_parser_word(p, "id"))
        packet->icmp_id = (uint16_t)script_parser_number(p, UINT16_MAX, "an identifier");
    parse_quoted(p, packet);
}

struct script_packet *script_parse_packet(struct script_parser *p)
{
    struct script_packet *packet = script_parser_new(p, sizeof *packet);
    if (packet == NULL)
        return NULL;
    packet->inbound = script_token_is_sign(&p->token, '<');
    script_parser_take(p);
    static const char *const outer[] = {"ipv4", "ipv6", "gre", "GREv0", "mpls", "encap"};
    parse_ip(p, packet);
    for (size_t i = 0; i < ARRAY_LEN(outer); i++)
        if (script_token_is_word(&p->token, outer[i]))
            script_parser_fail(p, NULL, "packets within packets (%s) are not supported", outer[i]);
    if (script_parser_word(p, "udp"))
        parse_udp(p, packet);
    else if (script_parser_word(p, "icmp"))
        parse_icmp(p, packet);
    else
        parse_tcp(p, packet);
    return packet;
}
