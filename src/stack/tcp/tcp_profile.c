/* SPDX-License-Identifier: ISC */
/* tcp_profile.c - the profiles, and finding one by name. */
#include "stack/tcp/internal.h"
#include "stack/tcp/tcp_profile.h"

/* What all have in common. */
#define EVERYWHERE                                                                                 \
    .sack = true, .dsack = true, .urgent_in_line = true, .syn_cookies = TCP_SYN_COOKIES_WHEN_FULL, \
    .ecn = TCP_ECN_ACCEPT,                                                                         \
    .syn_ack_retries = 5, .hystart = true, .restart_after_idle = true, .rack = true,               \
    .tail_loss_probe = true, .prr = true, .forward_rto = true, .undo = true, .reordering = 3,      \
    .retries = 15, .orphan_retries = 15, .rto_initial = 1 * USEC_PER_SEC,                          \
    .rto_max = 60 * USEC_PER_SEC,                                                                  \
    .not_sent_low = UINT32_MAX, .receive_low = 1, .delayed_ack = 40 * USEC_PER_MSEC,               \
    .keepalive_idle = 2 * USEC_PER_HOUR, .keepalive_interval = 75 * USEC_PER_SEC,                  \
    .keepalive_probes = 9, .fin_wait_2 = 60 * USEC_PER_SEC, .time_wait = 60 * USEC_PER_SEC,        \
    .challenge_interval = 500 * USEC_PER_MSEC, .challenge_count = 100,                             \
    .burst_divisor = 3,                                                                            \
    .remember = TCP_REMEMBER_RTT | TCP_REMEMBER_PATH_MTU,                                          \
    .path_mtu_discovery = TCP_PATH_MTU_WANT, .path_mtu_base = 1024, .path_mtu_interval = 10 * USEC_PER_MINUTE

/* DEVIATES RFC 6298 §2.4: not 1 s at least, but the round trip and 200 ms (rto_min), as every large
 * stack has had for decades; that covers the peers' delayed acknowledgements on a path of any length. */
const struct tcp_profile tcp_profile_default = {
    EVERYWHERE,
    .name = "default",
    .syn_retries = 7, /* more than 3 minutes (RFC 9293 §3.8.3, MUST-23) */
    .timestamps = true,
    .window_scaling = true,
    .fast_open = TCP_FAST_OPEN_CLIENT,
    .fast_open_pause = USEC_PER_HOUR,
    .initial_window = 10,
    .rto_min = 200 * USEC_PER_MSEC,
    .time_wait_reuse = true,
    .quick_acks = 16,
    .path_mtu_probing = TCP_PROBING_WHEN_BLACK,
    .send_buffer = 4 * 1024 * 1024,
    .send_buffer_max = 32 * 1024 * 1024,
    .receive_buffer = 4 * 1024 * 1024,
    .receive_buffer_max = 65535 << 9, /* the most that a scale of 9 can tell: 32 MiB */
};

/* SYN options, windows and times as a Linux host of today shows them. */
const struct tcp_profile tcp_profile_linux = {
    EVERYWHERE,
    .name = "linux",
    .syn_retries = 6,
    .syn_window_segments = true,
    .timestamps = true,
    .window_scaling = true,
    .fast_open = TCP_FAST_OPEN_CLIENT,
    .initial_window = 10,
    .rto_min = 200 * USEC_PER_MSEC,
    .quick_acks = 16,
    .push_each_burst = true,
    .push_each_write = true,
    .timestamps_may_miss = true,
    .silent_on_future_ack = true,
    .half_open_unreachable = true,
    .window_grows = true,
    .pacing_after = 10,
    .empty_probes = true,
    .rtt_each_ack = true,
    .unit_cost = 1280,
    .burst_patience = USEC_PER_MSEC,
    .burst_min = 2,
    .statistics = true,
    .send_buffer = 87040,
    .send_buffer_max = 4 * 1024 * 1024,
    .receive_buffer = 65535,
    .receive_buffer_max = 6 * 1024 * 1024,
};

const struct tcp_profile tcp_profile_freebsd = {
    EVERYWHERE,
    .name = "freebsd",
    .syn_retries = 6,
    .timestamps = true,
    .window_scaling = true,
    .initial_window = 10,
    .syn_order = TCP_SYN_ORDER_FREEBSD,
    .challenge = TCP_CHALLENGE_PER_STACK,
    .rto_min = 230 * USEC_PER_MSEC,
    .send_buffer = 32768,
    .send_buffer_max = 2 * 1024 * 1024,
    .receive_buffer = 65535,
    .receive_buffer_max = 2 * 1024 * 1024,
};

const struct tcp_profile tcp_profile_tiny = {
    EVERYWHERE,
    .name = "tiny",
    .congestion = TCP_CONGESTION_NEWRENO,
    .syn_retries = 7,
    .rto_min = 200 * USEC_PER_MSEC,
    .initial_window = 4,
    .send_buffer = 8192,
    .receive_buffer = 8192,
};

static const struct tcp_profile *const profiles[] = {
    &tcp_profile_default,
    &tcp_profile_linux,
    &tcp_profile_freebsd,
    &tcp_profile_tiny,
};

const struct tcp_profile *tcp_profile_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        if (strcmp(profiles[i]->name, name) == 0)
            return profiles[i];
    return NULL;
}

const char *tcp_profile_each(unsigned *place)
{
    return *place < ARRAY_LEN(profiles) ? profiles[(*place)++]->name : NULL;
}
