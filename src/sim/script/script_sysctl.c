/* SPDX-License-Identifier: ISC */
/* script_sysctl.c - Linux's net.ipv4 sysctls as fields of a TCP profile. */
#include "sim/script/script_settings.h"
#include "stack/tcp/tcp.h"

enum { NUMBERS_MAX = 3 };

/* A row's value, read: up to three numbers, or the text. */
struct setting {
    struct script_settings *settings;
    int64_t numbers[NUMBERS_MAX];
    size_t count;
    struct bytes text;
};

struct sysctl {
    const char *name;
    /* NULL: passed over. False: the value is none that it can have. */
    bool (*set)(struct setting *s);
};

static struct tcp_profile *profile(struct setting *s)
{
    return &s->settings->profile;
}

static uint32_t clamp(int64_t value, int64_t low, int64_t high)
{
    return (uint32_t)(value < low ? low : value > high ? high : value);
}

/* Rows that set one field. */
#define SWITCH(field)                                                                             \
    static bool set_##field(struct setting *s)                                                    \
    {                                                                                             \
        profile(s)->field = s->numbers[0] != 0;                                                   \
        return s->count == 1;                                                                     \
    }
#define NUMBER(field, type, low, high)                                                            \
    static bool set_##field(struct setting *s)                                                    \
    {                                                                                             \
        profile(s)->field = (type)clamp(s->numbers[0], low, high);                                \
        return s->count == 1;                                                                     \
    }
#define SECONDS(field)                                                                            \
    static bool set_##field(struct setting *s)                                                    \
    {                                                                                             \
        profile(s)->field = clamp(s->numbers[0], 0, INT32_MAX) * USEC_PER_SEC;                    \
        return s->count == 1;                                                                     \
    }

SWITCH(sack)
SWITCH(dsack)
SWITCH(timestamps)
SWITCH(window_scaling)
SWITCH(restart_after_idle)
SWITCH(forward_rto)
NUMBER(syn_cookies, uint8_t, 0, TCP_SYN_COOKIES_COUNT - 1)
NUMBER(syn_retries, uint8_t, 1, 127)
NUMBER(syn_ack_retries, uint8_t, 0, 127)
NUMBER(retries, uint8_t, 1, 127)
NUMBER(reordering, uint8_t, 1, 127)
NUMBER(not_sent_low, uint32_t, 0, UINT32_MAX)
NUMBER(keepalive_probes, uint8_t, 1, 127)
NUMBER(burst_divisor, uint8_t, 0, 255)
NUMBER(burst_min, uint8_t, 1, 255)
NUMBER(challenge_count, uint32_t, 1, INT32_MAX)
SECONDS(keepalive_idle)
SECONDS(keepalive_interval)
SECONDS(fin_wait_2)
SECONDS(path_mtu_interval)

/* 2: on the loopback device only, which there is none of. */
static bool set_time_wait_reuse(struct setting *s)
{
    profile(s)->time_wait_reuse = s->numbers[0] == 1;
    return s->count == 1;
}

/* 0: 8, as for a connection whose end of the path is alive. */
static bool set_orphan_retries(struct setting *s)
{
    int64_t value = s->numbers[0] != 0 ? s->numbers[0] : 8;
    profile(s)->orphan_retries = (uint8_t)clamp(value, 1, 127);
    return s->count == 1;
}

/* Least, default, most. */
static bool set_receive_memory(struct setting *s)
{
    profile(s)->receive_buffer = clamp(s->numbers[1], 2048, INT32_MAX);
    profile(s)->receive_buffer_max = clamp(s->numbers[2], s->numbers[1], INT32_MAX);
    return s->count == 3;
}

static bool set_send_memory(struct setting *s)
{
    profile(s)->send_buffer = clamp(s->numbers[1], 2048, INT32_MAX);
    profile(s)->send_buffer_max = clamp(s->numbers[2], s->numbers[1], INT32_MAX);
    return s->count == 3;
}

/* 0: off; 1: ask, and take it when asked; 2: take it when asked. */
static bool set_ecn(struct setting *s)
{
    static const enum tcp_ecn modes[] = {TCP_ECN_OFF, TCP_ECN_ASK, TCP_ECN_ACCEPT};
    if (s->count != 1 || s->numbers[0] < 0 || s->numbers[0] > 2)
        return false;
    profile(s)->ecn = modes[s->numbers[0]];
    return true;
}

static bool set_fast_open(struct setting *s)
{
    static const struct {
        int64_t theirs;
        unsigned ours;
    } bits[] = {
        {0x001, TCP_FAST_OPEN_CLIENT},
        {0x002, TCP_FAST_OPEN_SERVER},
        {0x004, TCP_FAST_OPEN_CLIENT_NO_COOKIE},
        {0x200, TCP_FAST_OPEN_SERVER_NO_COOKIE},
        {0x400, TCP_FAST_OPEN_EVERY_LISTENER},
    };
    profile(s)->fast_open = 0;
    for (size_t i = 0; i < ARRAY_LEN(bits); i++)
        if ((s->numbers[0] & bits[i].theirs) != 0)
            profile(s)->fast_open |= bits[i].ours;
    return s->count == 1;
}

