/* SPDX-License-Identifier: ISC */
/*
 * update_script.c - the language of nsupdate(1): a line for each prerequisite and each change (RFC 2136 §2.4,
 * §2.5), and for whom it is meant.
 *
 * Names are absolute, with or without a final dot, unless an origin is said.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/update.h"
#include "wire/dns/dns_token.h"

bool update_complain(const struct update *u, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (u->line > 0)
        cli_fail(u->command, 0, "line %u: %s", u->line, text);
    else
        cli_fail(u->command, 0, "%s", text);
    return false;
}

/* ---- words ---- */

/* Takes the next word; false at the end, and for a quote that does not end. */
static bool take_word(struct bytes *rest, struct bytes *out)
{
    struct dns_token token;
    if (dns_token_next(rest, &token) != DNS_TOKEN_WORD)
        return false;
    *out = token.text;
    return true;
}

/* The word, which stays. */
static struct bytes peek(struct bytes rest)
{
    struct bytes word;
    return take_word(&rest, &word) ? word : bytes_empty();
}

static bool is(struct bytes word, const char *text)
{
    return bytes_equal_nocase(word, bytes_of_text(text));
}

static bool at_end(const struct update *u, struct bytes rest)
{
    struct bytes word;
    if (!take_word(&rest, &word))
        return true;
    return update_complain(u, "\"%.*s\": nothing is expected here", (int)word.len, word.data);
}

static bool take_name(struct update *u, struct bytes *rest, struct dns_name *out)
{
    struct bytes word;
    if (!take_word(rest, &word))
        return update_complain(u, "expected a domain name");
    if (!dns_name_parse(word, &u->origin, out))
        return update_complain(u, "not a domain name: \"%.*s\"", (int)word.len, word.data);
    /* "www.example.com" in example.com is not www.example.com.example.com. */
    struct dns_name whole;
    bool absolute = word.len > 0 && word.data[word.len - 1] == '.';
    if (!absolute && !dns_name_is_root(&u->origin) && dns_name_parse(word, NULL, &whole) &&
        dns_name_within(&whole, &u->origin))
        *out = whole;
    if (u->first.len == 0)
        u->first = *out;
    return true;
}

static void skip_class(struct bytes *rest)
{
    struct bytes word;
    if (is(peek(*rest), "IN"))
        (void)!take_word(rest, &word);
}

static bool take_type(struct update *u, struct bytes *rest, uint16_t *out)
{
    struct bytes word;
    if (!take_word(rest, &word))
        return update_complain(u, "expected a type");
    if (!dns_type_parse(word, out))
        return update_complain(u, "not a type: \"%.*s\"", (int)word.len, word.data);
    return true;
}

static bool take_rdata(struct update *u, uint16_t type, struct bytes rest, struct bytes *out)
{
    char reason[256];
    struct writer w = writer_of(u->rdata, sizeof u->rdata);
    struct dns_error error = dns_error_of(reason, sizeof reason);
    if (!dns_rdata_parse(type, rest, &u->origin, &w, &error))
        return update_complain(u, "%s", reason);
    *out = writer_bytes(&w);
    return true;
}

/* ---- records ---- */

static bool put(struct update *u, struct update_section *section, const struct dns_record *r)
{
    struct writer w = writer_of(section->octets + section->len, sizeof section->octets - section->len);
    dns_name_write(&w, &r->owner);
    write_u16(&w, r->type);
    write_u16(&w, r->class);
    write_u32(&w, r->ttl);
    write_u16(&w, (uint16_t)r->rdata.len);
    write_bytes(&w, r->rdata);
    if (w.failed)
        return update_complain(u, "that is more than one message has room for: send what there is first");
    section->len += writer_len(&w);
    section->count++;
    return true;
}

/* §2.4.1, §2.4.2, §2.4.3: an RRset exists, perhaps with these records; or it does not. */
static bool take_rrset(struct update *u, struct bytes rest, bool exists)
{
    struct dns_record r = {.class = exists ? DNS_CLASS_ANY : DNS_CLASS_NONE, .rdata = bytes_empty()};
    if (!take_name(u, &rest, &r.owner))
        return false;
    skip_class(&rest);
    if (!take_type(u, &rest, &r.type))
        return false;
    if (exists && peek(rest).len > 0) {
        r.class = DNS_IN;
        if (!take_rdata(u, r.type, rest, &r.rdata))
            return false;
        rest = bytes_empty();
    }
    return at_end(u, rest) && put(u, &u->prerequisites, &r);
}

static bool take_yxrrset(struct update *u, struct bytes rest)
{
    return take_rrset(u, rest, true);
}

static bool take_nxrrset(struct update *u, struct bytes rest)
{
    return take_rrset(u, rest, false);
}

/* §2.4.4, §2.4.5: the name is in use, or not. */
static bool take_domain(struct update *u, struct bytes rest, uint16_t class)
{
    struct dns_record r = {.type = DNS_ANY, .class = class, .rdata = bytes_empty()};
    return take_name(u, &rest, &r.owner) && at_end(u, rest) && put(u, &u->prerequisites, &r);
}

