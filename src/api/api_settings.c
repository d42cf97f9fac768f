/* SPDX-License-Identifier: ISC */
/*
 * api_settings.c - what can be chosen of TCP, by name: the settings of a stack (a struct tcp_profile,
 * member by member) and the options of a connection (enum tcp_option).
 */
#include "api/internal.h"
#include "stack/tcp/internal.h"

/* ---- settings of a stack ---- */

enum field_kind { FIELD_BOOL, FIELD_U8, FIELD_U16, FIELD_U32, FIELD_ENUM, FIELD_64 };

/* C17 has enumerations as unsigned or as int: both are copied through an unsigned. */
#define KIND_OF(member)                                                                            \
    _Generic(((struct tcp_profile *)NULL)->member, _Bool: FIELD_BOOL, uint8_t: FIELD_U8,           \
             uint16_t: FIELD_U16, uint32_t: FIELD_U32, usec: FIELD_64, uint64_t: FIELD_64,         \
             default: FIELD_ENUM)
#define FIELD(member, least, most)                                                                 \
    {#member, KIND_OF(member), offsetof(struct tcp_profile, member), least, most}
#define SWITCH(member) FIELD(member, 0, 1)

#define SECONDS_MAX (32767 * USEC_PER_SEC)

static const struct field {
    const char *name;
    enum field_kind kind;
    size_t offset;
    int64_t least;
    int64_t most;
} fields[] = {
    /* Handshake. */
    FIELD(syn_order, 0, TCP_SYN_ORDER_COUNT - 1),
    SWITCH(sack),
    SWITCH(dsack),
    SWITCH(timestamps),
    SWITCH(timestamps_may_miss),
    SWITCH(window_scaling),
    FIELD(syn_cookies, 0, TCP_SYN_COOKIES_COUNT - 1),
    FIELD(ecn, 0, TCP_ECN_COUNT - 1),
    FIELD(fast_open, 0, 31),
    FIELD(fast_open_queue, 0, 65535),
    FIELD(fast_open_pause, 0, USEC_PER_DAY),
    FIELD(remember, 0, 7),
    SWITCH(syn_window_segments),
    FIELD(mss_max, 0, 32767),
    FIELD(syn_retries, 1, 127),
    FIELD(syn_ack_retries, 1, 127),
    FIELD(defer_accept, 0, USEC_PER_DAY),
    /* Sending. */
    FIELD(congestion, 0, TCP_CONGESTION_COUNT - 1),
    FIELD(initial_window, 1, 1000),
    SWITCH(hystart),
    SWITCH(abe),
    SWITCH(restart_after_idle),
    SWITCH(nodelay),
    SWITCH(cork),
    SWITCH(push_each_burst),
    SWITCH(push_each_write),
    FIELD(burst_divisor, 0, 255),
    FIELD(burst_patience, 0, USEC_PER_SEC),
    FIELD(burst_min, 0, 255),
    SWITCH(empty_probes),
    SWITCH(pacing),
    FIELD(pacing_after, 0, 255),
    FIELD(pacing_rate_max, 0, INT64_MAX),
    FIELD(send_buffer, TCP_BUFFER_MIN, TCP_BUFFER_MAX),
    FIELD(send_buffer_max, 0, TCP_BUFFER_MAX),
    FIELD(unit_cost, 0, 65535),
    FIELD(not_sent_low, 0, UINT32_MAX),
    /* Loss recovery. */
    SWITCH(rack),
    SWITCH(tail_loss_probe),
    SWITCH(prr),
    SWITCH(forward_rto),
    SWITCH(undo),
    FIELD(reordering, 1, 127),
    FIELD(retries, 0, 255),
    FIELD(orphan_retries, 0, 255),
    FIELD(rto_initial, USEC_PER_MSEC, 120 * USEC_PER_SEC),
    FIELD(rto_min, USEC_PER_MSEC, 120 * USEC_PER_SEC),
    FIELD(rto_max, USEC_PER_SEC, 120 * USEC_PER_SEC),
    SWITCH(rtt_each_ack),
    SWITCH(silent_on_future_ack),
    SWITCH(half_open_unreachable),
    FIELD(user_timeout, 0, UINT32_MAX * USEC_PER_MSEC),
    FIELD(user_timeout_told, 0, USEC_PER_DAY),
    /* Receiving. */
    FIELD(receive_buffer, TCP_BUFFER_MIN, TCP_BUFFER_MAX),
    FIELD(receive_buffer_max, 0, TCP_BUFFER_MAX),
    SWITCH(window_grows),
    FIELD(window_clamp, 0, TCP_BUFFER_MAX),
    FIELD(receive_low, 0, TCP_BUFFER_MAX),
    FIELD(delayed_ack, 1, USEC_PER_SEC / 2),
    FIELD(quick_acks, 0, 255),
    SWITCH(urgent_in_line),
    /* The rest of a life. */
    SWITCH(keepalive),
    FIELD(keepalive_idle, USEC_PER_SEC, SECONDS_MAX),
    FIELD(keepalive_interval, USEC_PER_SEC, SECONDS_MAX),
    FIELD(keepalive_probes, 1, 127),
    FIELD(fin_wait_2, 0, 120 * USEC_PER_SEC),
    FIELD(time_wait, 0, 30 * USEC_PER_MINUTE),
    SWITCH(time_wait_reuse),
    FIELD(challenge, 0, TCP_CHALLENGE_COUNT - 1),
    FIELD(challenge_interval, 0, USEC_PER_MINUTE),
    FIELD(challenge_count, 1, 1000000),
    FIELD(ttl, 0, 255),
    FIELD(ttl_min, 0, 255),
    FIELD(traffic_class, 0, 255),
    SWITCH(direct),
    FIELD(path_mtu_discovery, 0, TCP_PATH_MTU_COUNT - 1),
    FIELD(path_mtu_probing, 0, TCP_PROBING_COUNT - 1),
    FIELD(path_mtu_base, 68, 65535),
    FIELD(path_mtu_interval, USEC_PER_SEC, USEC_PER_DAY),
    SWITCH(statistics),
};

static const struct field *find_field(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static void put(struct tcp_profile *profile, const struct field *field, int64_t value)
{
    char *at = (char *)profile + field->offset;
    bool on = value != 0;
    uint8_t u8 = (uint8_t)value;
    uint16_t u16 = (uint16_t)value;
    uint32_t u32 = (uint32_t)value;
    switch (field->kind) {
    case FIELD_BOOL:
        memcpy(at, &on, sizeof on);
        break;
    case FIELD_U8:
        memcpy(at, &u8, sizeof u8);
        break;
    case FIELD_U16:
        memcpy(at, &u16, sizeof u16);
        break;
    case FIELD_U32:
    case FIELD_ENUM:
        memcpy(at, &u32, sizeof u32);
        break;
    case FIELD_64:
        memcpy(at, &value, sizeof value);
        break;
    }
}

static int64_t get(const struct tcp_profile *profile, const struct field *field)
{
    const char *at = (const char *)profile + field->offset;
    bool on;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    int64_t value = 0;
    switch (field->kind) {
    case FIELD_BOOL:
        memcpy(&on, at, sizeof on);
        return on;
    case FIELD_U8:
        memcpy(&u8, at, sizeof u8);
        return u8;
    case FIELD_U16:
        memcpy(&u16, at, sizeof u16);
        return u16;
    case FIELD_U32:
    case FIELD_ENUM:
        memcpy(&u32, at, sizeof u32);
        return u32;
    case FIELD_64:
        memcpy(&value, at, sizeof value);
        break;
    }
    return value;
}

int wn_stack_set_profile(struct wn_stack *stack, const char *name)
{
    const struct tcp_profile *profile = tcp_profile_find(name);
    if (profile == NULL)
        return api_fail(stack, -EINVAL, "there is no profile '%.40s'", name);
    stack->profile = *profile;
    tcp_set_profile(stack->stack, profile);
    return 0;
}

int wn_stack_set(struct wn_stack *stack, const char *name, int64_t value)
{
    const struct field *field = find_field(name);
    if (field == NULL)
        return api_fail(stack, -ENOENT, "there is no setting '%.40s'", name);
    if (value < field->least || value > field->most)
        return api_fail(stack, -ERANGE, "%s must be from %lld to %lld", name,
                        (long long)field->least, (long long)field->most);
    put(&stack->profile, field, value);
    tcp_set_profile(stack->stack, &stack->profile);
    return 0;
}

int wn_stack_get(const struct wn_stack *stack, const char *name, int64_t *out)
{
    const struct field *field = find_field(name);
    if (field == NULL)
        return -ENOENT;
    *out = get(&stack->profile, field);
    return 0;
}

const char *wn_stack_each_setting(size_t *place)
{
    return *place < ARRAY_LEN(fields) ? fields[(*place)++].name : NULL;
}

/* ---- options of a connection ---- */

static const char *const options[] = {
    [TCP_OPTION_NODELAY] = "nodelay",
    [TCP_OPTION_CORK] = "cork",
    [TCP_OPTION_QUICK_ACK] = "quick_ack",
    [TCP_OPTION_MSS_MAX] = "mss_max",
    [TCP_OPTION_KEEPALIVE] = "keepalive",
    [TCP_OPTION_KEEPALIVE_IDLE] = "keepalive_idle",
    [TCP_OPTION_KEEPALIVE_INTERVAL] = "keepalive_interval",
    [TCP_OPTION_KEEPALIVE_PROBES] = "keepalive_probes",
    [TCP_OPTION_SYN_RETRIES] = "syn_retries",
    [TCP_OPTION_RETRIES] = "retries",
    [TCP_OPTION_ORPHAN_RETRIES] = "orphan_retries",
    [TCP_OPTION_USER_TIMEOUT] = "user_timeout",
    [TCP_OPTION_RTO_MIN] = "rto_min",
    [TCP_OPTION_RTO_MAX] = "rto_max",
    [TCP_OPTION_DELAYED_ACK] = "delayed_ack",
    [TCP_OPTION_FIN_WAIT_2] = "fin_wait_2",
    [TCP_OPTION_DEFER_ACCEPT] = "defer_accept",
    [TCP_OPTION_WINDOW_CLAMP] = "window_clamp",
    [TCP_OPTION_NOT_SENT_LOW] = "not_sent_low",
    [TCP_OPTION_RECEIVE_LOW] = "receive_low",
    [TCP_OPTION_RECEIVE_BUFFER] = "receive_buffer",
    [TCP_OPTION_SEND_BUFFER] = "send_buffer",
    [TCP_OPTION_TTL] = "ttl",
    [TCP_OPTION_TRAFFIC_CLASS] = "traffic_class",
    [TCP_OPTION_PATH_MTU_DISCOVERY] = "path_mtu_discovery",
    [TCP_OPTION_ECN] = "ecn",
    [TCP_OPTION_FAST_OPEN] = "fast_open",
    [TCP_OPTION_PACING_RATE_MAX] = "pacing_rate_max",
    [TCP_OPTION_URGENT_IN_LINE] = "urgent_in_line",
    [TCP_OPTION_STATISTICS] = "statistics",
    [TCP_OPTION_CONGESTION] = "congestion",
    [TCP_OPTION_FAST_OPEN_QUEUE] = "fast_open_queue",
    [TCP_OPTION_TTL_MIN] = "ttl_min",
    [TCP_OPTION_USER_TIMEOUT_TOLD] = "user_timeout_told",
    [TCP_OPTION_DIRECT] = "direct",
    [TCP_OPTION_RTO_INITIAL] = "rto_initial",
    [TCP_OPTION_SYN_COOKIES] = "syn_cookies",
};
_Static_assert(ARRAY_LEN(options) == TCP_OPTION_COUNT, "one name per option");

/* TCP_OPTION_COUNT: there is none. */
static enum tcp_option find_option(const char *name)
{
    unsigned i = 0;
    while (i < TCP_OPTION_COUNT && strcmp(options[i], name) != 0)
        i++;
    return (enum tcp_option)i;
}

static int status_number(enum tcp_option_status status)
{
    switch (status) {
    case TCP_OPTION_SET:
        break;
    case TCP_OPTION_RANGE:
        return -ERANGE;
    case TCP_OPTION_STATE:
        return -EINVAL;
    case TCP_OPTION_NO_MEMORY:
        return -ENOMEM;
    }
    return 0;
}

int wn_tcp_set(struct wn_tcp *tcp, const char *name, uint64_t value)
{
    enum tcp_option option = find_option(name);
    if (option == TCP_OPTION_COUNT)
        return -ENOENT;
    return status_number(tcp_set_option(tcp_in(tcp), option, value));
}

int wn_tcp_get(const struct wn_tcp *tcp, const char *name, uint64_t *out)
{
    enum tcp_option option = find_option(name);
    if (option == TCP_OPTION_COUNT)
        return -ENOENT;
    *out = tcp_get_option(tcp_in(tcp), option);
    return 0;
}

int wn_listener_set(struct wn_listener *listener, const char *name, uint64_t value)
{
    enum tcp_option option = find_option(name);
    if (option == TCP_OPTION_COUNT)
        return -ENOENT;
    return status_number(tcp_listener_set_option(listener_in(listener), option, value));
}

const char *wn_tcp_each_option(size_t *place)
{
    return *place < ARRAY_LEN(options) ? options[(*place)++] : NULL;
}

int wn_tcp_set_congestion(struct wn_tcp *tcp, const char *name)
{
    int kind = tcp_congestion_find(name);
    if (kind < 0)
        return -ENOENT;
    return status_number(tcp_set_option(tcp_in(tcp), TCP_OPTION_CONGESTION, (uint64_t)kind));
}

const char *wn_tcp_each_congestion(size_t *place)
{
    unsigned next = (unsigned)*place;
    const char *name = tcp_congestion_each(&next);
    *place = next;
    return name;
}