static int hex_digit(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four words in hexadecimal, each in the host's order (little-endian, where scripts were written);
 * a second key behind a comma is for cookies of before. */
static bool set_fast_open_key(struct setting *s)
{
    uint8_t key[16] = {0};
    size_t digits = 0;
    struct bytes text = bytes_first(s->text, bytes_find(s->text, ','));
    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_digit(text.data[i]);
        if (text.data[i] == '-')
            continue;
        if (digit < 0 || digits == 32)
            return false;
        size_t octet = digits / 8 * 4 + 3 - digits % 8 / 2;
        key[octet] = (uint8_t)(key[octet] << 4 | digit);
        digits++;
    }
    memcpy(s->settings->fast_open_key, key, sizeof key);
    s->settings->has_fast_open_key = true;
    return digits == 32;
}

/* 0: no tail loss probe; 3 and 4: with it. */
static bool set_early_retransmit(struct setting *s)
{
    profile(s)->tail_loss_probe = s->numbers[0] >= 3;
    return s->count == 1 && s->numbers[0] >= 0 && s->numbers[0] <= 4;
}

/* Bit 0: RACK; the others are for variants of it. */
static bool set_recovery(struct setting *s)
{
    profile(s)->rack = (s->numbers[0] & 1) != 0;
    return s->count == 1 && (s->numbers[0] & ~INT64_C(7)) == 0;
}

static bool set_path_mtu_probing(struct setting *s)
{
    profile(s)->path_mtu_probing = (uint8_t)s->numbers[0];
    return s->count == 1 && s->numbers[0] >= 0 && s->numbers[0] <= 2;
}

/* An MSS there, octets of IP here. */
static bool set_path_mtu_base(struct setting *s)
{
    enum { HEADERS = 40 };
    profile(s)->path_mtu_base = (uint16_t)(s->numbers[0] + HEADERS);
    return s->count == 1 && s->numbers[0] >= 48 && s->numbers[0] <= UINT16_MAX - HEADERS;
}

static bool set_no_path_mtu_discovery(struct setting *s)
{
    profile(s)->path_mtu_discovery = s->numbers[0] == 0;
    return s->count == 1;
}

static bool set_rto_min(struct setting *s)
{
    profile(s)->rto_min = clamp(s->numbers[0], 1, INT32_MAX);
    return s->count == 1;
}

static bool set_moderate_receive_buffer(struct setting *s)
{
    if (s->numbers[0] == 0)
        profile(s)->receive_buffer_max = profile(s)->receive_buffer;
    return s->count == 1;
}

static bool set_challenge_interval(struct setting *s)
{
    profile(s)->challenge_interval = clamp(s->numbers[0], 0, INT32_MAX) * USEC_PER_MSEC;
    return s->count == 1;
}

static bool set_congestion(struct setting *s)
{
    char name[32] = "";
    if (s->text.len == 0 || s->text.len >= sizeof name)
        return false;
    memcpy(name, s->text.data, s->text.len);
    int found = tcp_congestion_find(strcmp(name, "reno") == 0 ? "newreno" : name);
    if (found < 0)
        return false;
    profile(s)->congestion = (uint8_t)found;
    return true;
}

static const struct sysctl sysctls[] = {
    {"tcp_rmem", set_receive_memory},
    {"tcp_wmem", set_send_memory},
    {"tcp_sack", set_sack},
    {"tcp_dsack", set_dsack},
    {"tcp_timestamps", set_timestamps},
    {"tcp_window_scaling", set_window_scaling},
    {"tcp_syncookies", set_syn_cookies},
    {"tcp_tw_reuse", set_time_wait_reuse},
    {"tcp_syn_retries", set_syn_retries},
    {"tcp_synack_retries", set_syn_ack_retries},
    {"tcp_retries2", set_retries},
    {"tcp_orphan_retries", set_orphan_retries},
    {"tcp_reordering", set_reordering},
    {"tcp_frto", set_forward_rto},
    {"tcp_slow_start_after_idle", set_restart_after_idle},
    {"tcp_early_retrans", set_early_retransmit},
    {"tcp_recovery", set_recovery},
    {"tcp_ecn", set_ecn},
    {"tcp_fastopen", set_fast_open},
    {"tcp_fastopen_key", set_fast_open_key},
    {"tcp_congestion_control", set_congestion},
    {"tcp_notsent_lowat", set_not_sent_low},
    {"tcp_keepalive_time", set_keepalive_idle},
    {"tcp_keepalive_intvl", set_keepalive_interval},
    {"tcp_keepalive_probes", set_keepalive_probes},
    {"tcp_fin_timeout", set_fin_wait_2},
    {"tcp_mtu_probing", set_path_mtu_probing},
    {"tcp_base_mss", set_path_mtu_base},
    {"tcp_probe_interval", set_path_mtu_interval},
    {"ip_no_pmtu_disc", set_no_path_mtu_discovery},
    {"tcp_rto_min_us", set_rto_min},
    {"tcp_moderate_rcvbuf", set_moderate_receive_buffer},
    {"tcp_invalid_ratelimit", set_challenge_interval},
    {"tcp_challenge_ack_limit", set_challenge_count},
    {"tcp_tso_win_divisor", set_burst_divisor},
    {"tcp_min_tso_segs", set_burst_min},
    /* How Linux arranges its own work, memory and batches; or what later kernels have dropped. */
    {"tcp_fack", NULL},
    {"tcp_tso_rtt_log", NULL},
    {"tcp_limit_output_bytes", NULL},
    {"tcp_autocorking", NULL},
    {"tcp_pacing_ss_ratio", NULL},
    {"tcp_pacing_ca_ratio", NULL},
    {"tcp_no_metrics_save", NULL},
    {"tcp_ecn_option", NULL},
    {"tcp_ecn_fallback", NULL},
    {"tcp_fastopen_blackhole_timeout_sec", NULL},
    {"tcp_fastopen_cookies", NULL},
    {"tcp_max_syn_backlog", NULL},
    {"tcp_mem", NULL},
    {"tcp_comp_sack_delay_ns", NULL},
    {"tcp_comp_sack_slack_ns", NULL},
    {"tcp_comp_sack_nr", NULL},
    {"tcp_backlog_ack_defer", NULL},
    {"tcp_min_rtt_wlen", NULL},
    {"ip_local_port_range", NULL},
};

