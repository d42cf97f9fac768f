/* SPDX-License-Identifier: ISC */
/*
 * dns_master.c - master files (RFC 1035 §5.1): where an entry ends (lines, parentheses, quotes,
 * comments), the directives, and which owner, class and TTL a record has that names none.
 */
#include "wire/dns/dns_master.h"

#include <stdio.h>

#include "wire/dns/dns_token.h"

void dns_master_start(struct dns_master *m, struct bytes file, const struct dns_name *origin)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf}; /* of UTF-8, as some editors leave it */
    if (bytes_equal(bytes_first(file, sizeof mark), bytes_of(mark, sizeof mark)))
        file = bytes_after(file, sizeof mark);
    *m = (struct dns_master){
        .rest = file, .line_at = file.data, .line = 1, .origin = *origin, .class = DNS_IN};
    m->generate.next = 1;
}

void dns_master_include(struct dns_master *m, struct bytes file, const struct dns_name *origin,
                        const struct dns_master *from)
{
    dns_master_start(m, file, origin);
    m->owner = from->owner;
    m->has_owner = from->has_owner;
    m->ttl_is_default = from->ttl_is_default;
    m->ttl_known = from->ttl_known;
    m->ttl = from->ttl;
    m->class = from->class;
}

/* ---- entries ---- */

/* An entry: a record or a directive, from the start of its line to the end of its last one. */
struct entry {
    struct bytes text;
    const uint8_t *line_at;
    unsigned line;
};

static enum dns_master_kind fail_at(struct dns_master_item *out, const struct entry *entry,
                                    const uint8_t *at, const char *what)
{
    out->kind = DNS_MASTER_ERROR;
    out->line = entry->line;
    out->column = 0;
    if (what != NULL)
        (void)snprintf(out->error, sizeof out->error, "%s", what);
    const uint8_t *end = entry->text.data + entry->text.len;
    if (at == NULL || at < entry->text.data || at > end)
        return DNS_MASTER_ERROR;
    const uint8_t *line_at = entry->line_at;
    for (const uint8_t *c = line_at; c < at; c++)
        if (*c == '\n') {
            out->line++;
            line_at = c + 1;
        }
    out->column = (unsigned)(at - line_at) + 1;
    return DNS_MASTER_ERROR;
}

/* Where the entry at the front of `text` ends, its newline not counted. NULL, or what is wrong at
 * *end. */
static const char *find_end(struct bytes text, size_t *end)
{
    unsigned depth = 0;
    size_t opened = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        *end = i;
        if (c == '\\' && i + 1 < text.len && text.data[i + 1] != '\n') {
            i++;
        } else if (quoted) {
            if (c == '\n')
                return "the quote that was opened does not end in its line";
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == ';') {
            i += bytes_find(bytes_after(text, i), '\n') - 1;
        } else if (c == '(') {
            opened = depth++ == 0 ? i : opened;
        } else if (c == ')') {
            if (depth-- == 0)
                return "a \")\" without a \"(\"";
        } else if (c == '\n' && depth == 0) {
            return NULL;
        }
    }
    *end = depth > 0 ? opened : text.len;
    if (quoted)
        return "the quote that was opened does not end in its line";
    return depth > 0 ? "a \"(\" without a \")\"" : NULL;
}

static bool has_words(struct bytes text)
{
    struct dns_token token;
    return dns_token_next(&text, &token) != DNS_TOKEN_END;
}

/* The next entry that is not blank. False: there is none, or out->kind says ERROR. */
static bool next_entry(struct dns_master *m, struct entry *entry, struct dns_master_item *out)
{
    while (m->rest.len > 0) {
        size_t end = 0;
        const char *wrong = find_end(m->rest, &end);
        *entry = (struct entry){bytes_first(m->rest, end), m->rest.data, m->line};
        if (wrong != NULL) {
            (void)fail_at(out, entry, m->rest.data + end, wrong);
            return false;
        }
        for (size_t i = 0; i < end; i++)
            m->line += m->rest.data[i] == '\n';
        m->line += end < m->rest.len;
        m->rest = bytes_after(m->rest, end + 1);
        if (has_words(entry->text))
            return true;
    }
    out->kind = DNS_MASTER_END;
    out->line = m->line;
    out->column = 0;
    return false;
}

