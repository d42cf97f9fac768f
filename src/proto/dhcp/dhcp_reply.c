/* SPDX-License-Identifier: ISC */
/*
 * dhcp_reply.c - RFC 2131 §4.3.1: a reply's options are those that every reply has, then what the
 * client asked for in the order in which it asked (option 55), then what is sent back as it came:
 * the client identifier (RFC 6842) and, last, the relay's option (RFC 3046 §2.2).
 */
#include "proto/dhcp/dhcp_reply.h"

enum { IP_AND_UDP = 28, DATAGRAM_MIN = 576 };

/* For clients that do not say what they want. */
static const uint8_t usual[] = {DHCP_SUBNET_MASK, DHCP_ROUTER, DHCP_DNS_SERVER, DHCP_DOMAIN_NAME,
                                DHCP_INTERFACE_MTU};

static void put_address(struct dhcp_message *m, uint8_t code, uint32_t address)
{
    if (address != 0)
        dhcp_put_u32(m, code, address);
}

static void put_dns(const struct dhcp_reply_config *config, struct dhcp_message *m)
{
    uint8_t octets[4 * DHCP_REPLY_DNS_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    for (size_t i = 0; i < config->dns_count; i++)
        write_u32(&w, config->dns[i]);
    if (config->dns_count > 0)
        dhcp_put(m, DHCP_DNS_SERVER, writer_bytes(&w));
}

static void put_search(const struct dhcp_reply_config *config, struct dhcp_message *m)
{
    uint8_t octets[DHCP_NAME_MAX + 2];
    struct writer w = writer_of(octets, sizeof octets);
    if (config->domain[0] != '\0' && dhcp_search_encode(&w, config->domain))
        dhcp_put(m, DHCP_DOMAIN_SEARCH, writer_bytes(&w));
}

static void put_text(struct dhcp_message *m, uint8_t code, const char *text)
{
    if (text != NULL && *text != '\0')
        dhcp_put(m, code, bytes_of_text(text));
}

/* What we have for that code, if anything; once, however often the client lists it. */
static void put_parameter(const struct dhcp_reply_config *config, const struct dhcp_reply *reply,
                          struct dhcp_message *m, uint8_t code)
{
    if (dhcp_has(m, code))
        return;
    switch (code) {
    case DHCP_SUBNET_MASK:
        dhcp_put_u32(m, code, config->mask);
        break;
    case DHCP_ROUTER:
        put_address(m, code, config->router);
        break;
    case DHCP_DNS_SERVER:
        put_dns(config, m);
        break;
    case DHCP_HOST_NAME:
        put_text(m, code, reply->hostname);
        break;
    case DHCP_DOMAIN_NAME:
        put_text(m, code, config->domain);
        break;
    case DHCP_INTERFACE_MTU:
        if (config->mtu != 0)
            dhcp_put_u16(m, code, config->mtu);
        break;
    case DHCP_BROADCAST_ADDRESS:
        dhcp_put_u32(m, code, (config->server & config->mask) | ~config->mask);
        break;
    case DHCP_DOMAIN_SEARCH:
        put_search(config, m);
        break;
    default: /* codes are the client's to choose */
        break;
    }
}

static void put_parameters(const struct dhcp_reply_config *config,
                           const struct dhcp_message *request, const struct dhcp_reply *reply,
                           struct dhcp_message *m)
{
    struct bytes wanted = bytes_of(usual, sizeof usual);
    (void)dhcp_find(request, DHCP_PARAMETER_LIST, &wanted);
    for (size_t i = 0; i < wanted.len; i++)
        put_parameter(config, reply, m, wanted.data[i]);
}

static void put_times(struct dhcp_message *m, uint32_t seconds)
{
    bool endless = seconds == DHCP_INFINITY;
    dhcp_put_u32(m, DHCP_LEASE_TIME, seconds);
    dhcp_put_u32(m, DHCP_T1, endless ? seconds : seconds / 2);
    dhcp_put_u32(m, DHCP_T2, endless ? seconds : (uint32_t)((uint64_t)seconds * 7 / 8));
}

static void copy_option(const struct dhcp_message *from, uint8_t code, struct dhcp_message *to)
{
    struct bytes value;
    if (dhcp_find(from, code, &value) && !dhcp_has(to, code))
        dhcp_put(to, code, value);
}

/* RFC 4702 §4: what becomes of the name, to who has asked. The records are ours to make, unless the client
 * wants none at all. */
static void put_fqdn(const struct dhcp_reply_config *config, const struct dhcp_message *request,
                     const struct dhcp_reply *reply, struct dhcp_message *m)
{
    struct bytes option;
    struct dhcp_fqdn fqdn;
    uint8_t octets[DHCP_FQDN_OPTION_MAX + DHCP_LABEL_MAX];
    struct writer w = writer_of(octets, sizeof octets);
    if (!dhcp_find(request, DHCP_CLIENT_FQDN, &option) || !dhcp_fqdn_decode(option, &fqdn))
        return;
    uint8_t wanted = fqdn.flags;
    fqdn.flags = wanted & DHCP_FQDN_E;
    if (wanted & DHCP_FQDN_N)
        fqdn.flags |= DHCP_FQDN_N;
    else
        fqdn.flags |= DHCP_FQDN_S | (wanted & DHCP_FQDN_S ? 0 : DHCP_FQDN_O);
    if (reply->name != NULL && reply->name[0] != '\0')
        memcpy(fqdn.label, reply->name, strlen(reply->name) + 1);
    dhcp_fqdn_encode(&fqdn, config->domain, &w);
    if (!w.failed)
        dhcp_put(m, DHCP_CLIENT_FQDN, writer_bytes(&w));
}

static size_t size_max(const struct dhcp_message *request)
{
    uint16_t size;
    if (!dhcp_find_u16(request, DHCP_MAX_SIZE, &size) || size < DATAGRAM_MIN)
        return DHCP_MESSAGE_DEFAULT;
    size_t octets = (size_t)size - IP_AND_UDP;
    return octets < DHCP_MESSAGE_MAX ? octets : DHCP_MESSAGE_MAX;
}

/* `all`: with what the client asked for; else only with what it cannot do without. */
static void build(const struct dhcp_reply_config *config, const struct dhcp_message *request,
                  const struct dhcp_reply *reply, bool all, struct dhcp_message *m)
{
    dhcp_message_init(m);
    m->op = DHCP_BOOTREPLY;
    m->htype = request->htype;
    m->hlen = request->hlen;
    m->xid = request->xid;
    m->flags = request->flags;
    m->ciaddr = reply->type == DHCP_ACK ? request->ciaddr : 0;
    m->yiaddr = reply->yiaddr;
    m->giaddr = request->giaddr;
    memcpy(m->chaddr, request->chaddr, sizeof m->chaddr);
    dhcp_put_u8(m, DHCP_MESSAGE_TYPE, reply->type);
    dhcp_put_u32(m, DHCP_SERVER_ID, config->server);
    if (reply->type == DHCP_NAK) {
        put_text(m, DHCP_MESSAGE_TEXT, reply->text);
        if (request->giaddr != 0)
            m->flags |= DHCP_FLAG_BROADCAST; /* the client may have no usable address, §4.3.2 */
    } else {
        if (reply->yiaddr != 0)
            put_times(m, reply->lease_seconds);
        if (all)
            put_parameters(config, request, reply, m);
        if (all && reply->yiaddr != 0)
            put_fqdn(config, request, reply, m);
        /* Without a mask an address is of no use, whether it was asked for or not. */
        put_parameter(config, reply, m, DHCP_SUBNET_MASK);
        if (!all)
            put_parameter(config, reply, m, DHCP_ROUTER);
    }
    copy_option(request, DHCP_CLIENT_ID, m);
    copy_option(request, DHCP_RELAY_AGENT, m);
}

bool dhcp_reply_write(const struct dhcp_reply_config *config, const struct dhcp_message *request,
                      const struct dhcp_reply *reply, struct writer *w)
{
    struct dhcp_message m;
    build(config, request, reply, true, &m);
    if (dhcp_encode(&m, size_max(request), w) == WIRE_OK)
        return true;
    build(config, request, reply, false, &m);
    return dhcp_encode(&m, size_max(request), w) == WIRE_OK;
}

void dhcp_reply_target(const struct dhcp_message *request, const struct dhcp_reply *reply,
                       const struct endpoint *from, struct endpoint *to, struct mac *mac,
                       bool *has_mac)
{
    *has_mac = false;
    *mac = (struct mac){0};
    if (request->giaddr != 0) {
        *to = (struct endpoint){address_v4(request->giaddr), DHCP_SERVER_PORT};
        return;
    }
    to->port = DHCP_CLIENT_PORT;
    bool inform = reply->type == DHCP_ACK && reply->yiaddr == 0;
    if (reply->type != DHCP_NAK && request->ciaddr != 0) {
        to->address = address_v4(request->ciaddr);
        /* A client that informs itself may do so from another port. */
        if (inform && from->port != 0 && address_equal(&from->address, &to->address))
            to->port = from->port;
        return;
    }
    if (reply->type == DHCP_NAK || request->flags & DHCP_FLAG_BROADCAST ||
        request->hlen != sizeof mac->octets) {
        to->address = address_v4(UINT32_MAX);
        return;
    }
    to->address = address_v4(reply->yiaddr);
    memcpy(mac->octets, request->chaddr, sizeof mac->octets);
    *has_mac = true;
}
