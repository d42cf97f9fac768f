/* SPDX-License-Identifier: ISC */
/*
 * bsd_sockopt.c - setsockopt() and getsockopt(): most values are ints and go by the table of
 * bsd_options.c; those that are structures are done here.
 */
#include "stack/bsd/sockopt_table.h"

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- structures ---- */

static int set_linger(struct bsd_socket *s, const void *value, wn_socklen_t len)
{
    struct wn_linger linger;
    if (len < sizeof linger)
        return -EINVAL;
    memcpy(&linger, value, sizeof linger);
    s->linger = linger.l_onoff != 0;
    if (s->linger)
        s->linger_seconds = linger.l_linger < 0 ? INT32_MAX : linger.l_linger;
    return 0;
}

static int set_timeout(usec *timeout, const void *value, wn_socklen_t len)
{
    struct wn_timeval time;
    if (len < sizeof time)
        return -EINVAL;
    memcpy(&time, value, sizeof time);
    if (time.tv_usec < 0 || time.tv_usec >= USEC_PER_SEC)
        return -EDOM;
    if (time.tv_sec < 0)
        *timeout = 0;
    else if ((time.tv_sec == 0 && time.tv_usec == 0) ||
             time.tv_sec >= USEC_NEVER / USEC_PER_SEC - 1)
        *timeout = USEC_NEVER;
    else
        *timeout = time.tv_sec * USEC_PER_SEC + time.tv_usec;
    return 0;
}

/* Linux calls NewReno by its older name. */
static int set_congestion(struct bsd_socket *s, const void *value, wn_socklen_t len)
{
    char name[16] = "";
    if (len < 1)
        return -EINVAL;
    memcpy(name, value, smaller(len, sizeof name - 1));
    int kind = tcp_congestion_find(strcmp(name, "reno") == 0 ? "newreno" : name);
    return kind < 0 ? -ENOENT : bsd_wish(s, TCP_OPTION_CONGESTION, (uint64_t)kind);
}

static const char *congestion_name(const struct bsd_socket *s)
{
    const char *name = tcp_congestion_name(
        (enum tcp_congestion_kind)bsd_wished(s, TCP_OPTION_CONGESTION));
    return strcmp(name, "newreno") == 0 ? "reno" : name;
}

/* Octets a second, in four or eight octets; all ones: no limit. */
static int set_pacing_rate(struct bsd_socket *s, const void *value, wn_socklen_t len)
{
    uint64_t rate;
    uint32_t word;
    if (len < sizeof word)
        return -EINVAL;
    memcpy(&word, value, sizeof word);
    rate = word != UINT32_MAX ? word : UINT64_MAX;
    if (len >= sizeof rate)
        memcpy(&rate, value, sizeof rate);
    s->pacing_limited = rate != UINT64_MAX;
    s->pacing_rate_max = rate;
    return s->kind == BSD_STREAM
               ? bsd_wish(s, TCP_OPTION_PACING_RATE_MAX, s->pacing_limited ? rate : 0)
               : 0;
}

static struct wn_timeval timeval_of(usec timeout)
{
    if (timeout == USEC_NEVER)
        return (struct wn_timeval){0, 0};
    return (struct wn_timeval){timeout / USEC_PER_SEC, timeout % USEC_PER_SEC};
}

/* ---- setting ---- */

static int set_tcp(struct bsd_socket *s, const struct bsd_option *o, int value)
{
    if (o->unit == BSD_OPTION_SWITCH)
        return bsd_wish(s, (enum tcp_option)o->place, value != 0);
    return bsd_wish(s, (enum tcp_option)o->place, (uint64_t)value * (uint64_t)o->unit);
}

static int set_int(struct bsd_socket *s, const struct bsd_option *o, int value)
{
    bool on = value != 0;
    if ((o->least != 0 || o->most != 0) && (value < o->least || value > o->most))
        return o->name == WN_SO_PRIORITY && o->level == WN_SOL_SOCKET ? -EPERM : -EINVAL;
    if (o->set != NULL)
        return o->set(s, value);
    switch (o->type) {
    case BSD_OPTION_BOOL:
        memcpy((char *)s + o->place, &on, sizeof on);
        return 0;
    case BSD_OPTION_INT:
        memcpy((char *)s + o->place, &value, sizeof value);
        return 0;
    case BSD_OPTION_TCP:
        return set_tcp(s, o, value);
    case BSD_OPTION_FUNCTIONS:
    case BSD_OPTION_ASKED:
        break;
    }
    return -ENOPROTOOPT;
}

/* Options of IP may be told in one octet, and nothing is 0. */
static int read_int(const struct bsd_option *o, const void *value, wn_socklen_t len, int *out)
{
    uint8_t octet = 0;
    if (len >= sizeof *out) {
        memcpy(out, value, sizeof *out);
        return 0;
    }
    bool empty = o->name == WN_IP_FREEBIND || o->name == WN_IP_MINTTL; /* is nothing to these */
    if (o->level != WN_IPPROTO_IP || (len == 0 && empty))
        return -EINVAL;
    if (len >= sizeof octet)
        memcpy(&octet, value, sizeof octet);
    *out = octet;
    return 0;
}