/* ---- records ---- */

static uint32_t soa_minimum(struct bytes rdata)
{
    struct reader r = reader_of(bytes_after(rdata, rdata.len - 4));
    return read_u32(&r);
}

/* RFC 2308 §4, RFC 1035 §5.1: $TTL, or else the last one that was stated. */
static bool take_ttl(struct dns_master *m, struct dns_record *record)
{
    if (record->ttl_given) {
        if (!m->ttl_is_default)
            m->ttl = record->ttl;
        m->ttl_known = true;
    } else if (!m->ttl_known) {
        if (record->type != DNS_SOA)
            return false;
        record->ttl = soa_minimum(record->rdata);
        if (record->ttl > DNS_TTL_MAX)
            record->ttl = DNS_TTL_MAX;
        m->ttl = record->ttl;
        m->ttl_known = true;
    }
    return true;
}

static enum dns_master_kind take_record(struct dns_master *m, struct bytes text,
                                        const struct entry *entry, struct writer *buffer,
                                        struct dns_master_item *out)
{
    struct dns_line_context context = {
        .origin = &m->origin,
        .owner = m->has_owner ? &m->owner : NULL,
        .ttl = m->ttl,
        .class = m->class,
    };
    struct dns_error error = dns_error_of(out->error, sizeof out->error);
    if (!dns_record_parse(text, &context, buffer, &out->record, &error))
        return fail_at(out, entry, error.at, NULL);
    if (!take_ttl(m, &out->record))
        return fail_at(out, entry, NULL,
                       "no TTL: neither $TTL nor an earlier record says one, and neither does this");
    m->owner = out->record.owner;
    m->has_owner = true;
    m->class = out->record.class;
    out->kind = DNS_MASTER_RECORD;
    return DNS_MASTER_RECORD;
}

/* ---- $GENERATE ---- */

/* The number in the form that ${offset,width,radix} asks for. */
static bool add_number(struct text *t, int64_t value, unsigned width, uint8_t radix)
{
    if (value < 0 || value > UINT32_MAX)
        return false;
    unsigned long v = (unsigned long)value;
    switch (radix) {
    case 'd':
        text_add_format(t, "%0*lu", (int)width, v);
        return true;
    case 'o':
        text_add_format(t, "%0*lo", (int)width, v);
        return true;
    case 'x':
        text_add_format(t, "%0*lx", (int)width, v);
        return true;
    case 'X':
        text_add_format(t, "%0*lX", (int)width, v);
        return true;
    case 'n':
    case 'N': /* nibbles in reverse, for ip6.arpa; `width` counts the dots too */
        for (unsigned done = 0; done < width || v > 0 || done == 0; done += 2, v >>= 4) {
            if (done > 0)
                text_add(t, ".");
            text_add_format(t, radix == 'n' ? "%lx" : "%lX", v & 15);
        }
        return true;
    default:
        return false;
    }
}

struct modifier {
    int64_t offset;
    uint64_t width;
    uint8_t radix;
};

/* "{offset[,width[,radix]]}" at the front of *rest, after the dollar. */
static bool take_modifier(struct bytes *rest, struct modifier *out)
{
    size_t end = bytes_find(*rest, '}');
    if (end == rest->len)
        return false;
    struct bytes inside = bytes_after(bytes_first(*rest, end), 1);
    *rest = bytes_after(*rest, end + 1);
    struct bytes parts[3];
    size_t count = 0;
    for (; count < 3; count++) {
        size_t comma = bytes_find(inside, ',');
        parts[count] = bytes_first(inside, comma);
        if (comma == inside.len) {
            count++;
            break;
        }
        inside = bytes_after(inside, comma + 1);
    }
    uint64_t number;
    bool negative = parts[0].len > 0 && parts[0].data[0] == '-';
    if (!text_parse_number(bytes_after(parts[0], negative), UINT32_MAX, &number))
        return false;
    out->offset = negative ? -(int64_t)number : (int64_t)number;
    if (count > 1 && !text_parse_number(parts[1], DNS_NAME_MAX, &out->width))
        return false;
    if (count > 2) {
        if (parts[2].len != 1)
            return false;
        out->radix = parts[2].data[0];
    }
    return true;
}

