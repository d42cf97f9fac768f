/* SPDX-License-Identifier: ISC */
/*
 * get_arguments.c - the command line of `wholenet get`: options and URLs in any order, with the letters that
 * curl(1) has for the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "app/fetch/fetch_proxy.h"
#include "base/encoding.h"
#include "cli/get.h"
#include "os/idna.h"
#include "wire/http/http_list.h"
#include "wire/http/http_octets.h"

enum url_status get_parse_url(const char *text, struct url *out)
{
    return fetch_parse_url(text, idna_to_ascii, out);
}

/* ---- options ---- */

static bool take_field(void *self, const struct cli_option *option UNUSED, const char *value,
                       struct text *error)
{
    struct get *g = self;
    struct bytes all = bytes_of_text(value);
    size_t end = 0;
    while (end < all.len && all.data[end] != ':' && all.data[end] != ';')
        end++;
    if (end == all.len || !http_is_token(bytes_first(all, end)) ||
        !http_octets_are(all, HTTP_OCTET_FIELD)) {
        text_add(error, "expected \"Name: value\", \"Name:\" for none, or \"Name;\" for an empty one");
        return false;
    }
    if (g->field_count == GET_FIELDS_MAX) {
        text_add_format(error, "expected at most %d fields", GET_FIELDS_MAX);
        return false;
    }
    g->fields[g->field_count++] = value;
    return true;
}

static bool take_output(void *self, const struct cli_option *option UNUSED, const char *value,
                        struct text *error)
{
    struct get *g = self;
    if (g->output_count == GET_URLS_MAX) {
        text_add_format(error, "expected at most %d files", GET_URLS_MAX);
        return false;
    }
    g->output[g->output_count++] = value;
    return true;
}

typedef bool body_function(struct get_body *, const char *, struct text *);

static bool take_body(struct get *g, body_function *add, bool form, const char *value,
                      struct text *error)
{
    if ((form && g->body.data != NULL) || (!form && g->body.is_form)) {
        text_add(error, "expected -d or -F, not both");
        return false;
    }
    return add(&g->body, value, error);
}

static bool take_data(void *self, const struct cli_option *option UNUSED, const char *value,
                      struct text *error)
{
    return take_body(self, get_body_add_data, false, value, error);
}

static bool take_raw_data(void *self, const struct cli_option *option UNUSED, const char *value,
                          struct text *error)
{
    return take_body(self, get_body_add_raw, false, value, error);
}

static bool take_encoded_data(void *self, const struct cli_option *option UNUSED,
                              const char *value, struct text *error)
{
    return take_body(self, get_body_add_encoded, false, value, error);
}

static bool take_form(void *self, const struct cli_option *option UNUSED, const char *value,
                      struct text *error)
{
    return take_body(self, get_body_add_form, true, value, error);
}

static bool take_size(void *self, const struct cli_option *option, const char *value,
                      struct text *error)
{
    uint64_t *size = (uint64_t *)(void *)((char *)self + option->offset);
    if (text_parse_size(bytes_of_text(value), size) && *size > 0)
        return true;
    text_add(error, "expected a size such as 10M");
    return false;
}

/* The option's name says which; the last one counts. */
static bool take_version(void *self, const struct cli_option *option, const char *value UNUSED,
                         struct text *error UNUSED)
{
    struct get *g = self;
    g->version = (enum fetch_version)option->offset;
    return true;
}

static bool take_parallel(void *self, const struct cli_option *option, const char *value,
                          struct text *error)
{
    struct get *g = self;
    uint64_t number = GET_PARALLEL_DEFAULT;
    if (option->argument != NULL &&
        (!text_parse_number(bytes_of_text(value), GET_PARALLEL_MAX, &number) || number == 0)) {
        text_add_format(error, "expected a number from 1 to %d", GET_PARALLEL_MAX);
        return false;
    }
    g->parallel = (unsigned)number;
    return true;
}

/* What wget(1) means by -m. */
static bool take_mirror(void *self, const struct cli_option *option UNUSED, const char *value UNUSED,
                        struct text *error UNUSED)
{
    struct get *g = self;
    g->recursive = true;
    g->newer = true;
    g->level = 0;
    return true;
}

