/* SPDX-License-Identifier: ISC */
/*
 * http_cache_vary.c - RFC 9111 §4.1: values match when they become the same by adding or removing
 * spaces, by joining fields, or by what their specification says is the same: the order and the case of
 * what a client accepts, and weights that are 1.
 */
#include "proto/http/http_cache_vary.h"

#include "wire/http/http_list.h"

enum how { AS_IT_IS, ORDERED, UNORDERED };

/* RFC 9110 §12.5: the order of what is accepted says nothing; of languages it may to some. */
static enum how how_to_compare(struct bytes name)
{
    static const struct {
        const char *name;
        enum how how;
    } known[] = {{"accept", UNORDERED},
                 {"accept-charset", UNORDERED},
                 {"accept-encoding", UNORDERED},
                 {"accept-language", ORDERED}};
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (bytes_equal(name, bytes_of_text(known[i].name)))
            return known[i].how;
    return AS_IT_IS;
}

static void write_lower(struct writer *w, struct bytes in)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        write_u8(w, c >= 'A' && c <= 'Z' ? (uint8_t)(c | 0x20) : c);
    }
}

/* Is `name` among the first `names`, each with a comma behind it? */
static bool listed(struct bytes names, struct bytes name)
{
    while (names.len > 0) {
        size_t comma = bytes_find(names, ',');
        if (bytes_equal_nocase(bytes_first(names, comma), name))
            return true;
        names = bytes_after(names, comma + 1);
    }
    return false;
}

bool http_vary_names(const struct http_fields *response, struct writer *out)
{
    struct bytes wanted = bytes_of_text("Vary");
    uint8_t *from = out->next;
    for (size_t i = 0; i < response->count; i++) {
        if (!bytes_equal_nocase(response->list[i].name, wanted))
            continue;
        struct bytes rest = response->list[i].value, name;
        while (http_list_next(&rest, &name)) {
            if (!http_is_token(name) || bytes_equal(name, bytes_of_text("*")))
                return false;
            if (listed(bytes_of(from, (size_t)(out->next - from)), name))
                continue;
            write_lower(out, name);
            write_u8(out, ',');
        }
    }
    return !out->failed;
}

/* An element in lower case without spaces, and without a weight of 1. */
static struct bytes write_element(struct writer *w, struct bytes element)
{
    uint8_t *from = w->next;
    struct bytes name = http_element_name(element);
    struct bytes rest = bytes_after(element, name.len);
    bool whole = http_element_quality(element) == 1000;
    write_lower(w, name);
    while (rest.len > 0) {
        size_t next = 1;
        while (next < rest.len && rest.data[next] != ';')
            next++;
        struct bytes parameter = http_trim(bytes_of(rest.data, next));
        if (parameter.len > 0 && parameter.data[0] == ';')
            parameter = http_trim(bytes_after(parameter, 1));
        bool weight = parameter.len > 1 && (parameter.data[0] | 0x20) == 'q' &&
                      parameter.data[1] == '=';
        if (parameter.len > 0 && !(weight && whole)) {
            write_u8(w, ';');
            write_lower(w, parameter);
        }
        rest = bytes_after(rest, next);
    }
    return w->failed ? bytes_empty() : bytes_of(from, (size_t)(w->next - from));
}

static bool before(struct bytes a, struct bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.data, b.data, len);
    return order < 0 || (order == 0 && a.len < b.len);
}

static void sort(struct bytes *list, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct bytes moved = list[i];
        size_t at = i;
        for (; at > 0 && before(moved, list[at - 1]); at--)
            list[at] = list[at - 1];
        list[at] = moved;
    }
}

/* False: more elements than we sort. */
static bool write_list(struct writer *out, struct bytes value, bool sorted)
{
    uint8_t scratch[HTTP_VARY_KEY_MAX];
    struct bytes elements[HTTP_VARY_ELEMENTS_MAX];
    struct writer w = writer_of(scratch, sizeof scratch);
    struct bytes element;
    size_t count = 0;
    while (http_list_next(&value, &element)) {
        if (count == HTTP_VARY_ELEMENTS_MAX)
            return false;
        elements[count++] = write_element(&w, element);
    }
    if (w.failed)
        return false;
    if (sorted)
        sort(elements, count);
    for (size_t i = 0; i < count; i++) {
        write_bytes(out, elements[i]);
        write_u8(out, ',');
    }
    return true;
}

static void write_value(struct writer *out, struct bytes name, struct bytes value)
{
    enum how how = how_to_compare(name);
    struct writer before_list = *out;
    if (how != AS_IT_IS && write_list(out, value, how == UNORDERED))
        return;
    *out = before_list;
    write_bytes(out, value);
}

static bool join(const struct http_fields *request, struct bytes name, struct writer *w)
{
    size_t count = 0;
    for (size_t i = 0; i < request->count; i++) {
        if (!bytes_equal_nocase(request->list[i].name, name))
            continue;
        if (count++ > 0)
            write_copy(w, ", ", 2);
        write_bytes(w, request->list[i].value);
    }
    return count > 0;
}

bool http_vary_key(struct bytes names, const struct http_fields *request, struct writer *out)
{
    while (names.len > 0) {
        size_t comma = bytes_find(names, ',');
        struct bytes name = bytes_first(names, comma);
        uint8_t joined[HTTP_VARY_KEY_MAX];
        struct writer w = writer_of(joined, sizeof joined);
        /* Absent matches only absent; an empty value is one. */
        if (join(request, name, &w)) {
            if (w.failed)
                return false;
            write_u8(out, ':');
            write_value(out, name, writer_bytes(&w));
        }
        write_u8(out, '\n');
        names = bytes_after(names, comma + 1);
    }
    return !out->failed;
}
