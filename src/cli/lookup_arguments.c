/* SPDX-License-Identifier: ISC */
/*
 * lookup_arguments.c - the command line of `wholenet lookup`, which dig(1) takes in any order: options,
 * +words, @servers, names, types and classes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/encoding.h"
#include "os/file.h"
#include "cli/host_name.h"
#include "cli/lookup.h"

struct lookup_question *lookup_add_question(struct lookup *l, const char *name)
{
    if (l->question_count == LOOKUP_QUESTIONS_MAX)
        return NULL;
    struct lookup_question *q = &l->questions[l->question_count++];
    *q = (struct lookup_question){.name = name};
    return q;
}

static bool take_reverse(void *self, const struct cli_option *option UNUSED, const char *value,
                         struct text *error)
{
    struct lookup *l = self;
    struct ip_address a;
    if (!address_parse(bytes_of_text(value), &a)) {
        text_add(error, "expected an IPv4 or IPv6 address");
        return false;
    }
    struct lookup_question *q = lookup_add_question(l, value);
    if (q == NULL) {
        text_add_format(error, "expected at most %d questions", LOOKUP_QUESTIONS_MAX);
        return false;
    }
    q->address = a;
    q->reverse = true;
    return true;
}

static bool take_name(void *self, const struct cli_option *option UNUSED, const char *value,
                      struct text *error)
{
    if (lookup_add_question(self, value) != NULL)
        return true;
    text_add_format(error, "expected at most %d questions", LOOKUP_QUESTIONS_MAX);
    return false;
}

/* "AAAA", "IXFR=2024010100". */
static bool read_type(const char *text, uint16_t *type, uint32_t *serial)
{
    struct bytes b = bytes_of_text(text);
    size_t equals = bytes_find(b, '=');
    uint64_t number = 0;
    if (!dns_type_parse(bytes_first(b, equals), type) ||
        (*type == DNS_IXFR) != (equals < b.len) ||
        (equals < b.len && !text_parse_number(bytes_after(b, equals + 1), UINT32_MAX, &number)))
        return false;
    *serial = (uint32_t)number;
    return true;
}

static bool read_class(const char *text, uint16_t *class)
{
    static const struct {
        const char *name;
        uint16_t class;
    } classes[] = {{"IN", DNS_IN}, {"CH", DNS_CH}, {"HS", DNS_HS}};
    for (size_t i = 0; i < ARRAY_LEN(classes); i++)
        if (bytes_equal_nocase(bytes_of_text(text), bytes_of_text(classes[i].name))) {
            *class = classes[i].class;
            return true;
        }
    return false;
}

/* A type or class that comes before any name is that of the next. */
static struct lookup_question *open_question(struct lookup *l)
{
    return l->question_count > 0 ? &l->questions[l->question_count - 1] : lookup_add_question(l, NULL);
}

static bool take_type(void *self, const struct cli_option *option UNUSED, const char *value,
                      struct text *error)
{
    struct lookup_question *q = open_question(self);
    if (read_type(value, &q->type, &q->serial))
        return true;
    text_add(error, "expected a type such as AAAA, TYPE65, AXFR or IXFR=SERIAL");
    return false;
}

static bool take_class(void *self, const struct cli_option *option UNUSED, const char *value,
                       struct text *error)
{
    if (read_class(value, &open_question(self)->class))
        return true;
    text_add(error, "expected IN, CH or HS");
    return false;
}

/* What was said is overwritten: neither ps(1) nor we ourselves repeat it. */
bool lookup_take_key(void *self, const struct cli_option *option UNUSED, const char *value,
                     struct text *error)
{
    struct lookup *l = self;
    bool good = tsig_key_parse(bytes_of_text(value), &l->key);
    memset((char *)(uintptr_t)value, 'x', strlen(value));
    if (!good)
        text_add(error, "expected [ALGORITHM:]NAME:SECRET, the secret in base64");
    return good;
}

bool lookup_take_key_file(void *self, const struct cli_option *option UNUSED, const char *value,
                          struct text *error)
{
    enum { KEY_FILE_MAX = 4096 };
    struct lookup *l = self;
    char *content;
    size_t len;
    int status = file_read(value, KEY_FILE_MAX, &content, &len);
    if (status < 0) {
        text_add_format(error, "cannot be read: %s", strerror(-status));
        return false;
    }
    bool good = tsig_key_parse(bytes_of(content, len), &l->key);
    explicit_bzero(content, len);
    free(content);
    if (!good)
        text_add(error, "expected a file with a key, as tsig-keygen(8) writes it");
    return good;
}