static bool take_count(void *self, const struct cli_option *option, const char *value,
                       struct text *error)
{
    uint64_t *number = (uint64_t *)(void *)((char *)self + option->offset);
    if (text_parse_number(bytes_of_text(value), UINT32_MAX, number) && *number > 0)
        return true;
    text_add(error, "expected a number from 1 on");
    return false;
}

static bool take_segments(void *self, const struct cli_option *option UNUSED, const char *value,
                          struct text *error)
{
    struct get *g = self;
    uint64_t number;
    if (!text_parse_number(bytes_of_text(value), GET_SEGMENTS_MAX, &number) || number == 0) {
        text_add_format(error, "expected a number from 1 to %d", GET_SEGMENTS_MAX);
        return false;
    }
    g->segments = (unsigned)number;
    return true;
}

static bool take_redirects(void *self, const struct cli_option *option UNUSED, const char *value,
                           struct text *error)
{
    struct get *g = self;
    uint64_t number;
    if (!text_parse_number(bytes_of_text(value), 1000, &number)) {
        text_add(error, "expected a number from 0 to 1000");
        return false;
    }
    g->redirects_max = (unsigned)number;
    return true;
}

/* "HOST:PORT:ADDRESS" */
static bool take_pin(void *self, const struct cli_option *option UNUSED, const char *value,
                     struct text *error)
{
    struct get *g = self;
    struct bytes all = bytes_of_text(value);
    size_t first = bytes_find(all, ':');
    struct bytes rest = bytes_after(all, first + 1);
    size_t second = bytes_find(rest, ':');
    struct bytes address = bytes_after(rest, second + 1);
    uint64_t port;
    if (address.len > 1 && address.data[0] == '[')
        address = bytes_of(address.data + 1, address.len - 2);
    if (g->pin_count == ARRAY_LEN(g->pins) ||
        !text_parse_number(bytes_first(rest, second), 65535, &port) ||
        !address_parse(address, &g->pins[g->pin_count].address)) {
        text_add_format(error, "expected HOST:PORT:ADDRESS, at most %zu times",
                        ARRAY_LEN(g->pins));
        return false;
    }
    g->pins[g->pin_count].host = value;
    g->pins[g->pin_count++].port = (uint16_t)port;
    return true;
}

/* "sha256//" and the base64 of the digest of a public key (RFC 7469 §2.4), as curl(1) has it. */
static bool take_key_pin(void *self, const struct cli_option *option UNUSED, const char *value,
                         struct text *error)
{
    static const char prefix[] = "sha256//";
    struct get *g = self;
    if (g->key_pin_count < GET_PINS_MAX && strncmp(value, prefix, sizeof prefix - 1) == 0) {
        struct writer w = writer_of(g->key_pins[g->key_pin_count], TLS_PIN_LEN);
        if (encoding_decode(ENCODING_BASE64, bytes_of_text(value + sizeof prefix - 1), &w) &&
            writer_len(&w) == TLS_PIN_LEN) {
            g->key_pin_count++;
            return true;
        }
    }
    text_add_format(error, "expected sha256//BASE64 of 32 octets, at most %d times", GET_PINS_MAX);
    return false;
}

static bool take_message(void *self, const struct cli_option *option UNUSED, const char *value,
                         struct text *error)
{
    struct get *g = self;
    if (g->message_count == GET_MESSAGES_MAX) {
        text_add_format(error, "expected at most %d messages", GET_MESSAGES_MAX);
        return false;
    }
    g->messages[g->message_count++] = value;
    g->listens = true;
    return true;
}

static bool take_message_count(void *self, const struct cli_option *option, const char *value,
                               struct text *error)
{
    struct get *g = self;
    g->listens = true;
    return cli_take_number_or_none(self, option, value, error);
}