/* Behind the last '/' or '.'. */
static struct bytes last_part(struct bytes name)
{
    size_t from = name.len;
    while (from > 0 && name.data[from - 1] != '/' && name.data[from - 1] != '.')
        from--;
    return bytes_after(name, from);
}

/* "4096 50000 4194304", "0x403", "-1"; not numbers: count is 0. */
static void read_numbers(struct setting *s)
{
    struct bytes rest = s->text;
    while (rest.len > 0 && s->count < NUMBERS_MAX) {
        size_t len = 0;
        while (len < rest.len && rest.data[len] != ' ' && rest.data[len] != '\t')
            len++;
        struct bytes word = bytes_first(rest, len);
        bool negative = word.len > 1 && word.data[0] == '-';
        bool hex = word.len > 2 && word.data[0] == '0' && (word.data[1] | 0x20) == 'x';
        int64_t value = 0;
        for (size_t i = negative ? 1 : hex ? 2 : 0; i < word.len; i++) {
            int digit = hex_digit(word.data[i]);
            if (digit < 0 || (!hex && digit > 9) || value > INT64_MAX / 16 - 1) {
                s->count = 0;
                return;
            }
            value = value * (hex ? 16 : 10) + digit;
        }
        if (word.len > 0)
            s->numbers[s->count++] = negative ? -value : value;
        rest = text_trim(bytes_after(rest, len));
    }
}

bool script_settings_sysctl(struct script_settings *settings, struct bytes name,
                            struct bytes value, struct text *error)
{
    struct setting s = {.settings = settings, .text = text_trim(value)};
    struct bytes key = last_part(name);
    for (size_t i = 0; i < ARRAY_LEN(sysctls); i++) {
        if (!bytes_equal(key, bytes_of_text(sysctls[i].name)))
            continue;
        read_numbers(&s);
        if (sysctls[i].set == NULL || sysctls[i].set(&s))
            return true;
        text_add_format(error, "sysctl %.*s: not a value that it can have here: %.*s",
                        (int)key.len, (const char *)key.data, (int)value.len,
                        (const char *)value.data);
        return false;
    }
    text_add_format(error, "sysctl %.*s: nothing here corresponds to it", (int)name.len,
                    (const char *)name.data);
    return false;
}

void script_settings_defaults(struct script_settings *settings)
{
    static const struct {
        const char *name;
        const char *value;
    } rows[] = {
        {"tcp_rmem", "4096 540000 15728640"},
        {"tcp_wmem", "4096 262144 4194304"},
        {"tcp_timestamps", "1"},
        {"tcp_syn_retries", "5"},
        {"tcp_synack_retries", "5"},
        {"tcp_frto", "2"},
        {"tcp_sack", "1"},
        {"tcp_dsack", "1"},
        {"tcp_reordering", "3"},
        {"tcp_congestion_control", "cubic"},
        {"tcp_slow_start_after_idle", "0"},
        {"tcp_early_retrans", "4"},
        {"tcp_recovery", "1"},
        {"tcp_ecn", "0"},
        {"tcp_tso_win_divisor", "3"},
        {"tcp_notsent_lowat", "4294967295"},
        {"tcp_fastopen", "0x70403"},
        {"tcp_fastopen_key", "a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4"},
        {"tcp_syncookies", "1"},
    };
    char buffer[128];
    struct text error = text_of(buffer, sizeof buffer);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        bool good = script_settings_sysctl(settings, bytes_of_text(rows[i].name),
                                           bytes_of_text(rows[i].value), &error);
        ASSERT(good);
    }
    settings->forget_metrics = true;
}