#define MEMBER(name) offsetof(struct lookup, name)

const struct cli_option lookup_options[LOOKUP_OPTION_COUNT] = {
    {"reverse", 'x', "ADDRESS", "ask for the name of an address", take_reverse, 0, NULL, NULL},
    {"port", 'p', "N", "of the servers (53; TLS 853, HTTPS 443)", cli_take_number, MEMBER(port), NULL, NULL},
    {"name", 'q', "NAME", "what could be taken for a type", take_name, 0, NULL, NULL},
    {"type", 't', "TYPE", "A, AAAA, MX, TYPE65, AXFR, IXFR=SERIAL …", take_type, 0, NULL, NULL},
    {"class", 'c', "CLASS", "IN, CH, HS", take_class, 0, NULL, NULL},
    {"ipv4", '4', NULL, "ask servers by IPv4 only", cli_take_flag, MEMBER(v4), NULL, NULL},
    {"ipv6", '6', NULL, "ask servers by IPv6 only", cli_take_flag, MEMBER(v6), NULL, NULL},
    {"key", 'y', "KEY", "sign by [ALGORITHM:]NAME:SECRET (TSIG)", lookup_take_key, 0, NULL, NULL},
    {"key-file", 'k', "FILE", "the same, with the key from a file", lookup_take_key_file, 0, NULL, NULL},
    {"json", 'j', NULL, "replies as JSON (RFC 8427), one on a line", cli_take_flag, MEMBER(json),
     NULL, NULL},
    {"roots", 0, "FILE", "root servers for +trace, as a master file", cli_take_text, MEMBER(roots),
     NULL, NULL},
    {"resolv-conf", 0, "FILE", "instead of /etc/resolv.conf", cli_take_text, MEMBER(resolv_conf),
     NULL, NULL},
};

/* ---- +words ---- */

static bool take_seconds(struct lookup *l, const char *value)
{
    uint64_t seconds;
    if (!text_parse_number(bytes_of_text(value), 3600, &seconds))
        return false;
    l->timeout = seconds > 0 ? (usec)seconds * USEC_PER_SEC : USEC_PER_SEC;
    return true;
}

static bool take_tries(struct lookup *l, const char *value)
{
    uint64_t n;
    if (!text_parse_number(bytes_of_text(value), 100, &n))
        return false;
    l->tries = n > 0 ? (unsigned)n : 1;
    return true;
}

static bool take_retry(struct lookup *l, const char *value)
{
    uint64_t n;
    if (!text_parse_number(bytes_of_text(value), 99, &n))
        return false;
    l->tries = (unsigned)n + 1;
    return true;
}

static bool take_bufsize(struct lookup *l, const char *value)
{
    uint64_t n;
    if (!text_parse_number(bytes_of_text(value), UINT16_MAX, &n))
        return false;
    l->edns = true;
    l->bufsize = (unsigned)n;
    return true;
}

static bool take_ndots(struct lookup *l, const char *value)
{
    uint64_t n;
    if (!text_parse_number(bytes_of_text(value), RESOLV_NDOTS_MAX, &n))
        return false;
    l->conf.ndots = (unsigned)n;
    l->search = true;
    return true;
}

static bool take_cookie(struct lookup *l, const char *value)
{
    struct writer w = writer_of(l->cookie_octets, sizeof l->cookie_octets);
    if (!encoding_decode(ENCODING_BASE16, bytes_of_text(value), &w) || w.failed ||
        writer_len(&w) < DNS_COOKIE_CLIENT_LEN)
        return false;
    l->cookie = true;
    l->cookie_len = writer_len(&w);
    return true;
}

/* ---- TLS and HTTPS, by kdig's words ---- */

static bool take_trust(struct lookup *l, const char *value)
{
    l->secure.tls = true;
    l->secure.verify = true;
    l->secure.trust = value;
    return value[0] != '\0';
}