int bsd_setsockopt(struct bsd *bsd, int fd, int level, int name, const void *value,
                   wn_socklen_t len)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (len > INT32_MAX) /* it was negative */
        return -EINVAL;
    if (value == NULL)
        return -EFAULT;
    if (level == WN_SOL_SOCKET && name == WN_SO_LINGER)
        return set_linger(s, value, len);
    if (level == WN_SOL_SOCKET && name == WN_SO_RCVTIMEO)
        return set_timeout(&s->receive_timeout, value, len);
    if (level == WN_SOL_SOCKET && name == WN_SO_MAX_PACING_RATE)
        return set_pacing_rate(s, value, len);
    if (level == WN_SOL_SOCKET && name == WN_SO_SNDTIMEO)
        return set_timeout(&s->send_timeout, value, len);
    if (level == WN_IPPROTO_TCP && name == WN_TCP_CONGESTION && s->kind == BSD_STREAM)
        return set_congestion(s, value, len);
    if (level == WN_IPPROTO_TCP && name == WN_TCP_FASTOPEN_KEY && s->kind == BSD_STREAM)
        return bsd_fast_open_set_keys(s, value, len);
    const struct bsd_option *o = bsd_option_find(s, level, name);
    int number;
    bool whole = level == WN_SOL_SOCKET || (level == WN_IPPROTO_TCP && s->kind == BSD_STREAM);
    if (whole && len < sizeof number)
        return -EINVAL;
    if (o == NULL)
        return -ENOPROTOOPT;
    result = read_int(o, value, len, &number);
    return result < 0 ? result : set_int(s, o, number);
}

/* ---- getting ---- */

static int get_tcp(const struct bsd_socket *s, const struct bsd_option *o)
{
    uint64_t value = bsd_wished(s, (enum tcp_option)o->place);
    if (o->unit == BSD_OPTION_SWITCH)
        return value != 0;
    value /= (uint64_t)o->unit;
    return value < INT32_MAX ? (int)value : INT32_MAX;
}

static int get_int(const struct bsd_socket *s, const struct bsd_option *o, int *out)
{
    bool on;
    switch (o->type) {
    case BSD_OPTION_BOOL:
        memcpy(&on, (const char *)s + o->place, sizeof on);
        *out = on;
        return 0;
    case BSD_OPTION_INT:
        memcpy(out, (const char *)s + o->place, sizeof *out);
        return 0;
    case BSD_OPTION_TCP:
        *out = get_tcp(s, o);
        return 0;
    case BSD_OPTION_FUNCTIONS:
    case BSD_OPTION_ASKED:
        break;
    }
    if (o->get == NULL)
        return -ENOPROTOOPT;
    *out = o->get(s);
    return *out < -1 ? *out : 0; /* -1 is a value, and EPERM no answer here */
}

static int copy_value(const void *from, size_t from_len, void *value, wn_socklen_t *len)
{
    *len = (wn_socklen_t)smaller(*len, from_len);
    memcpy(value, from, *len);
    return 0;
}

static bool get_structure(const struct bsd_socket *s, int level, int name, void *value,
                          wn_socklen_t *len)
{
    struct wn_linger linger = {s->linger, s->linger_seconds};
    struct wn_tcp_info info;
    struct wn_timeval time;
    if (level == WN_IPPROTO_TCP && name == WN_TCP_INFO && s->kind == BSD_STREAM) {
        bsd_tcp_info(s, &info);
        return copy_value(&info, sizeof info, value, len) == 0;
    }
    if (level == WN_IPPROTO_TCP && name == WN_TCP_CONGESTION && s->kind == BSD_STREAM) {
        char text[16] = "";
        memcpy(text, congestion_name(s), smaller(strlen(congestion_name(s)), sizeof text - 1));
        return copy_value(text, sizeof text, value, len) == 0;
    }
    if (level == WN_IPPROTO_TCP && name == WN_TCP_FASTOPEN_KEY && s->kind == BSD_STREAM) {
        uint8_t keys[2 * TCP_FAST_OPEN_KEY_LEN];
        return copy_value(keys, bsd_fast_open_get_keys(s, keys), value, len) == 0;
    }
    if (level != WN_SOL_SOCKET)
        return false;
    uint64_t rate = s->pacing_limited ? s->pacing_rate_max : UINT64_MAX;
    uint32_t word = rate < UINT32_MAX ? (uint32_t)rate : UINT32_MAX;
    switch (name) {
    case WN_SO_MAX_PACING_RATE:
        return (*len >= sizeof rate ? copy_value(&rate, sizeof rate, value, len)
                                    : copy_value(&word, sizeof word, value, len)) == 0;
    case WN_SO_LINGER:
        return copy_value(&linger, sizeof linger, value, len) == 0;
    case WN_SO_RCVTIMEO:
    case WN_SO_SNDTIMEO:
        time = timeval_of(name == WN_SO_RCVTIMEO ? s->receive_timeout : s->send_timeout);
        return copy_value(&time, sizeof time, value, len) == 0;
    default:
        return false;
    }
}

int bsd_getsockopt(struct bsd *bsd, int fd, int level, int name, void *value, wn_socklen_t *len)
{
    struct bsd_socket *s;
    int result = bsd_socket_at(bsd, fd, &s);
    if (result < 0)
        return result;
    if (len == NULL || (value == NULL && *len > 0))
        return -EFAULT;
    if (!bsd_option_level(s, level))
        return -EOPNOTSUPP;
    if (*len > INT32_MAX)
        return -EINVAL;
    if (get_structure(s, level, name, value, len))
        return 0;
    const struct bsd_option *o = bsd_option_find(s, level, name);
    if (o == NULL)
        return -ENOPROTOOPT;
    int number;
    result = get_int(s, o, &number);
    if (result < 0)
        return result;
    uint8_t octet = (uint8_t)number;
    if (level == WN_IPPROTO_IP && *len > 0 && *len < sizeof number && number >= 0 && number <= 255)
        return copy_value(&octet, sizeof octet, value, len);
    return copy_value(&number, sizeof number, value, len);
}