static bool take_yxdomain(struct update *u, struct bytes rest)
{
    return take_domain(u, rest, DNS_CLASS_ANY);
}

static bool take_nxdomain(struct update *u, struct bytes rest)
{
    return take_domain(u, rest, DNS_CLASS_NONE);
}

/* "NAME [TTL] [IN] TYPE DATA": a record. */
static bool read_record(struct update *u, struct bytes rest, struct dns_record *r)
{
    struct bytes word;
    *r = (struct dns_record){.class = DNS_IN, .ttl = u->ttl};
    if (!take_name(u, &rest, &r->owner))
        return false;
    bool given = dns_parse_seconds(peek(rest), &r->ttl);
    if (given)
        (void)!take_word(&rest, &word);
    skip_class(&rest);
    if (!given && !u->ttl_given)
        return update_complain(u, "expected a TTL in seconds before the type");
    if (r->ttl > DNS_TTL_MAX)
        return update_complain(u, "a TTL is at most %d seconds", DNS_TTL_MAX);
    return take_type(u, &rest, &r->type) && take_rdata(u, r->type, rest, &r->rdata);
}

/* §2.5.1 */
static bool take_add(struct update *u, struct bytes rest)
{
    struct dns_record r;
    if (!read_record(u, rest, &r))
        return false;
    if (!dns_type_is_data(r.type))
        return update_complain(u, "records of that type are not in zones");
    return put(u, &u->changes, &r);
}

/* §2.5.2, §2.5.3, §2.5.4: an RRset, all at a name, one record. A TTL means nothing here; nsupdate(1) takes
 * one, and so do we. */
static bool take_delete(struct update *u, struct bytes rest)
{
    struct dns_record r = {.type = DNS_ANY, .class = DNS_CLASS_ANY, .rdata = bytes_empty()};
    struct bytes word;
    uint32_t ttl;
    if (!take_name(u, &rest, &r.owner))
        return false;
    if (dns_parse_seconds(peek(rest), &ttl))
        (void)!take_word(&rest, &word);
    skip_class(&rest);
    if (peek(rest).len > 0 && !take_type(u, &rest, &r.type))
        return false;
    if (peek(rest).len > 0) {
        r.class = DNS_CLASS_NONE;
        if (!take_rdata(u, r.type, rest, &r.rdata))
            return false;
    }
    return put(u, &u->changes, &r);
}

/* Not of nsupdate(1): this record takes the place of all of its name and type. */
static bool take_replace(struct update *u, struct bytes rest)
{
    struct dns_record r;
    if (!read_record(u, rest, &r))
        return false;
    struct dns_record all = {
        .owner = r.owner, .type = r.type, .class = DNS_CLASS_ANY, .rdata = bytes_empty()};
    return put(u, &u->changes, &all) && put(u, &u->changes, &r);
}

static bool take_prerequisite(struct update *u, struct bytes rest);
static bool take_change(struct update *u, struct bytes rest);

/* ---- for whom ---- */

static bool take_server(struct update *u, struct bytes rest)
{
    struct bytes name, port;
    char text[256];
    uint64_t number = 0;
    if (!take_word(&rest, &name) || name.len >= sizeof text)
        return update_complain(u, "expected a server");
    if (take_word(&rest, &port)) {
        if (!text_parse_number(port, UINT16_MAX, &number) || number == 0)
            return update_complain(u, "not a port: \"%.*s\"", (int)port.len, port.data);
        u->lookup->port = (unsigned)number;
    }
    memcpy(text, name.data, name.len);
    text[name.len] = '\0';
    u->lookup->server_count = 0;
    if (!at_end(u, rest) || !lookup_add_server(u->lookup, text))
        return false;
    u->lookup->server_names[0] = NULL; /* it is not kept */
    u->server = "";
    return true;
}

static bool take_zone(struct update *u, struct bytes rest)
{
    struct bytes word;
    if (!take_word(&rest, &word) || !dns_name_parse(word, NULL, &u->zone))
        return update_complain(u, "expected the name of a zone");
    return at_end(u, rest);
}

static bool take_origin(struct update *u, struct bytes rest)
{
    struct bytes word;
    if (!take_word(&rest, &word) || !dns_name_parse(word, NULL, &u->origin))
        return update_complain(u, "expected a domain name");
    return at_end(u, rest);
}

static bool take_ttl(struct update *u, struct bytes rest)
{
    struct bytes word;
    u->ttl_given =
        take_word(&rest, &word) && dns_parse_seconds(word, &u->ttl) && u->ttl <= DNS_TTL_MAX;
    if (!u->ttl_given)
        return update_complain(u, "expected a number of seconds");
    return at_end(u, rest);
}

static bool take_class(struct update *u, struct bytes rest)
{
    if (!is(peek(rest), "IN"))
        return update_complain(u, "expected IN: there is no other class of zones here");
    return true;
}

