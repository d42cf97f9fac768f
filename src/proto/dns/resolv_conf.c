/* SPDX-License-Identifier: ISC */
/* resolv_conf.c - lines of a keyword and words (resolv.conf(5)). */
#include "proto/dns/resolv_conf.h"

#include "base/text.h"

void resolv_conf_init(struct resolv_conf *conf)
{
    *conf = (struct resolv_conf){.ndots = 1, .timeout = 5 * USEC_PER_SEC, .attempts = 2};
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct bytes next_word(struct bytes *rest)
{
    while (rest->len > 0 && is_blank(rest->data[0]))
        *rest = bytes_after(*rest, 1);
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->data[len]))
        len++;
    struct bytes word = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len);
    return word;
}

static bool word_is(struct bytes word, const char *text)
{
    return bytes_equal(word, bytes_of_text(text));
}

static void take_server(struct bytes word, struct resolv_conf *conf)
{
    struct endpoint server = {.port = RESOLV_PORT};
    if (conf->server_count == RESOLV_SERVERS_MAX || !address_parse(word, &server.address) ||
        address_is_any(&server.address))
        return;
    for (size_t i = 0; i < conf->server_count; i++)
        if (endpoint_equal(&conf->servers[i], &server))
            return;
    conf->servers[conf->server_count++] = server;
}

static void take_search(struct bytes rest, size_t max, struct resolv_conf *conf)
{
    conf->search_count = 0;
    for (struct bytes word = next_word(&rest); word.len > 0 && conf->search_count < max;
         word = next_word(&rest))
        if (dns_name_parse(word, NULL, &conf->search[conf->search_count]))
            conf->search_count++;
}

/* "name:N", N at most `max`, beyond which it is taken for `max`. */
static bool number_option(struct bytes word, const char *name, unsigned max, unsigned *out)
{
    uint64_t value;
    struct bytes key = bytes_of_text(name);
    if (!bytes_equal(bytes_first(word, key.len), key) ||
        !text_parse_number(bytes_after(word, key.len), UINT32_MAX, &value))
        return false;
    *out = value < max ? (unsigned)value : max;
    return true;
}

static void take_option(struct bytes word, struct resolv_conf *conf)
{
    unsigned value;
    if (number_option(word, "ndots:", RESOLV_NDOTS_MAX, &value))
        conf->ndots = value;
    else if (number_option(word, "timeout:", RESOLV_TIMEOUT_MAX, &value))
        conf->timeout = (value > 0 ? value : 1) * USEC_PER_SEC;
    else if (number_option(word, "attempts:", RESOLV_ATTEMPTS_MAX, &value))
        conf->attempts = value > 0 ? value : 1;
    else if (word_is(word, "rotate"))
        conf->rotate = true;
    else if (word_is(word, "use-vc"))
        conf->stream = true;
    else if (word_is(word, "single-request") || word_is(word, "single-request-reopen"))
        conf->single_request = true; /* each question has a socket of its own anyway */
    else if (word_is(word, "no-aaaa"))
        conf->no_aaaa = true;
    else if (word_is(word, "trust-ad"))
        conf->trust_ad = true;
    /* edns0: EDNS is always tried, and left out for servers that do not know it. */
}

static void take_line(struct bytes line, struct resolv_conf *conf)
{
    struct bytes rest = line;
    struct bytes keyword = next_word(&rest);
    if (word_is(keyword, "nameserver"))
        take_server(next_word(&rest), conf);
    else if (word_is(keyword, "domain"))
        take_search(rest, 1, conf);
    else if (word_is(keyword, "search"))
        take_search(rest, RESOLV_SEARCH_MAX, conf);
    else if (word_is(keyword, "options"))
        for (struct bytes word = next_word(&rest); word.len > 0; word = next_word(&rest))
            take_option(word, conf);
}

void resolv_conf_parse(struct bytes content, struct resolv_conf *conf)
{
    while (content.len > 0) {
        size_t end = bytes_find(content, '\n');
        take_line(bytes_first(content, end), conf);
        content = bytes_after(content, end + 1);
    }
}

static unsigned count_dots(struct bytes text)
{
    unsigned dots = 0;
    for (size_t i = 0; i < text.len; i++)
        dots += text.data[i] == '.';
    return dots;
}

bool resolv_conf_candidate(const struct resolv_conf *conf, struct bytes typed, unsigned turn,
                           struct dns_name *out)
{
    bool absolute = typed.len > 0 && typed.data[typed.len - 1] == '.';
    size_t suffixes = absolute ? 0 : conf->search_count;
    bool itself_first = absolute || count_dots(typed) >= conf->ndots;
    unsigned seen = 0;
    for (size_t i = 0; i <= suffixes; i++) {
        bool itself = itself_first ? i == 0 : i == suffixes;
        const struct dns_name *origin =
            itself ? NULL : &conf->search[itself_first ? i - 1 : i];
        struct dns_name name;
        if (!dns_name_parse(typed, origin, &name))
            continue;
        if (seen++ == turn) {
            *out = name;
            return true;
        }
    }
    return false;
}