/* RFC 6455 §4.1: tokens, in the order of preference. */
static bool take_subprotocol(void *self, const struct cli_option *option UNUSED, const char *value,
                             struct text *error)
{
    struct get *g = self;
    struct bytes list = bytes_of_text(value);
    struct bytes element;
    bool good = list.len > 0;
    while (good && http_list_next(&list, &element))
        good = http_is_token(element);
    g->subprotocol = value;
    if (!good)
        text_add(error, "expected a name, or several with commas between them");
    return good;
}

/* Of which nothing means something, too. */
static bool take_proxy(void *self, const struct cli_option *option UNUSED, const char *value,
                       struct text *error UNUSED)
{
    ((struct get *)self)->proxy = value;
    return true;
}

/* Seconds when there is no unit, as curl(1) and wget(1) have them. */
static bool take_time(void *self, const struct cli_option *option, const char *value, struct text *error)
{
    char seconds[32];
    size_t len = strlen(value);
    bool bare = len > 0 && len < sizeof seconds - 1 && strspn(value, "0123456789.") == len;
    if (option->letter == 'w' && strpbrk(value, "%\\") != NULL) {
        text_add(error, "expected a duration; what curl(1) means by -w is --write-out here");
        return false;
    }
    snprintf(seconds, sizeof seconds, "%.29ss", value);
    return cli_take_duration(self, option, bare ? seconds : value, error);
}

#define MEMBER(name) offsetof(struct get, name)

