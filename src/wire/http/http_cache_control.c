/* SPDX-License-Identifier: ISC */
/* http_cache_control.c - directives to caches: RFC 9111 §5.1, §5.2; RFC 9213 §2. */
#include "wire/http/http_cache_control.h"

#include "wire/http/http_list.h"
#include "wire/http/http_structured.h"

enum { TARGETED_MAX = 1024 }; /* octets of a targeted field; a longer one does not count */

static const char *const names[] = {
    [HTTP_CC_MAX_AGE] = "max-age",
    [HTTP_CC_S_MAXAGE] = "s-maxage",
    [HTTP_CC_MAX_STALE] = "max-stale",
    [HTTP_CC_MIN_FRESH] = "min-fresh",
    [HTTP_CC_STALE_WHILE_REVALIDATE] = "stale-while-revalidate",
    [HTTP_CC_STALE_IF_ERROR] = "stale-if-error",
    [HTTP_CC_NO_CACHE] = "no-cache",
    [HTTP_CC_NO_CACHE_FIELDS] = "",
    [HTTP_CC_PRIVATE] = "private",
    [HTTP_CC_PRIVATE_FIELDS] = "",
    [HTTP_CC_NO_STORE] = "no-store",
    [HTTP_CC_NO_TRANSFORM] = "no-transform",
    [HTTP_CC_ONLY_IF_CACHED] = "only-if-cached",
    [HTTP_CC_MUST_REVALIDATE] = "must-revalidate",
    [HTTP_CC_PROXY_REVALIDATE] = "proxy-revalidate",
    [HTTP_CC_MUST_UNDERSTAND] = "must-understand",
    [HTTP_CC_PUBLIC] = "public",
    [HTTP_CC_IMMUTABLE] = "immutable",
};
_Static_assert(ARRAY_LEN(names) == HTTP_CC_COUNT, "one name per directive");

bool http_delta_seconds(struct bytes text, uint32_t *out)
{
    uint64_t value = 0;
    if (text.len == 0)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
        if (value > HTTP_DELTA_MAX)
            value = HTTP_DELTA_MAX; /* and so it stays, whatever follows */
    }
    *out = (uint32_t)value;
    return true;
}

struct directive {
    struct bytes name;
    struct bytes argument; /* without quotes */
    bool has_argument;
};

static struct directive directive_of(struct bytes element)
{
    size_t equals = bytes_find(element, '=');
    struct directive d = {.name = http_trim(bytes_first(element, equals)),
                          .argument = bytes_after(element, equals + 1),
                          .has_argument = equals < element.len};
    /* Either form is understood, whichever the directive should have (RFC 9111 §5.2). */
    size_t len = d.argument.len;
    if (len >= 2 && d.argument.data[0] == '"' && d.argument.data[len - 1] == '"')
        d.argument = bytes_of(d.argument.data + 1, len - 2);
    return d;
}

/* Is it a list of names of fields, with at least one? */
static bool is_name_list(struct bytes argument)
{
    struct bytes element;
    size_t count = 0;
    while (http_list_next(&argument, &element)) {
        if (!http_is_token(element))
            return false;
        count++;
    }
    return count > 0;
}

static void note(struct http_cache_control *cc, enum http_cc_directive which)
{
    cc->present |= UINT32_C(1) << which;
}

static void note_time(struct http_cache_control *cc, enum http_cc_directive which,
                      const struct directive *d)
{
    uint32_t seconds;
    if (http_cc_has(cc, which))
        return;
    if (which == HTTP_CC_MAX_STALE && !d->has_argument)
        seconds = HTTP_DELTA_MAX;
    else if (!http_delta_seconds(d->argument, &seconds)) {
        if (which != HTTP_CC_MAX_AGE && which != HTTP_CC_S_MAXAGE)
            return;
        seconds = 0;
    }
    cc->seconds[which] = seconds;
    note(cc, which);
}

static void note_directive(struct http_cache_control *cc, const struct directive *d)
{
    for (unsigned i = 0; i < HTTP_CC_COUNT; i++) {
        if (names[i][0] == '\0' || !bytes_equal_nocase(d->name, bytes_of_text(names[i])))
            continue;
        if (i < HTTP_CC_TIMES)
            note_time(cc, (enum http_cc_directive)i, d);
        else if ((i == HTTP_CC_NO_CACHE || i == HTTP_CC_PRIVATE) && d->has_argument &&
                 is_name_list(d->argument))
            note(cc, (enum http_cc_directive)(i + 1)); /* …_FIELDS */
        else
            note(cc, (enum http_cc_directive)i); /* an argument that says nothing is none */
        return;
    }
}