/* The template with its dollars replaced. */
static bool expand(struct bytes template, uint64_t value, struct text *out)
{
    struct bytes rest = template;
    while (rest.len > 0) {
        uint8_t c = rest.data[0];
        rest = bytes_after(rest, 1);
        uint8_t next = rest.len > 0 ? rest.data[0] : 0;
        if (c == '\\' && rest.len > 0) {
            const uint8_t escaped[] = {c, next};
            text_add_bytes(out, next == '$' ? bytes_of(&next, 1) : bytes_of(escaped, 2));
            rest = bytes_after(rest, 1);
        } else if (c != '$') {
            text_add_bytes(out, bytes_of(&c, 1));
        } else if (next == '$') {
            text_add(out, "$");
            rest = bytes_after(rest, 1);
        } else {
            struct modifier modifier = {.radix = 'd'};
            if (next == '{' && !take_modifier(&rest, &modifier))
                return false;
            if (!add_number(out, (int64_t)value + modifier.offset, (unsigned)modifier.width,
                            modifier.radix))
                return false;
        }
    }
    return !out->failed;
}

static enum dns_master_kind generate(struct dns_master *m, struct writer *buffer,
                                     struct dns_master_item *out)
{
    char line[DNS_MASTER_GENERATED_LEN_MAX];
    struct text text = text_of(line, sizeof line);
    struct entry entry = {m->generate.template, m->generate.template.data, m->generate.line};
    bool expanded = expand(m->generate.template, m->generate.next, &text);
    m->generate.next += m->generate.step;
    if (!expanded)
        return fail_at(out, &entry, NULL,
                       "$GENERATE: a \"$\" must be followed by nothing, or by "
                       "\"{offset,width,radix}\" with radix d, o, x, X, n or N");
    out->line = entry.line;
    return take_record(m, text_bytes(&text), &entry, buffer, out);
}

/* "start-stop" or "start-stop/step" */
static bool parse_range(struct bytes text, uint64_t *start, uint64_t *stop, uint64_t *step)
{
    size_t minus = bytes_find(text, '-');
    struct bytes after = bytes_after(text, minus + 1);
    size_t slash = bytes_find(after, '/');
    *step = 1;
    if (!text_parse_number(bytes_first(text, minus), UINT32_MAX, start) ||
        !text_parse_number(bytes_first(after, slash), UINT32_MAX, stop))
        return false;
    if (slash < after.len && !text_parse_number(bytes_after(after, slash + 1), UINT32_MAX, step))
        return false;
    return *start <= *stop && *step > 0 && (*stop - *start) / *step < DNS_MASTER_GENERATE_MAX;
}

/* ---- directives ---- */

static bool end_of(struct bytes rest)
{
    return !has_words(rest);
}

static enum dns_master_kind take_origin(struct dns_master *m, const struct entry *entry,
                                        struct bytes rest, struct dns_master_item *out)
{
    struct dns_token token;
    struct dns_name name;
    if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD ||
        !dns_name_parse(token.text, &m->origin, &name) || !end_of(rest))
        return fail_at(out, entry, entry->text.data, "$ORIGIN needs a domain name, and no more");
    m->origin = name;
    return DNS_MASTER_RECORD;
}