const struct cli_option get_options[GET_OPTION_COUNT] = {
    {"output", 'o', "FILE", "write to FILE (\"-\": standard output); once for each URL", take_output,
     0, NULL, NULL},
    {"remote-name", 'O', NULL, "write to a file named as the URL's last segment", cli_take_flag,
     MEMBER(remote_name), NULL, NULL},
    {"continue", 'C', NULL, "go on with what is in the file already", cli_take_flag, MEMBER(resume),
     NULL, NULL},
    {"range", 'r', "RANGE", "only these octets: 0-499, 500-, -500", cli_take_text, MEMBER(range), NULL,
     NULL},
    {"head", 'I', NULL, "ask with HEAD, and show the fields", cli_take_flag, MEMBER(head_only), NULL,
     NULL},
    {"include", 'i', NULL, "show the fields in front of the body", cli_take_flag, MEMBER(include), NULL,
     NULL},
    {"method", 'X', "METHOD", "another method", cli_take_text, MEMBER(method), NULL, NULL},
    {"field", 'H', "FIELD", "\"Name: value\" to send; \"Name:\" leaves one out", take_field, 0, NULL,
     NULL},
    {"data", 'd', "DATA", "send with POST: a form's data, or @FILE", take_data, 0, NULL, NULL},
    {"data-raw", 0, "DATA", "the same; of @FILE every octet", take_raw_data, 0, NULL, NULL},
    {"data-binary", 0, "DATA", "the same as --data-raw", take_raw_data, 0, NULL, NULL},
    {"data-urlencode", 0, "DATA", "the same; NAME=TEXT or NAME@FILE is encoded", take_encoded_data, 0,
     NULL, NULL},
    {"query", 'G', NULL, "data goes to the URL's query, with GET", cli_take_flag, MEMBER(as_query), NULL,
     NULL},
    {"form", 'F', "PART", "send a form with POST: NAME=TEXT, NAME=@FILE", take_form, 0, NULL, NULL},
    {"upload", 'T', "FILE", "send FILE (\"-\": standard input) with PUT", cli_take_text, MEMBER(upload),
     NULL, NULL},
    {"user", 'u', "NAME:PASSWORD", "for the server, when it asks (Digest, Basic)", cli_take_text,
     MEMBER(user), NULL, NULL},
    {"basic", 0, NULL, "send them at once, as Basic", cli_take_flag, MEMBER(basic), NULL, NULL},
    {"cookie", 'b', "DATA", "cookies to send, NAME=VALUE; or a file of them", cli_take_text,
     MEMBER(cookie), NULL, NULL},
    {"cookie-jar", 'c', "FILE", "keep cookies in FILE", cli_take_text, MEMBER(jar_file), NULL, NULL},
    {"agent", 'A', "TEXT", "User-Agent", cli_take_text, MEMBER(agent), NULL, NULL},
    {"referer", 'e', "URL", "Referer", cli_take_text, MEMBER(referer), NULL, NULL},
    {"recursive", 0, NULL, "follow the links of pages, within their host", cli_take_flag,
     MEMBER(recursive), NULL, NULL},
    {"level", 'l', "N", "… so deep (5); 0: any depth", cli_take_number_or_none, MEMBER(level), NULL, NULL},
    {"mirror", 0, NULL, "--recursive --level 0 --timestamping", take_mirror, 0, NULL, NULL},
    {"page-requisites", 'p', NULL, "get what pages are shown with, too", cli_take_flag,
     MEMBER(requisites), NULL, NULL},
    {"convert-links", 0, NULL, "at the end links lead to the files", cli_take_flag, MEMBER(convert), NULL,
     NULL},
    {"timestamping", 'N', NULL, "of a mirror, only what has changed", cli_take_flag, MEMBER(newer), NULL,
     NULL},
    {"no-parent", 0, NULL, "no page outside of the folder of the first", cli_take_flag, MEMBER(no_parent),
     NULL, NULL},
    {"span-hosts", 0, NULL, "go to other hosts, too", cli_take_flag, MEMBER(span_hosts), NULL, NULL},
    {"domains", 0, "LIST", "… to these, and those below", cli_take_text, MEMBER(domains), NULL, NULL},
    {"accept", 0, "LIST", "only files with these ends, or patterns", cli_take_text, MEMBER(accept), NULL,
     NULL},
    {"reject", 0, "LIST", "no files with these", cli_take_text, MEMBER(reject), NULL, NULL},
    {"ignore-robots", 0, NULL, "do not look at robots.txt", cli_take_flag, MEMBER(ignore_robots), NULL,
     NULL},
    {"directory", 'P', "DIR", "where the mirror is made", cli_take_text, MEMBER(directory), NULL, NULL},
    {"wait", 'w', "T", "wait between requests of a mirror", take_time, MEMBER(wait), NULL, NULL},
    {"quota", 'Q', "SIZE", "begin nothing more when so much is there", take_size, MEMBER(quota), NULL,
     NULL},
    {"max-files", 0, "N", "ask for no more than N files", take_count, MEMBER(files_max), NULL, NULL},
    {"proxy", 'x', "URL", "through this proxy; \"\": none (else http_proxy and so on)", take_proxy,
     0, NULL, NULL},
    {"proxy-user", 'U', "NAME:PASSWORD", "for the proxy", cli_take_text, MEMBER(proxy_user), NULL, NULL},
    {"max-redirects", 0, "N", "follow so many (20); 0: none", take_redirects, 0, NULL, NULL},
    {"keep-method", 0, NULL, "POST stays POST after 301 and 302", cli_take_flag, MEMBER(keep_method),
     NULL, NULL},
    {"retry", 0, "N", "try so many times again what may pass", cli_take_number_or_none, MEMBER(retries), NULL,
     NULL},
    {"timeout", 'm', "T", "give up after T, for each URL", take_time, MEMBER(timeout), NULL,
     NULL},
    {"connect-timeout", 0, "T", "give up to connect after T (30s)", take_time,
     MEMBER(connect_timeout), NULL, NULL},
    {"max-size", 0, "SIZE", "give up when there is more", take_size, MEMBER(size_max), NULL, NULL},
    {"raw", 0, NULL, "ask for no Content-Encoding, and undo none", cli_take_flag, MEMBER(raw), NULL, NULL},
    {"http1.0", '0', NULL, "speak HTTP/1.0", take_version, FETCH_HTTP_1_0, NULL, NULL},
    {"http1.1", 0, NULL, "speak HTTP/1.1", take_version, FETCH_HTTP_1_1, NULL, NULL},
    {"http2", 0, NULL, "with https, HTTP/2 where the server speaks it: the default", take_version,
     FETCH_HTTP_ANY, NULL, NULL},
    {"http2-prior-knowledge", 0, NULL, "speak HTTP/2 and nothing else, also without TLS", take_version,
     FETCH_HTTP_2, NULL, NULL},
    {"segments", 0, "N", "get a large file by N connections, each a part of it", take_segments, 0, NULL,
     NULL},
    {"parallel", 'Z', NULL, "get several URLs at a time, 50 at most", take_parallel, 0, NULL, NULL},
    {"parallel-max", 0, "N", "the same, N at most", take_parallel, 0, NULL, NULL},
    {"resolve", 0, "HOST:PORT:ADDR", "take ADDR for HOST", take_pin, 0, NULL, NULL},
    {"message", 0, "TEXT", "ws: send TEXT as a message, not standard input's lines; and listen",
     take_message, 0, NULL, NULL},
    {"count", 0, "N", "ws: close when N messages have come; 0: listen", take_message_count,
     MEMBER(count), NULL, NULL},
    {"binary", 0, NULL, "ws: what is read goes as binary messages, what comes is not cut into lines",
     cli_take_flag, MEMBER(binary), NULL, NULL},
    {"subprotocol", 0, "LIST", "ws: ask for one of these subprotocols", take_subprotocol, 0, NULL, NULL},
    {"ipv4", '4', NULL, "only IPv4", cli_take_flag, MEMBER(v4), NULL, NULL},
    {"ipv6", '6', NULL, "only IPv6", cli_take_flag, MEMBER(v6), NULL, NULL},
    {"insecure", 'k', NULL, "https with whoever answers", cli_take_flag, MEMBER(insecure), NULL, NULL},
    {"ca-file", 0, "FILE", "trust these certificates (PEM) instead of the system's", cli_take_text,
     MEMBER(ca_file), NULL, NULL},
    {"pin", 0, "sha256//KEY", "trust this public key", take_key_pin, 0, NULL, NULL},
    {"cert", 0, "FILE", "show this certificate (PEM)", cli_take_text, MEMBER(certificate), NULL, NULL},
    {"key", 0, "FILE", "its key, when that is in another file", cli_take_text, MEMBER(key), NULL, NULL},
    {"verbose", 'v', NULL, "show requests and answers", cli_take_flag, MEMBER(verbose), NULL, NULL},
    {"quiet", 'q', NULL, "neither progress nor complaints", cli_take_flag, MEMBER(quiet), NULL, NULL},
    {"silent", 's', NULL, "the same as -q", cli_take_flag, MEMBER(quiet), NULL, NULL},
    {"show-error", 'S', NULL, "complaints, though -q or -s", cli_take_flag, MEMBER(show_errors), NULL, NULL},
    {"fail", 'f', NULL, "do not show the page of a 4xx or 5xx", cli_take_flag, MEMBER(fail), NULL, NULL},
    {"write-out", 0, "FORMAT", "say at the end: %{http_code} %{time_total} \\n, as curl(1)", cli_take_text,
     MEMBER(write_out), NULL, NULL},
    {"location", 'L', NULL, "nothing: redirects are followed", cli_take_flag, MEMBER(nothing), NULL, NULL},
    {"compressed", 0, NULL, "nothing: codings are asked for, and undone", cli_take_flag, MEMBER(nothing), NULL,
     NULL},
    {"times", 't', NULL, "say how long each step took", cli_take_flag, MEMBER(times), NULL, NULL},
    {"json", 'j', NULL, "say it as JSON, a line for each URL", cli_take_flag, MEMBER(json), NULL, NULL},
};

