/* SPDX-License-Identifier: ISC */
/*
 * socket_types.h - the constants and structures of BSD sockets, under names of our own.
 *
 * Numbers and layouts are those of Linux, so that tables of them, recorded calls and bindings of
 * other languages can be used as they are; but nothing here comes from the system's headers, so
 * that a program may include both. Ports and addresses in the wn_sockaddr structures are in network
 * order, all else is in the host's. Errors are those of <errno.h>.
 *
 * C99 and C++11; this header may be included by freestanding code.
 */
#ifndef WHOLENET_SOCKET_TYPES_H
#define WHOLENET_SOCKET_TYPES_H

#include <stddef.h>
#include <stdint.h>

/* ---- families, kinds, protocols ---- */

enum {
    WN_AF_UNSPEC = 0,
    WN_AF_INET = 2,
    WN_AF_INET6 = 10,
};

enum {
    WN_SOCK_STREAM = 1,
    WN_SOCK_DGRAM = 2,
    WN_SOCK_RAW = 3, /* answered with EPERM, as to a program without privileges */
    WN_SOCK_NONBLOCK = 04000,   /* or'ed to the kind, and to the flags of accept4() */
    WN_SOCK_CLOEXEC = 02000000, /* accepted; means nothing here */
};

enum {
    WN_IPPROTO_IP = 0,
    WN_IPPROTO_ICMP = 1,
    WN_IPPROTO_TCP = 6,
    WN_IPPROTO_UDP = 17,
    WN_IPPROTO_IPV6 = 41,
};

enum { WN_SHUT_RD, WN_SHUT_WR, WN_SHUT_RDWR };

/* ---- addresses ---- */

typedef uint32_t wn_socklen_t;

struct wn_sockaddr {
    uint16_t sa_family;
    char sa_data[14];
};

struct wn_in_addr {
    uint32_t s_addr; /* network order */
};

struct wn_in6_addr {
    uint8_t s6_octets[16]; /* s6_addr is a macro of <netinet/in.h> */
};

struct wn_sockaddr_in {
    uint16_t sin_family; /* WN_AF_INET */
    uint16_t sin_port;   /* network order */
    struct wn_in_addr sin_addr;
    uint8_t sin_zero[8];
};

struct wn_sockaddr_in6 {
    uint16_t sin6_family; /* WN_AF_INET6 */
    uint16_t sin6_port;   /* network order */
    uint32_t sin6_flowinfo;
    struct wn_in6_addr sin6_addr;
    uint32_t sin6_scope_id;
};

/* Large enough and aligned for each of them. */
struct wn_sockaddr_storage {
    uint16_t ss_family;
    uint8_t ss_padding[118];
    uint64_t ss_align;
};

/* ---- messages ---- */

struct wn_iovec {
    void *iov_base;
    size_t iov_len;
};

struct wn_msghdr {
    void *msg_name;          /* struct wn_sockaddr_*; NULL: none */
    wn_socklen_t msg_namelen;
    struct wn_iovec *msg_iov;
    size_t msg_iovlen;
    void *msg_control;       /* no ancillary data is given or taken: */
    size_t msg_controllen;   /* 0 after a receive */
    int msg_flags;           /* after a receive: WN_MSG_TRUNC, WN_MSG_OOB */
};

enum {
    WN_MSG_OOB = 0x1,
    WN_MSG_PEEK = 0x2,
    WN_MSG_DONTROUTE = 0x4, /* of a datagram: only to a host on the link */
    WN_MSG_CTRUNC = 0x8,
    WN_MSG_TRUNC = 0x20,
    WN_MSG_DONTWAIT = 0x40,
    WN_MSG_EOR = 0x80,
    WN_MSG_WAITALL = 0x100,
    WN_MSG_CONFIRM = 0x800,
    WN_MSG_ERRQUEUE = 0x2000,
    WN_MSG_NOSIGNAL = 0x4000, /* accepted: there never is a signal */
    WN_MSG_MORE = 0x8000,
    WN_MSG_FASTOPEN = 0x20000000,
    WN_MSG_CMSG_CLOEXEC = 0x40000000,
};

/* ---- fcntl and ioctl ---- */

enum { WN_F_GETFL = 3, WN_F_SETFL = 4 };
enum { WN_O_RDWR = 2, WN_O_NONBLOCK = 04000 };