static enum dns_master_kind take_default_ttl(struct dns_master *m, const struct entry *entry,
                                             struct bytes rest, struct dns_master_item *out)
{
    struct dns_token token;
    uint32_t ttl;
    if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD ||
        !dns_parse_seconds(token.text, &ttl) || ttl > DNS_TTL_MAX || !end_of(rest))
        return fail_at(out, entry, entry->text.data,
                       "$TTL needs a time as \"3600\" or \"1h\", and no more");
    m->ttl = ttl;
    m->ttl_known = true;
    m->ttl_is_default = true;
    return DNS_MASTER_RECORD;
}

static enum dns_master_kind take_include(struct dns_master *m, const struct entry *entry,
                                         struct bytes rest, struct dns_master_item *out)
{
    static const char wrong[] = "$INCLUDE needs a file's name, perhaps an origin, and no more";
    struct dns_token token;
    struct writer file = writer_of(out->file, sizeof out->file);
    if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD || token.text.len == 0 ||
        !dns_token_unescape(token.text, &file))
        return fail_at(out, entry, entry->text.data, wrong);
    write_u8(&file, '\0');
    if (file.failed || strlen(out->file) + 1 != writer_len(&file))
        return fail_at(out, entry, entry->text.data, "$INCLUDE: not the name of a file");
    out->origin = m->origin;
    if (dns_token_next(&rest, &token) == DNS_TOKEN_WORD &&
        (token.quoted || !dns_name_parse(token.text, &m->origin, &out->origin) || !end_of(rest)))
        return fail_at(out, entry, entry->text.data, wrong);
    out->line = entry->line;
    out->kind = DNS_MASTER_INCLUDE;
    return DNS_MASTER_INCLUDE;
}

static enum dns_master_kind take_generate(struct dns_master *m, const struct entry *entry,
                                          struct bytes rest, struct dns_master_item *out)
{
    struct dns_token token;
    uint64_t start;
    uint64_t stop;
    uint64_t step;
    if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD ||
        !parse_range(token.text, &start, &stop, &step) || !has_words(rest))
        return fail_at(out, entry, entry->text.data,
                       "$GENERATE needs a range as \"1-254\" or \"0-100/2\", and a record");
    while (rest.data[0] == ' ' || rest.data[0] == '\t')
        rest = bytes_after(rest, 1);
    m->generate.template = rest;
    m->generate.line = entry->line;
    m->generate.next = start;
    m->generate.stop = stop;
    m->generate.step = step;
    return DNS_MASTER_RECORD;
}

/* RECORD: it is done, and the next entry is to be read. */
static enum dns_master_kind take_directive(struct dns_master *m, const struct entry *entry,
                                           struct dns_master_item *out)
{
    static const struct {
        const char *word;
        enum dns_master_kind (*take)(struct dns_master *, const struct entry *, struct bytes,
                                     struct dns_master_item *);
    } directives[] = {
        {"$ORIGIN", take_origin},
        {"$TTL", take_default_ttl},
        {"$INCLUDE", take_include},
        {"$GENERATE", take_generate},
    };
    struct bytes rest = entry->text;
    struct dns_token token;
    if (dns_token_next(&rest, &token) == DNS_TOKEN_WORD)
        for (size_t i = 0; i < ARRAY_LEN(directives); i++)
            if (bytes_equal_nocase(token.text, bytes_of_text(directives[i].word)))
                return directives[i].take(m, entry, rest, out);
    return fail_at(out, entry, entry->text.data,
                   "not a directive: there are $ORIGIN, $TTL, $INCLUDE and $GENERATE");
}

enum dns_master_kind dns_master_next(struct dns_master *m, struct writer *buffer,
                                     struct dns_master_item *out)
{
    struct entry entry;
    for (;;) {
        if (m->generate.next <= m->generate.stop)
            return generate(m, buffer, out);
        if (!next_entry(m, &entry, out))
            return out->kind;
        if (entry.text.data[0] != '$') {
            out->line = entry.line;
            out->column = 0;
            return take_record(m, entry.text, &entry, buffer, out);
        }
        enum dns_master_kind kind = take_directive(m, &entry, out);
        if (kind != DNS_MASTER_RECORD)
            return kind;
    }
}
