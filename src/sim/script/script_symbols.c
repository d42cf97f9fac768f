/* SPDX-License-Identifier: ISC */
/* script_symbols.c - tables of names. */
#include "sim/script/script_symbols.h"

struct symbol {
    const char *name;
    int64_t value;
};

/* A constant of ours under Linux's name. */
#define SYMBOL(name) {#name, WN_##name}

static const struct symbol symbols[] = {
    SYMBOL(AF_UNSPEC), SYMBOL(AF_INET), SYMBOL(AF_INET6), SYMBOL(SOCK_STREAM), SYMBOL(SOCK_DGRAM),
    SYMBOL(SOCK_RAW), SYMBOL(SOCK_NONBLOCK), SYMBOL(SOCK_CLOEXEC), SYMBOL(IPPROTO_IP),
    SYMBOL(IPPROTO_ICMP), SYMBOL(IPPROTO_TCP), SYMBOL(IPPROTO_UDP), SYMBOL(IPPROTO_IPV6),
    SYMBOL(SHUT_RD), SYMBOL(SHUT_WR), SYMBOL(MSG_TRUNC), SYMBOL(MSG_OOB), SYMBOL(MSG_PEEK),
    SYMBOL(MSG_DONTROUTE), SYMBOL(MSG_CTRUNC), SYMBOL(MSG_DONTWAIT), SYMBOL(MSG_EOR),
    SYMBOL(MSG_WAITALL), SYMBOL(MSG_CONFIRM), SYMBOL(MSG_ERRQUEUE), SYMBOL(MSG_NOSIGNAL),
    SYMBOL(MSG_MORE), SYMBOL(MSG_FASTOPEN), SYMBOL(MSG_CMSG_CLOEXEC), SYMBOL(F_GETFL),
    SYMBOL(F_SETFL), SYMBOL(O_RDWR), SYMBOL(O_NONBLOCK), SYMBOL(SIOCATMARK), SYMBOL(FIONREAD),
    SYMBOL(SIOCINQ), SYMBOL(SIOCOUTQ), SYMBOL(FIONBIO), SYMBOL(SIOCOUTQNSD), SYMBOL(POLLIN),
    SYMBOL(POLLPRI), SYMBOL(POLLOUT), SYMBOL(POLLERR), SYMBOL(POLLHUP), SYMBOL(POLLNVAL),
    SYMBOL(POLLRDNORM), SYMBOL(POLLRDBAND), SYMBOL(POLLWRNORM), SYMBOL(POLLWRBAND),
    SYMBOL(POLLMSG), SYMBOL(POLLRDHUP), SYMBOL(EPOLL_CTL_ADD), SYMBOL(EPOLL_CTL_DEL),
    SYMBOL(EPOLL_CTL_MOD), SYMBOL(EPOLLIN), SYMBOL(EPOLLPRI), SYMBOL(EPOLLOUT), SYMBOL(EPOLLERR),
    SYMBOL(EPOLLHUP), SYMBOL(EPOLLRDNORM), SYMBOL(EPOLLRDBAND), SYMBOL(EPOLLWRNORM),
    SYMBOL(EPOLLWRBAND), SYMBOL(EPOLLMSG), SYMBOL(EPOLLRDHUP), SYMBOL(SOL_IP), SYMBOL(SOL_SOCKET),
    SYMBOL(SOL_TCP), SYMBOL(SOL_UDP), SYMBOL(SOL_IPV6), SYMBOL(SO_REUSEADDR), SYMBOL(SO_TYPE),
    SYMBOL(SO_ERROR), SYMBOL(SO_DONTROUTE), SYMBOL(SO_BROADCAST), SYMBOL(SO_SNDBUF),
    SYMBOL(SO_RCVBUF), SYMBOL(SO_KEEPALIVE), SYMBOL(SO_OOBINLINE), SYMBOL(SO_PRIORITY),
    SYMBOL(SO_LINGER), SYMBOL(SO_REUSEPORT), SYMBOL(SO_RCVLOWAT), SYMBOL(SO_SNDLOWAT),
    SYMBOL(SO_RCVTIMEO), SYMBOL(SO_SNDTIMEO), SYMBOL(SO_ACCEPTCONN), SYMBOL(SO_SNDBUFFORCE),
    SYMBOL(SO_RCVBUFFORCE), SYMBOL(SO_PROTOCOL), SYMBOL(SO_DOMAIN), SYMBOL(SO_MAX_PACING_RATE),
    SYMBOL(SO_INCOMING_CPU), SYMBOL(SO_ZEROCOPY), SYMBOL(IP_TOS), SYMBOL(IP_TTL),
    SYMBOL(IP_MTU_DISCOVER), SYMBOL(IP_RECVERR), SYMBOL(IP_MTU), SYMBOL(IP_FREEBIND),
    SYMBOL(IP_TRANSPARENT), SYMBOL(IP_BIND_ADDRESS_NO_PORT), SYMBOL(IP_LOCAL_PORT_RANGE),
    SYMBOL(IP_PMTUDISC_DONT), SYMBOL(IP_PMTUDISC_WANT), SYMBOL(IP_PMTUDISC_DO),
    SYMBOL(IP_PMTUDISC_PROBE), SYMBOL(IP_PMTUDISC_INTERFACE), SYMBOL(IP_PMTUDISC_OMIT),
    SYMBOL(IPV6_UNICAST_HOPS), SYMBOL(IPV6_MTU_DISCOVER), SYMBOL(IPV6_MTU), SYMBOL(IPV6_V6ONLY),
    SYMBOL(IPV6_TCLASS), SYMBOL(TCP_NODELAY), SYMBOL(TCP_MAXSEG), SYMBOL(TCP_CORK),
    SYMBOL(TCP_KEEPIDLE), SYMBOL(TCP_KEEPINTVL), SYMBOL(TCP_KEEPCNT), SYMBOL(TCP_SYNCNT),
    SYMBOL(TCP_LINGER2), SYMBOL(TCP_DEFER_ACCEPT), SYMBOL(TCP_WINDOW_CLAMP), SYMBOL(TCP_INFO),
    SYMBOL(TCP_QUICKACK), SYMBOL(TCP_CONGESTION), SYMBOL(TCP_THIN_LINEAR_TIMEOUTS),
    SYMBOL(TCP_THIN_DUPACK), SYMBOL(TCP_USER_TIMEOUT), SYMBOL(TCP_FASTOPEN),
    SYMBOL(TCP_TIMESTAMP), SYMBOL(TCP_NOTSENT_LOWAT), SYMBOL(TCP_CC_INFO), SYMBOL(TCP_SAVE_SYN),
    SYMBOL(TCP_SAVED_SYN), SYMBOL(TCP_FASTOPEN_CONNECT), SYMBOL(TCP_FASTOPEN_KEY),
    SYMBOL(TCP_FASTOPEN_NO_COOKIE), SYMBOL(TCP_INQ), SYMBOL(TCP_TX_DELAY), SYMBOL(EPOLLEXCLUSIVE),
    SYMBOL(EPOLLWAKEUP), SYMBOL(EPOLLONESHOT), SYMBOL(EPOLLET), SYMBOL(SHUT_RDWR),
    {"O_RDONLY", 0}, {"O_WRONLY", 1}, {"INADDR_ANY", 0},
    {"IP_RECVTOS", 13}, {"TCP_MD5SIG", 14}, {"IPV6_RECVERR", 25}, {"MSG_ZEROCOPY", 0x4000000},
    {"SO_TIMESTAMPING", 37}, {"SO_MARK", 36}, {"SO_TIMESTAMP", 29}, {"SO_BINDTODEVICE", 25},
    {"IPPROTO_ICMPV6", 58}, {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
};

static const struct symbol errors[] = {
    {"EPERM", 1}, {"ENOENT", 2}, {"EINTR", 4}, {"EIO", 5}, {"ENXIO", 6}, {"E2BIG", 7},
    {"EBADF", 9}, {"EAGAIN", 11}, {"EWOULDBLOCK", 11}, {"ENOMEM", 12}, {"EACCES", 13},
    {"EFAULT", 14}, {"EBUSY", 16}, {"EEXIST", 17}, {"ENODEV", 19}, {"ENOTDIR", 20},
    {"EINVAL", 22}, {"ENFILE", 23}, {"EMFILE", 24}, {"ENOTTY", 25}, {"EFBIG", 27}, {"ENOSPC", 28},
    {"ESPIPE", 29}, {"EPIPE", 32}, {"EDOM", 33}, {"ERANGE", 34}, {"ENOSYS", 38}, {"ELOOP", 40},
    {"ENOMSG", 42}, {"ENODATA", 61}, {"EPROTO", 71}, {"EBADMSG", 74}, {"EOVERFLOW", 75},
    {"ENOTSOCK", 88}, {"EDESTADDRREQ", 89}, {"EMSGSIZE", 90}, {"EPROTOTYPE", 91},
    {"ENOPROTOOPT", 92}, {"EPROTONOSUPPORT", 93}, {"ESOCKTNOSUPPORT", 94}, {"EOPNOTSUPP", 95},
    {"EPFNOSUPPORT", 96}, {"EAFNOSUPPORT", 97}, {"EADDRINUSE", 98}, {"EADDRNOTAVAIL", 99},
    {"ENETDOWN", 100}, {"ENETUNREACH", 101}, {"ENETRESET", 102}, {"ECONNABORTED", 103},
    {"ECONNRESET", 104}, {"ENOBUFS", 105}, {"EISCONN", 106}, {"ENOTCONN", 107},
    {"ESHUTDOWN", 108}, {"ETOOMANYREFS", 109}, {"ETIMEDOUT", 110}, {"ECONNREFUSED", 111},
    {"EHOSTDOWN", 112}, {"EHOSTUNREACH", 113}, {"EALREADY", 114}, {"EINPROGRESS", 115},
    {"ESTALE", 116}, {"EREMOTEIO", 121},
};

static bool find(const struct symbol *table, size_t count, struct bytes name, int64_t *out)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal(bytes_of_text(table[i].name), name)) {
            *out = table[i].value;
            return true;
        }
    return false;
}

