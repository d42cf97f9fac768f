/* SPDX-License-Identifier: ISC */
/* site_pass.c - what a location of the block "web" says of servers behind it that answer. */
#include "site/site_upstream.h"
#include "site/site_values.h"

#define PASS(member) offsetof(struct web_rule, pass.member)

/* One path for all of them, which stands for the location's own. "none" where there are some around. */
static bool parse_pass(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct web_pass_options *pass = &rule->pass;
    struct bytes path;
    if (bytes_equal(text, bytes_of_text("none")))
        return pass->count == 0;
    if (pass->count == WEB_PASSES_MAX ||
        !site_upstream_place(text, 80, &pass->servers[pass->count], &path) ||
        path.len >= sizeof pass->path ||
        (pass->count > 0 && !bytes_equal(path, bytes_of_text(pass->path))))
        return false;
    memset(pass->path, 0, sizeof pass->path);
    memcpy(pass->path, path.data, path.len);
    pass->count++;
    return true;
}

static const struct site_option options[] = {
    {"location", "pass", parse_pass, 0, 0, 0, true,
     "servers such as http://10.0.0.5:8000, with weight=N or backup behind, at most 8 with one path, or none"},
    {"location", "pass-balance", site_upstream_balance, PASS(balance), 0, 0, false,
     SITE_BALANCE_TEXT},
    {"location", "pass-health", site_upstream_health, PASS(health), 0, 0, false, SITE_HEALTH_TEXT},
    {"location", "pass-slow-start", site_parse_duration, PASS(slow_start), 0, USEC_PER_HOUR, false,
     SITE_DURATION_TEXT ", at most 1h"},
    {"location", "pass-timeout", site_parse_duration, PASS(timeout), USEC_PER_MSEC, USEC_PER_DAY,
     false, SITE_DURATION_TEXT ", at most 1d"},
    {"location", "pass-cache", site_parse_size, PASS(cache_octets), 64 * 1024, (uint64_t)1 << 40,
     false, "a number of octets such as 64M, at least 64k"},
    {"location", "pass-keep-host", site_parse_switch, PASS(keep_host), 0, 0, false, "on or off"},
};

const struct site_option_table site_pass_options = {options, ARRAY_LEN(options)};