/* The words of curl(1) and wget(1). */
const struct cli_elsewhere get_elsewhere[GET_ELSEWHERE_COUNT] = {
    {"request", 0, "it is --method (-X)"},
    {"header", 0, "it is --field (-H)"},
    {"user-agent", 0, "it is --agent (-A)"},
    {"max-time", 0, "it is --timeout (-m)"},
    {"read-timeout", 0, "it is --timeout (-m), for all of a URL"},
    {"cacert", 0, "it is --ca-file"},
    {"ca-certificate", 0, "it is --ca-file"},
    {"certificate", 0, "it is --cert"},
    {"private-key", 0, "it is --key"},
    {"pinnedpubkey", 0, "it is --pin"},
    {"max-redirs", 0, "it is --max-redirects"},
    {"max-redirect", 0, "it is --max-redirects"},
    {"post301", 0, "it is --keep-method"},
    {"post302", 0, "it is --keep-method"},
    {"url", 0, "URLs are arguments"},
    {"upload-file", 0, "it is --upload (-T)"},
    {"get", 0, "it is --query (-G)"},
    {"data-ascii", 0, "it is --data (-d)"},
    {"post-data", 0, "it is --data (-d)"},
    {"post-file", 0, "it is --data-raw @FILE"},
    {"form-string", 0, "it is --form (-F)"},
    {"output-document", 0, "it is --output (-o); without it the page goes to standard output"},
    {"output-dir", 0, "a name with its directory is --output (-o)"},
    {"directory-prefix", 0, "of a mirror it is --directory (-P)"},
    {"continue-at", 0, "it is --continue (-C), which looks itself how much there is"},
    {"no-check-certificate", 0, "it is --insecure (-k)"},
    {"noproxy", 0, "it is -x \"\", or the variable no_proxy"},
    {"no-proxy", 0, "it is -x \"\", or the variable no_proxy"},
    {"tries", 0, "it is --retry"},
    {"load-cookies", 0, "it is --cookie FILE (-b)"},
    {"save-cookies", 0, "it is --cookie-jar FILE (-c)"},
    {"no-verbose", 0, "it is --quiet (-q)"},
    {"no-progress-meter", 0, "there is none unless standard error is a terminal; --quiet (-q)"},
    {"progress-bar", '#', "it is shown by itself, on a terminal"},
    {"dump-header", 'D', "it is --include (-i), --verbose (-v), or in --json (-j)"},
    {"server-response", 0, "it is --include (-i) or --verbose (-v)"},
    {"remote-header-name", 'J', "files are named by the URL: -O, or -o NAME"},
    {"config", 'K', "there is no file of options"},
    {"netrc", 'n', "it is --user (-u)"},
    {"digest", 0, "the server says what it wants; --user (-u) is enough"},
    {"anyauth", 0, "the server says what it wants; --user (-u) is enough"},
    {"oauth2-bearer", 0, "it is -H \"Authorization: Bearer …\""},
    {"password", 0, "it is behind the name: --user NAME:PASSWORD (-u)"},
    {"spider", 0, "it is --head (-I)"},
    {"limit-rate", 0, "there is none; `wholenet run --rate` has one"},
    {"no-clobber", 0, "files are written anew, or gone on with (-C)"},
    {"remote-name-all", 0, "it is --remote-name (-O), which is for all URLs"},
    {"location-trusted", 0, "credentials are for the origin that was typed"},
    {"http3", 0, "it is not spoken"},
    {"trace-ascii", 0, "it is --verbose (-v)"},
    {"retry-connrefused", 0, "--retry does that"},
    {"", '-', "standard output is the default; a file is -o FILE"},
};