bool script_symbol(struct bytes name, int64_t *out)
{
    return find(symbols, ARRAY_LEN(symbols), name, out) ||
           find(errors, ARRAY_LEN(errors), name, out);
}

const char *script_errno_text(int64_t number)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++)
        if (errors[i].value == number)
            return errors[i].name;
    return NULL;
}

void script_add_events(struct text *out, const char *prefix, uint32_t events)
{
    static const struct {
        const char *name;
        uint32_t bit;
    } names[] = {
        {"IN", WN_POLLIN},         {"PRI", WN_POLLPRI},       {"OUT", WN_POLLOUT},
        {"ERR", WN_POLLERR},       {"HUP", WN_POLLHUP},       {"NVAL", WN_POLLNVAL},
        {"RDNORM", WN_POLLRDNORM}, {"RDBAND", WN_POLLRDBAND}, {"WRNORM", WN_POLLWRNORM},
        {"WRBAND", WN_POLLWRBAND}, {"MSG", WN_POLLMSG},       {"RDHUP", WN_POLLRDHUP},
    };
    const char *between = "";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if ((events & names[i].bit) == 0)
            continue;
        text_add_format(out, "%s%s%s", between, prefix, names[i].name);
        events &= ~names[i].bit;
        between = "|";
    }
    if (events != 0 || between[0] == '\0')
        text_add_format(out, "%s%#x", between, events);
}