static bool take_tls_name(struct lookup *l, const char *value)
{
    l->secure.tls = true;
    l->secure.verify = true;
    l->secure.name = value;
    return value[0] != '\0' && strlen(value) < TLS_NAME_MAX;
}

static bool take_pin(struct lookup *l, const char *value)
{
    if (l->secure.pin_count == LOOKUP_PINS_MAX)
        return false;
    struct writer w = writer_of(l->secure.pins[l->secure.pin_count], TLS_PIN_LEN);
    l->secure.tls = true;
    l->secure.pin_count++;
    return encoding_decode(ENCODING_BASE64, bytes_of_text(value), &w) && !w.failed &&
           writer_len(&w) == TLS_PIN_LEN;
}

static bool take_https(struct lookup *l, const char *value)
{
    l->secure.https = true;
    l->secure.path = value;
    return value[0] == '/' && strlen(value) < 512;
}

static bool take_interface(struct lookup *l, const char *value)
{
    l->mdns = true;
    l->mdns_interface = value;
    return value[0] != '\0';
}

static const struct word {
    const char *name;
    size_t flag; /* +name sets it, +noname clears it */
    bool (*value)(struct lookup *l, const char *value); /* for +name=value */
    bool value_optional;
    const char *expected;
} words[] = {
    {"idn", MEMBER(idn), NULL, false, NULL},
    {"idnin", MEMBER(idn), NULL, false, NULL},
    {"tcp", MEMBER(stream), NULL, false, NULL},
    {"vc", MEMBER(stream), NULL, false, NULL},
    {"ignore", MEMBER(ignore_truncation), NULL, false, NULL},
    {"recurse", MEMBER(recursion), NULL, false, NULL},
    {"rec", MEMBER(recursion), NULL, false, NULL},
    {"rdflag", MEMBER(recursion), NULL, false, NULL},
    {"dnssec", MEMBER(dnssec), NULL, false, NULL},
    {"do", MEMBER(dnssec), NULL, false, NULL},
    {"cd", MEMBER(checking_disabled), NULL, false, NULL},
    {"cdflag", MEMBER(checking_disabled), NULL, false, NULL},
    {"ad", MEMBER(authentic_data), NULL, false, NULL},
    {"adflag", MEMBER(authentic_data), NULL, false, NULL},
    {"edns", MEMBER(edns), NULL, false, NULL},
    {"bufsize", 0, take_bufsize, false, NULL},
    {"nsid", MEMBER(nsid), NULL, false, NULL},
    {"cookie", MEMBER(cookie), take_cookie, true, " or a value of hexadecimal digits"},
    {"tls", MEMBER(secure.tls), NULL, false, NULL},
    {"tls-ca", MEMBER(secure.verify), take_trust, true, " or =FILE"},
    {"tls-hostname", 0, take_tls_name, false, "=NAME"},
    {"tls-pin", 0, take_pin, false,
     "=PIN, the SHA-256 of a public key in base64, at most 8 of them"},
    {"https", MEMBER(secure.https), take_https, true, " or =/PATH"},
    {"https-get", MEMBER(secure.get), NULL, false, NULL},
    {"padding", MEMBER(secure.padding), NULL, false, NULL},
    {"mdns", MEMBER(mdns), take_interface, true, " or =INTERFACE"},
    {"search", MEMBER(search), NULL, false, NULL},
    {"ndots", 0, take_ndots, false, NULL},
    {"short", MEMBER(short_form), NULL, false, NULL},
    {"trace", MEMBER(trace), NULL, false, NULL},
    {"json", MEMBER(json), NULL, false, NULL},
    {"timeout", 0, take_seconds, false, NULL},
    {"time", 0, take_seconds, false, NULL},
    {"tries", 0, take_tries, false, NULL},
    {"retry", 0, take_retry, false, NULL},
    {"cmd", MEMBER(show.command), NULL, false, NULL},
    {"comments", MEMBER(show.comments), NULL, false, NULL},
    {"question", MEMBER(show.question), NULL, false, NULL},
    {"answer", MEMBER(show.answer), NULL, false, NULL},
    {"authority", MEMBER(show.authority), NULL, false, NULL},
    {"additional", MEMBER(show.additional), NULL, false, NULL},
    {"stats", MEMBER(show.stats), NULL, false, NULL},
};

static bool *flag_at(struct lookup *l, size_t offset)
{
    return (bool *)(void *)((char *)l + offset);
}

