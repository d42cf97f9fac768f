/* SPDX-License-Identifier: ISC */
/* site_programs.c - what a location of the block "web" says of programs that answer. */
#include "app/web/web_meta.h"
#include "site/site_values.h"
#include "wire/http/http_octets.h"

#define RULE(member) offsetof(struct web_rule, member)

/* An application's socket; "none" where there is one around. */
static bool parse_fastcgi(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    struct endpoint at;
    struct bytes prefix = bytes_of_text(WEB_BACKEND_UNIX);
    if (bytes_equal(text, bytes_of_text("none")))
        return rule->backend_count == 0;
    bool path = bytes_equal(bytes_first(text, prefix.len), prefix);
    bool good = path ? text.len > prefix.len && text.data[prefix.len] == '/'
                     : endpoint_parse(text, &at) && at.port != 0;
    if (!good || rule->backend_count == WEB_BACKENDS_MAX ||
        !site_copy_text(text, rule->backends[rule->backend_count], WEB_BACKEND_MAX))
        return false;
    rule->backend_count++;
    return true;
}

static bool parse_script(struct bytes text, void *field, const struct site_option *option)
{
    return (text.data[0] == '/' || bytes_equal(text, bytes_of_text(WEB_SCRIPT_FILES))) &&
           site_copy_text(text, field, option->max);
}

static bool parse_param(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    size_t space = bytes_find(text, ' ');
    for (size_t i = 0; i < space; i++)
        if (text.data[i] == '=' || text.data[i] <= ' ' || text.data[i] >= 0x7f)
            return false;
    if (space == 0 || space == text.len || rule->param_count == WEB_PARAMS_MAX ||
        !site_copy_text(text, rule->params[rule->param_count], sizeof rule->params[0]))
        return false;
    rule->param_count++;
    return true;
}

static bool parse_origin(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    bool any = bytes_equal(text, bytes_of_text(WEB_SOCKET_ANY_ORIGIN));
    size_t colon = bytes_find(text, ':');
    bool origin = bytes_equal(bytes_first(bytes_after(text, colon), 3), bytes_of_text("://")) &&
                  bytes_find(bytes_after(text, colon + 3), '/') == text.len - colon - 3;
    if ((!any && !origin) || rule->websocket_origin_count == WEB_ORIGINS_MAX ||
        !site_copy_text(text, rule->websocket_origins[rule->websocket_origin_count],
                        sizeof rule->websocket_origins[0]))
        return false;
    rule->websocket_origin_count++;
    return true;
}

/* A token (RFC 6455 §11.3.4). */
static bool parse_protocol(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    struct web_rule *rule = field;
    if (!http_is_token(text) || rule->websocket_protocol_count == WEB_PROTOCOLS_MAX ||
        !site_copy_text(text, rule->websocket_protocols[rule->websocket_protocol_count],
                        sizeof rule->websocket_protocols[0]))
        return false;
    rule->websocket_protocol_count++;
    return true;
}

static bool parse_mode(struct bytes text, void *field, const struct site_option *option UNUSED)
{
    static const char *const modes[] = {"text", "binary"};
    uint8_t mode;
    if (!site_parse_one_of(text, &mode, modes, ARRAY_LEN(modes)))
        return false;
    *(bool *)field = mode == 1;
    return true;
}

/* The value of a field Link. */
static bool parse_hints(struct bytes text, void *field, const struct site_option *option)
{
    return text.len > 0 && text.data[0] == '<' && http_octets_are(text, HTTP_OCTET_FIELD) &&
           site_copy_text(text, field, option->max);
}

/* A switch that is kept the other way round. */
static bool parse_plain(struct bytes text, void *field, const struct site_option *option)
{
    bool on;
    if (!site_parse_switch(text, &on, option))
        return false;
    *(bool *)field = !on;
    return true;
}

static const struct site_option options[] = {
    {"location", "fastcgi", parse_fastcgi, 0, 0, 0, true,
     "sockets such as unix:/run/app.sock or 127.0.0.1:9000, at most 8, or none"},
    {"location", "cgi", site_parse_switch, RULE(cgi), 0, 0, false, "on or off"},
    {"location", "cgi-memory", site_parse_size, RULE(cgi_memory), 1024 * 1024, (uint64_t)1 << 50, false,
     "a number of octets such as 256M, at least 1M"},
    {"location", "cgi-cpu", site_parse_duration, RULE(cgi_cpu), USEC_PER_SEC, USEC_PER_DAY, false,
     SITE_DURATION_TEXT ", from 1s to 1d"},
    {"web", "cgi-processes", site_parse_number, SITE_AT(web.config.cgi_processes), 1, 10000, false,
     "a number from 1 to 10000"},
    {"location", "script", parse_script, RULE(script), 0, WEB_TEXT_MAX, false,
     "the path of a program's file, beginning with a slash, or \"files\""},
    {"location", "param", parse_param, 0, 0, 0, true,
     "a name and a value, such as \"APP_ENV production\", at most 16 of them"},
    {"location", "websocket", site_parse_text, RULE(websocket), 0, WEB_TEXT_MAX, false,
     "a program and its arguments, or echo"},
    {"location", "websocket-mode", parse_mode, RULE(websocket_binary), 0, 0, false,
     "text or binary"},
    {"location", "websocket-origin", parse_origin, 0, 0, 0, true,
     "origins such as https://example.org, at most 8, or any"},
    {"location", "websocket-protocol", parse_protocol, 0, 0, 0, true,
     "names of subprotocols such as chat.v2, at most 8, or any"},
    {"location", "websocket-compress", parse_plain, RULE(websocket_plain), 0, 0, false, "on or off"},
    {"location", "websocket-max", site_parse_size, RULE(websocket_max), 128, 256 * 1024 * 1024, false,
     "a number of octets such as 1M, from 128 to 256M"},
    {"location", "websocket-ping", site_parse_duration, RULE(websocket_ping), USEC_PER_MSEC,
     USEC_PER_DAY, false, SITE_DURATION_TEXT ", at most 1d"},
    {"location", "early-hints", parse_hints, RULE(early_hints), 0, WEB_TEXT_MAX, false,
     "links such as \"</style.css>; rel=preload; as=style\""},
    {"location", "answer-timeout", site_parse_duration, RULE(answer_timeout), USEC_PER_MSEC,
     USEC_PER_DAY, false, SITE_DURATION_TEXT ", at most 1d"},
};

const struct site_option_table site_program_options = {options, ARRAY_LEN(options)};