/* ---- the whole ---- */

static bool add_url(struct get *g, const char *text)
{
    if (g->url_count == GET_URLS_MAX)
        return false;
    g->urls[g->url_count++] = text;
    return true;
}

/* Options after a URL are options too. */
static enum cli_outcome read_all(struct get *g, int argc, char **argv)
{
    int at = 0;
    while (at < argc - 1) {
        int operands;
        bool ended = false;
        enum cli_outcome outcome =
            cli_read_options(g->command, g, argc - at, argv + at, &operands);
        if (outcome != CLI_GO_ON)
            return outcome;
        ended = operands > 1 && strcmp(argv[at + operands - 1], "--") == 0;
        at += operands;
        do {
            bool of_continue = at < argc && g->resume && strcmp(argv[at], "-") == 0; /* curl(1)'s -C - */
            if (at < argc && !of_continue && !add_url(g, argv[at])) {
                cli_wrong_usage(g->command, "expected at most %d URLs", GET_URLS_MAX);
                return CLI_WRONG;
            }
        } while (ended && ++at < argc);
    }
    return CLI_GO_ON;
}

static bool is_socket(const char *url)
{
    return strncasecmp(url, "ws://", 5) == 0 || strncasecmp(url, "wss://", 6) == 0;
}

/* A WebSocket has standard input and the output for itself, and its handshake is always the same. */
static bool check_socket(struct get *g)
{
    bool any = false;
    for (size_t i = 0; i < g->url_count; i++)
        any = any || is_socket(g->urls[i]);
    if (!any && (g->listens || g->binary || g->subprotocol != NULL))
        return cli_wrong_usage(g->command, "--message, --count, --binary and --subprotocol are for ws:// and wss://") == 0;
    if (!any)
        return true;
    if (g->url_count > 1)
        return cli_wrong_usage(g->command, "a ws:// or wss:// URL stands by itself") == 0;
    if (g->body.data != NULL || g->body.is_form || g->upload != NULL || g->head_only || g->method != NULL ||
        g->resume || g->range != NULL || g->segments > 1 || g->recursive || g->requisites)
        return cli_wrong_usage(g->command, "a WebSocket's messages are --message or the lines of standard input: no "
                                           "-d, -F, -T, -I, -X, -C, -r, --segments or mirror") == 0;
    if (g->version == FETCH_HTTP_1_0 || g->version == FETCH_HTTP_2)
        return cli_wrong_usage(g->command, "a WebSocket begins with HTTP/1.1") == 0;
    return true;
}