static const struct word *find_word(struct bytes name)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (bytes_equal(name, bytes_of_text(words[i].name)))
            return &words[i];
    return NULL;
}

static bool show_all(struct lookup *l, bool on)
{
    l->show = (struct lookup_show){on, on, on, on, on, on, on};
    return true;
}

/* "+tcp", "+notcp", "+bufsize=512". False after a complaint. */
static bool read_word(struct lookup *l, const char *argument)
{
    struct bytes text = bytes_of_text(argument + 1);
    size_t equals = bytes_find(text, '=');
    const char *value = equals < text.len ? argument + 1 + equals + 1 : NULL;
    struct bytes name = bytes_first(text, equals);
    if (bytes_equal(name, bytes_of_text("all")))
        return show_all(l, true);
    if (bytes_equal(name, bytes_of_text("noall")))
        return show_all(l, false);
    bool on = true;
    const struct word *word = find_word(name);
    if (word == NULL && bytes_equal(bytes_first(name, 2), bytes_of_text("no"))) {
        word = find_word(bytes_after(name, 2));
        on = false;
    }
    if (word == NULL) {
        cli_wrong_usage(l->command, "there is no option %s", argument);
        return false;
    }
    bool bare = word->value == NULL || word->value_optional;
    if (value != NULL ? !on || word->value == NULL || !word->value(l, value) : !bare) {
        cli_wrong_usage(l->command, "%s: expected +%s%s", argument, word->name,
                        word->value == NULL       ? ""
                        : word->expected != NULL  ? word->expected
                                                  : "=N, a number within bounds");
        return false;
    }
    if (value == NULL)
        *flag_at(l, word->flag) = on;
    return true;
}

bool lookup_add_server(struct lookup *l, const char *text)
{
    char complaint[256] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct endpoint server = {.port = 0};
    enum host_name_version version = l->v4 ? HOST_NAME_V4 : l->v6 ? HOST_NAME_V6 : HOST_NAME_ANY;
    if (!address_parse(bytes_of_text(text), &server.address) &&
        !host_name_find(text, version, &server.address, &error)) {
        cli_fail(l->command, 0, "%s", complaint);
        return false;
    }
    if (l->server_count == LOOKUP_QUESTIONS_MAX) {
        cli_wrong_usage(l->command, "expected at most %d servers", LOOKUP_QUESTIONS_MAX);
        return false;
    }
    l->server_names[l->server_count] = text;
    l->servers[l->server_count++] = server;
    return true;
}

/* A word that is neither an option nor a server: a type or class of the name before it, else the
 * next name. */
static bool read_operand(struct lookup *l, const char *text)
{
    struct lookup_question *q =
        l->question_count > 0 ? &l->questions[l->question_count - 1] : NULL;
    uint16_t type, class;
    uint32_t serial;
    if ((q == NULL || q->type == 0) && read_type(text, &type, &serial)) {
        q = open_question(l);
        q->type = type;
        q->serial = serial;
        return true;
    }
    if ((q == NULL || q->class == 0) && read_class(text, &class)) {
        open_question(l)->class = class;
        return true;
    }
    if (q != NULL && q->name == NULL) {
        q->name = text;
        return true;
    }
    if (lookup_add_question(l, text) != NULL)
        return true;
    cli_wrong_usage(l->command, "expected at most %d questions", LOOKUP_QUESTIONS_MAX);
    return false;
}

/* dig(1) takes its arguments in any order. */
enum cli_outcome lookup_read_arguments(struct lookup *l)
{
    for (int at = 0; at + 1 < l->argc;) {
        int used;
        enum cli_outcome outcome =
            cli_read_options(l->command, l, l->argc - at, l->argv + at, &used);
        if (outcome != CLI_GO_ON)
            return outcome;
        at += used;
        if (at >= l->argc)
            break;
        const char *argument = l->argv[at];
        bool ok;
        if (argument[0] == '+') {
            ok = read_word(l, argument);
        } else if (argument[0] == '@') {
            ok = lookup_add_server(l, argument + 1);
            if (!ok)
                return CLI_WRONG;
        } else {
            ok = read_operand(l, argument);
        }
        if (!ok)
            return CLI_WRONG;
    }
    return CLI_GO_ON;
}