enum {
    WN_SIOCATMARK = 0x8905, /* int: is the mark of urgent data next? */
    WN_FIONREAD = 0x541B,   /* int: octets that can be read; of a datagram socket, of the next one */
    WN_SIOCINQ = WN_FIONREAD,
    WN_SIOCOUTQ = 0x5411,   /* int: octets queued and not acknowledged */
    WN_FIONBIO = 0x5421,    /* int: O_NONBLOCK on or off */
    WN_SIOCOUTQNSD = 0x894B, /* int: octets queued and not sent */
};

/* ---- readiness ---- */

enum {
    WN_POLLIN = 0x001,
    WN_POLLPRI = 0x002,
    WN_POLLOUT = 0x004,
    WN_POLLERR = 0x008,
    WN_POLLHUP = 0x010,
    WN_POLLNVAL = 0x020,
    WN_POLLRDNORM = 0x040,
    WN_POLLRDBAND = 0x080,
    WN_POLLWRNORM = 0x100,
    WN_POLLWRBAND = 0x200,
    WN_POLLMSG = 0x400,
    WN_POLLRDHUP = 0x2000,
};

struct wn_pollfd {
    int fd; /* negative: not looked at */
    short events;
    short revents;
};

enum { WN_FD_SETSIZE = 1024 };

/* A set of descriptors, for select(). */
typedef struct wn_fd_set {
    uint64_t bits[WN_FD_SETSIZE / 64];
} wn_fd_set;

struct wn_timeval {
    int64_t tv_sec;
    int64_t tv_usec;
};

enum { WN_EPOLL_CTL_ADD = 1, WN_EPOLL_CTL_DEL = 2, WN_EPOLL_CTL_MOD = 3 };

#define WN_EPOLLIN UINT32_C(0x001)
#define WN_EPOLLPRI UINT32_C(0x002)
#define WN_EPOLLOUT UINT32_C(0x004)
#define WN_EPOLLERR UINT32_C(0x008)
#define WN_EPOLLHUP UINT32_C(0x010)
#define WN_EPOLLRDNORM UINT32_C(0x040)
#define WN_EPOLLRDBAND UINT32_C(0x080)
#define WN_EPOLLWRNORM UINT32_C(0x100)
#define WN_EPOLLWRBAND UINT32_C(0x200)
#define WN_EPOLLMSG UINT32_C(0x400)
#define WN_EPOLLRDHUP UINT32_C(0x2000)
#define WN_EPOLLEXCLUSIVE (UINT32_C(1) << 28)
#define WN_EPOLLWAKEUP (UINT32_C(1) << 29)
#define WN_EPOLLONESHOT (UINT32_C(1) << 30)
#define WN_EPOLLET (UINT32_C(1) << 31)

typedef union wn_epoll_data {
    void *ptr;
    int fd;
    uint32_t u32;
    uint64_t u64;
} wn_epoll_data_t;

/* Not packed, unlike that of Linux on x86-64: it never crosses a system call. */
struct wn_epoll_event {
    uint32_t events;
    wn_epoll_data_t data;
};

/* ---- options ---- */

enum { WN_SOL_IP = 0, WN_SOL_SOCKET = 1, WN_SOL_TCP = 6, WN_SOL_UDP = 17, WN_SOL_IPV6 = 41 };

enum { /* level WN_SOL_SOCKET */
    WN_SO_REUSEADDR = 2,
    WN_SO_TYPE = 3,
    WN_SO_ERROR = 4,
    WN_SO_DONTROUTE = 5,
    WN_SO_BROADCAST = 6,
    WN_SO_SNDBUF = 7,
    WN_SO_RCVBUF = 8,
    WN_SO_KEEPALIVE = 9,
    WN_SO_OOBINLINE = 10,
    WN_SO_PRIORITY = 12,
    WN_SO_LINGER = 13,
    WN_SO_REUSEPORT = 15,
    WN_SO_RCVLOWAT = 18,
    WN_SO_SNDLOWAT = 19,
    WN_SO_RCVTIMEO = 20, /* struct wn_timeval */
    WN_SO_SNDTIMEO = 21,
    WN_SO_ACCEPTCONN = 30,
    WN_SO_SNDBUFFORCE = 32,
    WN_SO_RCVBUFFORCE = 33,
    WN_SO_PROTOCOL = 38,
    WN_SO_DOMAIN = 39,
    WN_SO_BUSY_POLL = 46,
    WN_SO_MAX_PACING_RATE = 47,
    WN_SO_INCOMING_CPU = 49,
    WN_SO_ZEROCOPY = 60,
};