static bool check(struct get *g)
{
    const struct cli_command *command = g->command;
    bool body = g->body.data != NULL || g->body.is_form;
    char buffer[256];
    struct text error = text_of(buffer, sizeof buffer);
    if (g->url_count == 0)
        return cli_wrong_usage(command, "expected a URL") == 0;
    if (!check_socket(g))
        return false;
    if (g->v4 && g->v6)
        return cli_wrong_usage(command, "-4 and -6 exclude each other") == 0;
    if ((g->recursive || g->requisites) &&
        (g->output_count > 0 || g->remote_name || g->resume || g->range != NULL || g->upload != NULL ||
         body || g->head_only || g->include || g->segments > 1 || g->method != NULL))
        return cli_wrong_usage(command, "a mirror names its files itself, and only asks: no -o, -O, -C, -r, -I, -i, -X, "
                                        "-d, -F, -T or --segments") == 0;
    if (!g->recursive && !g->requisites && (g->convert || g->newer))
        return cli_wrong_usage(command, "--convert-links and -N want --recursive, --mirror or -p") == 0;
    if (g->parallel > 1 && g->url_count > 1 && !g->recursive && !g->requisites && g->output_count < g->url_count && !g->remote_name)
        return cli_wrong_usage(command, "-Z wants a file for each URL (-o or -O)") == 0;
    if (g->segments > 1 && (g->range != NULL || g->include ||
                            (g->output_count == 0 && !g->remote_name)))
        return cli_wrong_usage(command, "--segments wants a file (-o or -O), and neither -r nor -i") == 0;
    if (g->resume && (g->range != NULL || (g->output_count == 0 && !g->remote_name)))
        return cli_wrong_usage(command, "-C wants a file (-o or -O), and no -r") == 0;
    if (g->upload != NULL && (body || g->url_count > 1))
        return cli_wrong_usage(command, "-T wants one URL, and neither -d nor -F") == 0;
    if (g->as_query && (g->body.is_form || g->body.data == NULL))
        return cli_wrong_usage(command, "-G wants -d") == 0;
    if (g->method != NULL && !http_is_token(bytes_of_text(g->method)))
        return cli_wrong_usage(command, "--method: expected a word, found \"%s\"", g->method) == 0;
    bool good = g->upload == NULL || get_body_set_file(&g->body, g->upload, &error);
    if (!g->as_query)
        good = good && get_body_finish(&g->body, &error);
    return good || cli_fail(command, EXIT_FAILED, "%s", buffer) == 0;
}

enum cli_outcome get_read_arguments(struct get *g, int argc, char **argv)
{
    enum cli_outcome outcome = read_all(g, argc, argv);
    if (outcome == CLI_GO_ON && !check(g))
        return CLI_WRONG;
    return outcome;
}