void http_cache_control_parse(const struct http_fields *fields, struct http_cache_control *out)
{
    struct bytes wanted = bytes_of_text("Cache-Control");
    *out = (struct http_cache_control){0};
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        struct bytes rest = fields->list[i].value;
        struct bytes element;
        while (http_list_next(&rest, &element)) {
            struct directive d = directive_of(element);
            note_directive(out, &d);
        }
    }
}

void http_fields_join(const struct http_fields *fields, const char *name, struct writer *w)
{
    struct bytes wanted = bytes_of_text(name);
    size_t from = writer_len(w);
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, wanted))
            continue;
        if (writer_len(w) > from)
            write_copy(w, ", ", 2);
        write_bytes(w, fields->list[i].value);
    }
}

/* A directive's value must be of the type that it has (RFC 9213 §2.1): times are integers, those
 * with names strings, the others true. Else it is ignored. */
static void note_member(struct http_cache_control *cc, const struct http_sf_member *member)
{
    struct directive d = {.name = member->key, .argument = member->text};
    uint8_t digits[20];
    struct writer w = writer_of(digits, sizeof digits);
    switch (member->kind) {
    case HTTP_SF_INTEGER:
        if (member->number < 0)
            return;
        http_write_number(&w, (uint64_t)member->number);
        d.argument = writer_bytes(&w);
        d.has_argument = true;
        break;
    case HTTP_SF_STRING:
        d.has_argument = true;
        break;
    case HTTP_SF_BOOLEAN:
        if (member->number == 0)
            return;
        break;
    case HTTP_SF_DECIMAL:
    case HTTP_SF_TOKEN:
    case HTTP_SF_OCTETS:
    case HTTP_SF_DATE:
    case HTTP_SF_DISPLAY:
    case HTTP_SF_LIST:
    case HTTP_SF_KIND_COUNT:
        return;
    }
    unsigned time = 0;
    while (time < HTTP_CC_TIMES && !bytes_equal(d.name, bytes_of_text(names[time])))
        time++;
    if ((time < HTTP_CC_TIMES) != (member->kind == HTTP_SF_INTEGER))
        return;
    if (time < HTTP_CC_TIMES)
        cc->present &= ~(UINT32_C(1) << time); /* the last one of a key holds */
    note_directive(cc, &d);
}

bool http_cache_control_targeted(const struct http_fields *fields, const char *name,
                                 struct http_cache_control *out)
{
    uint8_t joined[TARGETED_MAX];
    struct writer w = writer_of(joined, sizeof joined);
    http_fields_join(fields, name, &w);
    struct bytes rest = writer_bytes(&w);
    if (w.failed || rest.len == 0 || !http_sf_is_dictionary(rest))
        return false;
    struct http_cache_control cc = {0};
    struct http_sf_member member;
    bool first = true;
    while (http_sf_dictionary(&rest, first, &member) == HTTP_SF_MEMBER) {
        note_member(&cc, &member);
        first = false;
    }
    if (first)
        return false; /* spaces are as empty as nothing */
    *out = cc;
    return true;
}

bool http_cache_control_names(const struct http_fields *fields, const char *name,
                              const char *directive, struct bytes wanted)
{
    struct bytes field = bytes_of_text(name);
    for (size_t i = 0; i < fields->count; i++) {
        if (!bytes_equal_nocase(fields->list[i].name, field))
            continue;
        struct bytes rest = fields->list[i].value;
        struct bytes element, listed;
        while (http_list_next(&rest, &element)) {
            struct directive d = directive_of(element);
            if (!bytes_equal_nocase(d.name, bytes_of_text(directive)))
                continue;
            while (http_list_next(&d.argument, &listed))
                if (bytes_equal_nocase(listed, wanted))
                    return true;
        }
    }
    return false;
}

bool http_age(const struct http_fields *fields, uint32_t *out)
{
    struct bytes value;
    if (!http_field_find(fields, "Age", &value))
        return false;
    size_t comma = bytes_find(value, ',');
    return http_delta_seconds(http_trim(bytes_first(value, comma)), out);
}