struct wn_linger {
    int l_onoff;
    int l_linger; /* seconds */
};

enum { /* level WN_IPPROTO_IP */
    WN_IP_TOS = 1,
    WN_IP_TTL = 2,
    WN_IP_MTU_DISCOVER = 10,
    WN_IP_RECVERR = 11,
    WN_IP_MTU = 14,
    WN_IP_FREEBIND = 15,
    WN_IP_TRANSPARENT = 19,
    WN_IP_MINTTL = 21, /* streams: segments with a lower TTL are not heard (RFC 5082) */
    WN_IP_BIND_ADDRESS_NO_PORT = 24,
    WN_IP_LOCAL_PORT_RANGE = 51,
};

enum { /* of IP_MTU_DISCOVER */
    WN_IP_PMTUDISC_DONT,
    WN_IP_PMTUDISC_WANT,
    WN_IP_PMTUDISC_DO,
    WN_IP_PMTUDISC_PROBE,
    WN_IP_PMTUDISC_INTERFACE,
    WN_IP_PMTUDISC_OMIT,
};

enum { /* level WN_IPPROTO_IPV6 */
    WN_IPV6_UNICAST_HOPS = 16,
    WN_IPV6_MTU_DISCOVER = 23,
    WN_IPV6_MTU = 24,
    WN_IPV6_V6ONLY = 26,
    WN_IPV6_TCLASS = 67,
};

enum { /* level WN_IPPROTO_TCP */
    WN_TCP_NODELAY = 1,
    WN_TCP_MAXSEG = 2,
    WN_TCP_CORK = 3,
    WN_TCP_KEEPIDLE = 4,  /* seconds */
    WN_TCP_KEEPINTVL = 5, /* seconds */
    WN_TCP_KEEPCNT = 6,
    WN_TCP_SYNCNT = 7,
    WN_TCP_LINGER2 = 8,   /* seconds in FIN-WAIT-2 */
    WN_TCP_DEFER_ACCEPT = 9,
    WN_TCP_WINDOW_CLAMP = 10,
    WN_TCP_INFO = 11,
    WN_TCP_QUICKACK = 12,
    WN_TCP_CONGESTION = 13, /* a name */
    WN_TCP_THIN_LINEAR_TIMEOUTS = 16,
    WN_TCP_THIN_DUPACK = 17,
    WN_TCP_USER_TIMEOUT = 18, /* milliseconds */
    WN_TCP_FASTOPEN = 23,     /* a listener's queue */
    WN_TCP_TIMESTAMP = 24,
    WN_TCP_NOTSENT_LOWAT = 25,
    WN_TCP_CC_INFO = 26,
    WN_TCP_SAVE_SYN = 27,
    WN_TCP_SAVED_SYN = 28,
    WN_TCP_FASTOPEN_CONNECT = 30,
    WN_TCP_FASTOPEN_KEY = 33,
    WN_TCP_FASTOPEN_NO_COOKIE = 34,
    WN_TCP_INQ = 36,
    WN_TCP_TX_DELAY = 37,
};

/* The states of tcpi_state. */
enum {
    WN_TCP_ESTABLISHED = 1,
    WN_TCP_SYN_SENT,
    WN_TCP_SYN_RECV,
    WN_TCP_FIN_WAIT1,
    WN_TCP_FIN_WAIT2,
    WN_TCP_TIME_WAIT,
    WN_TCP_CLOSE,
    WN_TCP_CLOSE_WAIT,
    WN_TCP_LAST_ACK,
    WN_TCP_LISTEN,
    WN_TCP_CLOSING,
};

/* The states of tcpi_ca_state. */
enum { WN_TCP_CA_OPEN, WN_TCP_CA_DISORDER, WN_TCP_CA_CWR, WN_TCP_CA_RECOVERY, WN_TCP_CA_LOSS };