/* "[ALGORITHM:]NAME SECRET" */
static bool take_key(struct update *u, struct bytes rest)
{
    char text[1024];
    struct bytes name, secret;
    struct text t = text_of(text, sizeof text);
    bool whole = take_word(&rest, &name) && take_word(&rest, &secret);
    if (whole) {
        text_add_bytes(&t, name);
        text_add(&t, ":");
        text_add_bytes(&t, secret);
    }
    whole = whole && !t.failed && tsig_key_parse(text_bytes(&t), &u->lookup->key);
    explicit_bzero(text, sizeof text);
    if (!whole)
        return update_complain(u, "expected [ALGORITHM:]NAME SECRET, the secret in base64");
    return at_end(u, rest);
}

static bool take_answer(struct update *u, struct bytes rest)
{
    if (!at_end(u, rest))
        return false;
    if (u->replied)
        lookup_print_message(u->lookup, &u->reply);
    return true;
}

static bool take_show(struct update *u, struct bytes rest)
{
    if (!at_end(u, rest))
        return false;
    update_show(u);
    return true;
}

static bool take_debug(struct update *u, struct bytes rest)
{
    u->verbose = true;
    return at_end(u, rest);
}

/* ---- the table ---- */

enum kind { CHANGE = 1, PREREQUISITE = 2, OTHER = 4 };

static const struct verb {
    const char *name;
    enum kind kind;
    bool (*take)(struct update *u, struct bytes rest);
} verbs[] = {
    {"add", CHANGE, take_add},
    {"delete", CHANGE, take_delete},
    {"del", CHANGE, take_delete},
    {"replace", CHANGE, take_replace},
    {"nxdomain", PREREQUISITE, take_nxdomain},
    {"yxdomain", PREREQUISITE, take_yxdomain},
    {"nxrrset", PREREQUISITE, take_nxrrset},
    {"yxrrset", PREREQUISITE, take_yxrrset},
    {"update", OTHER, take_change},
    {"prereq", OTHER, take_prerequisite},
    {"server", OTHER, take_server},
    {"zone", OTHER, take_zone},
    {"origin", OTHER, take_origin},
    {"ttl", OTHER, take_ttl},
    {"class", OTHER, take_class},
    {"key", OTHER, take_key},
    {"show", OTHER, take_show},
    {"answer", OTHER, take_answer},
    {"debug", OTHER, take_debug},
};

static bool take_of(struct update *u, struct bytes rest, unsigned kinds)
{
    struct bytes word;
    if (!take_word(&rest, &word))
        return update_complain(u, "expected a word such as add or delete");
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if ((verbs[i].kind & kinds) != 0 && is(word, verbs[i].name))
            return verbs[i].take(u, rest);
    return update_complain(u, "\"%.*s\": expected %s", (int)word.len, word.data,
                           kinds == CHANGE         ? "add, delete or replace"
                           : kinds == PREREQUISITE ? "nxdomain, yxdomain, nxrrset or yxrrset"
                                                   : "add, delete, replace, prereq, server, zone, origin, "
                                                     "ttl, key, show, send, answer or quit");
}

static bool take_change(struct update *u, struct bytes rest)
{
    return take_of(u, rest, CHANGE);
}

static bool take_prerequisite(struct update *u, struct bytes rest)
{
    return take_of(u, rest, PREREQUISITE);
}

bool update_take(struct update *u, struct bytes line)
{
    return take_of(u, line, CHANGE | PREREQUISITE | OTHER);
}

/* ---- the script ---- */

/* A line: an empty one sends, as "send" does. */
static enum update_status run_line(struct update *u, struct bytes line, bool *quit)
{
    struct bytes word = peek(line);
    if (is(word, "quit")) {
        *quit = true;
        return UPDATE_DONE;
    }
    bool blank = text_trim(line).len == 0;
    if (blank || is(word, "send"))
        return update_send(u);
    if (word.len == 0) /* a comment */
        return UPDATE_DONE;
    return update_take(u, line) ? UPDATE_DONE : UPDATE_WRONG;
}

enum update_status update_run_script(struct update *u, int fd)
{
    enum update_status worst = UPDATE_DONE;
    bool quit = false, prompt = isatty(fd) != 0;
    FILE *in = fdopen(dup(fd), "r");
    if (in == NULL) {
        cli_fail(u->command, 0, "cannot read: %s", strerror(errno));
        return UPDATE_WRONG;
    }
    while (!quit && worst != UPDATE_WRONG) {
        if (prompt)
            fputs("> ", stdout);
        fflush(stdout);
        if (fgets(u->text, sizeof u->text, in) == NULL)
            break;
        u->line++;
        size_t len = strlen(u->text);
        bool whole = len > 0 && u->text[len - 1] == '\n';
        if (!whole && !feof(in)) {
            update_complain(u, "a line is at most %d octets long", UPDATE_LINE_MAX - 2);
            worst = UPDATE_WRONG;
            break;
        }
        enum update_status status = run_line(u, bytes_of(u->text, whole ? len - 1 : len), &quit);
        if (status == UPDATE_WRONG && prompt)
            status = UPDATE_DONE; /* who types can type again */
        worst = status == UPDATE_WRONG || status > worst ? status : worst;
    }
    fclose(in);
    explicit_bzero(u->text, sizeof u->text);
    return worst;
}