/* ---- TCP_INFO ---- */

struct field {
    const char *name;
    uint16_t offset;
    uint8_t size;
};

#define FIELD(name) \
    {#name, offsetof(struct wn_tcp_info, name), sizeof(((struct wn_tcp_info *)0)->name)}

static const struct field fields[] = {
    FIELD(tcpi_state), FIELD(tcpi_ca_state), FIELD(tcpi_retransmits), FIELD(tcpi_probes),
    FIELD(tcpi_backoff), FIELD(tcpi_options), FIELD(tcpi_rto), FIELD(tcpi_ato),
    FIELD(tcpi_snd_mss), FIELD(tcpi_rcv_mss), FIELD(tcpi_unacked), FIELD(tcpi_sacked),
    FIELD(tcpi_lost), FIELD(tcpi_retrans), FIELD(tcpi_fackets), FIELD(tcpi_last_data_sent),
    FIELD(tcpi_last_ack_sent), FIELD(tcpi_last_data_recv), FIELD(tcpi_last_ack_recv),
    FIELD(tcpi_pmtu), FIELD(tcpi_rcv_ssthresh), FIELD(tcpi_rtt), FIELD(tcpi_rttvar),
    FIELD(tcpi_snd_ssthresh), FIELD(tcpi_snd_cwnd), FIELD(tcpi_advmss), FIELD(tcpi_reordering),
    FIELD(tcpi_rcv_rtt), FIELD(tcpi_rcv_space), FIELD(tcpi_total_retrans),
    FIELD(tcpi_pacing_rate), FIELD(tcpi_max_pacing_rate), FIELD(tcpi_bytes_acked),
    FIELD(tcpi_bytes_received), FIELD(tcpi_segs_out), FIELD(tcpi_segs_in),
    FIELD(tcpi_notsent_bytes), FIELD(tcpi_min_rtt), FIELD(tcpi_data_segs_in),
    FIELD(tcpi_data_segs_out), FIELD(tcpi_delivery_rate), FIELD(tcpi_busy_time),
    FIELD(tcpi_rwnd_limited), FIELD(tcpi_sndbuf_limited), FIELD(tcpi_delivered),
    FIELD(tcpi_delivered_ce), FIELD(tcpi_bytes_sent), FIELD(tcpi_bytes_retrans),
    FIELD(tcpi_dsack_dups), FIELD(tcpi_reord_seen), FIELD(tcpi_rcv_ooopack), FIELD(tcpi_snd_wnd),
    FIELD(tcpi_rcv_wnd), FIELD(tcpi_rehash), FIELD(tcpi_total_rto),
    FIELD(tcpi_total_rto_recoveries), FIELD(tcpi_total_rto_time), FIELD(wn_cwnd_bytes),
    FIELD(wn_ssthresh_bytes), FIELD(wn_flight_bytes), FIELD(wn_timeouts), FIELD(wn_cwnd_limited),
    FIELD(wn_pacing_limited), FIELD(wn_app_limited),
};

/* What Linux's own header calls them; code has them beside the fields. */
static const struct symbol constants[] = {
    SYMBOL(TCP_ESTABLISHED), SYMBOL(TCP_SYN_SENT), SYMBOL(TCP_SYN_RECV), SYMBOL(TCP_FIN_WAIT1),
    SYMBOL(TCP_FIN_WAIT2), SYMBOL(TCP_TIME_WAIT), SYMBOL(TCP_CLOSE), SYMBOL(TCP_CLOSE_WAIT),
    SYMBOL(TCP_LAST_ACK), SYMBOL(TCP_LISTEN), SYMBOL(TCP_CLOSING), SYMBOL(TCPI_OPT_TIMESTAMPS),
    SYMBOL(TCPI_OPT_SACK), SYMBOL(TCPI_OPT_WSCALE), SYMBOL(TCPI_OPT_ECN),
    SYMBOL(TCPI_OPT_ECN_SEEN), SYMBOL(TCPI_OPT_SYN_DATA),
    {"TCPI_OPT_USEC_TS", 64},
    {"TCPI_OPT_TFO_CHILD", 128},
    {"TCP_CA_Open", WN_TCP_CA_OPEN},
    {"TCP_CA_Disorder", WN_TCP_CA_DISORDER},
    {"TCP_CA_CWR", WN_TCP_CA_CWR},
    {"TCP_CA_Recovery", WN_TCP_CA_RECOVERY},
    {"TCP_CA_Loss", WN_TCP_CA_LOSS},
    {"TCP_INFINITE_SSTHRESH", 0x7fffffff},
};

static bool set(struct script_names *names, const char *name, uint64_t value)
{
    return script_names_set(names, bytes_of_text(name),
                            (struct script_datum){.kind = SCRIPT_INT,
                                                  .integer = (int64_t)value,
                                                  .text = bytes_empty()});
}

static uint64_t field_of(const struct wn_tcp_info *info, const struct field *field)
{
    const uint8_t *at = (const uint8_t *)info + field->offset;
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (field->size) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    case 4:
        memcpy(&four, at, sizeof four);
        return four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

bool script_names_of_tcp_info(const struct wn_tcp_info *info, struct script_names *names)
{
    bool good = true;
    for (size_t i = 0; i < ARRAY_LEN(constants); i++)
        good &= set(names, constants[i].name, (uint64_t)constants[i].value);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        good &= set(names, fields[i].name, field_of(info, &fields[i]));
    good &= set(names, "tcpi_snd_wscale", info->tcpi_wscale & 0xf);
    good &= set(names, "tcpi_rcv_wscale", info->tcpi_wscale >> 4);
    return good && set(names, "tcpi_delivery_rate_app_limited", info->tcpi_flags & 1);
}