enum { /* bits of tcpi_options */
    WN_TCPI_OPT_TIMESTAMPS = 1,
    WN_TCPI_OPT_SACK = 2,
    WN_TCPI_OPT_WSCALE = 4,
    WN_TCPI_OPT_ECN = 8,
    WN_TCPI_OPT_ECN_SEEN = 16,
    WN_TCPI_OPT_SYN_DATA = 32,
};

/*
 * TCP_INFO. As far as tcpi_total_rto_time it is Linux's struct, field by field: what a program
 * compiled for it asks for is what it gets. Then comes what only we tell. Times are microseconds
 * unless said otherwise; tcpi_last_* are milliseconds. What is not known is 0.
 */
struct wn_tcp_info {
    uint8_t tcpi_state;
    uint8_t tcpi_ca_state;
    uint8_t tcpi_retransmits; /* timeouts in a row without progress */
    uint8_t tcpi_probes;      /* of a closed window or of an idle peer, not answered */
    uint8_t tcpi_backoff;     /* doublings of tcpi_rto */
    uint8_t tcpi_options;
    uint8_t tcpi_wscale;      /* low half: of the peer (what we shift); high half: ours */
    uint8_t tcpi_flags;       /* 1: tcpi_delivery_rate was limited by the application */
    uint32_t tcpi_rto;
    uint32_t tcpi_ato;
    uint32_t tcpi_snd_mss;
    uint32_t tcpi_rcv_mss;
    uint32_t tcpi_unacked; /* segments from here to tcpi_fackets; a listener's accept queue */
    uint32_t tcpi_sacked;  /* a listener's backlog */
    uint32_t tcpi_lost;
    uint32_t tcpi_retrans;
    uint32_t tcpi_fackets;
    uint32_t tcpi_last_data_sent;
    uint32_t tcpi_last_ack_sent;
    uint32_t tcpi_last_data_recv;
    uint32_t tcpi_last_ack_recv;
    uint32_t tcpi_pmtu;
    uint32_t tcpi_rcv_ssthresh;
    uint32_t tcpi_rtt;
    uint32_t tcpi_rttvar;
    uint32_t tcpi_snd_ssthresh; /* segments */
    uint32_t tcpi_snd_cwnd;     /* segments */
    uint32_t tcpi_advmss;
    uint32_t tcpi_reordering;
    uint32_t tcpi_rcv_rtt;
    uint32_t tcpi_rcv_space;
    uint32_t tcpi_total_retrans;
    uint64_t tcpi_pacing_rate; /* octets a second */
    uint64_t tcpi_max_pacing_rate;
    uint64_t tcpi_bytes_acked;
    uint64_t tcpi_bytes_received;
    uint32_t tcpi_segs_out;
    uint32_t tcpi_segs_in;
    uint32_t tcpi_notsent_bytes;
    uint32_t tcpi_min_rtt;
    uint32_t tcpi_data_segs_in;
    uint32_t tcpi_data_segs_out;
    uint64_t tcpi_delivery_rate;
    uint64_t tcpi_busy_time;
    uint64_t tcpi_rwnd_limited;   /* of tcpi_busy_time: held back by the peer's window */
    uint64_t tcpi_sndbuf_limited; /* and by the send buffer */
    uint32_t tcpi_delivered;
    uint32_t tcpi_delivered_ce;
    uint64_t tcpi_bytes_sent;
    uint64_t tcpi_bytes_retrans;
    uint32_t tcpi_dsack_dups;
    uint32_t tcpi_reord_seen;
    uint32_t tcpi_rcv_ooopack;
    uint32_t tcpi_snd_wnd;
    uint32_t tcpi_rcv_wnd;
    uint32_t tcpi_rehash;
    uint16_t tcpi_total_rto;
    uint16_t tcpi_total_rto_recoveries;
    uint32_t tcpi_total_rto_time;
    /* Ours. */
    uint32_t wn_cwnd_bytes;
    uint32_t wn_ssthresh_bytes;
    uint32_t wn_flight_bytes;   /* sent and not acknowledged */
    uint32_t wn_timeouts;       /* of the retransmission timer, in all */
    uint64_t wn_cwnd_limited;   /* time held back by the congestion window */
    uint64_t wn_pacing_limited; /* by pacing */
    uint64_t wn_app_limited;    /* with nothing to send */
};

#endif
