/* SPDX-License-Identifier: ISC */
/* robots.c - RFC 9309. */
#include "wire/html/robots.h"

#include "base/text.h"

struct line {
    struct bytes key, value;
};

/* The next line that says something (§2.2); false: there is none. */
static bool next_line(struct bytes *rest, struct line *out)
{
    while (rest->len > 0) {
        size_t end = 0;
        while (end < rest->len && rest->data[end] != '\n' && rest->data[end] != '\r')
            end++;
        struct bytes line = bytes_first(*rest, end);
        *rest = bytes_after(*rest, end + 1);
        line = bytes_first(line, bytes_find(line, '#'));
        size_t colon = bytes_find(line, ':');
        if (colon == line.len)
            continue;
        out->key = text_trim(bytes_first(line, colon));
        out->value = text_trim(bytes_after(line, colon + 1));
        return true;
    }
    return false;
}

static bool is(struct bytes text, const char *name)
{
    return bytes_equal_nocase(text, bytes_of_text(name));
}

/* §2.2.1: "name/1.0" is the name, too. */
static bool names_product(struct bytes value, const char *product)
{
    size_t len = 0;
    while (len < value.len && ((value.data[len] | 0x20) >= 'a' && (value.data[len] | 0x20) <= 'z'))
        len++;
    while (len < value.len && (value.data[len] == '-' || value.data[len] == '_' ||
                               ((value.data[len] | 0x20) >= 'a' && (value.data[len] | 0x20) <= 'z')))
        len++;
    return is(bytes_first(value, len), product);
}

static bool has_own_group(struct bytes text, const char *product)
{
    struct line line;
    while (next_line(&text, &line))
        if (is(line.key, "user-agent") && names_product(line.value, product))
            return true;
    return false;
}

static bool is_unreserved(uint8_t c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int digit_of(uint8_t c)
{
    return c >= '0' && c <= '9'                        ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* §2.2.2: both are compared in one spelling. */
static void normalise(struct bytes in, struct text *out)
{
    for (size_t i = 0; i < in.len; i++) {
        uint8_t c = in.data[i];
        bool coded = c == '%' && i + 2 < in.len && digit_of(in.data[i + 1]) >= 0 &&
                     digit_of(in.data[i + 2]) >= 0;
        if (coded) {
            c = (uint8_t)(digit_of(in.data[i + 1]) << 4 | digit_of(in.data[i + 2]));
            i += 2;
        }
        if ((coded && !is_unreserved(c)) || c <= ' ' || c >= 0x7f)
            text_add_format(out, "%%%02X", c);
        else
            text_add_bytes(out, bytes_of(&c, 1));
    }
}

/* "*" is any octets; "$" at the end is the end (§2.2.3). Each star is as short as it can be. */
static bool matches(struct bytes pattern, struct bytes path)
{
    bool anchored = pattern.len > 0 && pattern.data[pattern.len - 1] == '$';
    size_t p = 0, at = 0, star = SIZE_MAX, from = 0;
    if (anchored)
        pattern.len--;
    for (;;) {
        if (p < pattern.len && pattern.data[p] == '*') {
            star = ++p;
            from = at;
        } else if (p == pattern.len && (!anchored || at == path.len)) {
            return true;
        } else if (p < pattern.len && at < path.len && pattern.data[p] == path.data[at]) {
            p++;
            at++;
        } else if (star != SIZE_MAX && from < path.len) {
            p = star;
            at = ++from;
        } else {
            return false;
        }
    }
}

struct verdict {
    size_t len; /* of the rule that counts */
    bool any, allows;
};

/* The longest rule counts; of two that are as long, the one that allows. An empty one says nothing. */
static void weigh(struct verdict *v, const struct line *line, struct bytes target)
{
    char rule[ROBOTS_RULE_MAX];
    struct text r = text_of(rule, sizeof rule);
    bool allows = is(line->key, "allow");
    normalise(line->value, &r);
    if ((!allows && !is(line->key, "disallow")) || line->value.len == 0 || r.failed ||
        !matches(text_bytes(&r), target))
        return;
    if (!v->any || r.len > v->len || (r.len == v->len && allows))
        *v = (struct verdict){r.len, true, allows};
}

bool robots_allow(struct bytes text, const char *product, struct bytes target)
{
    static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
    char path[3 * 8192];
    struct text p = text_of(path, sizeof path);
    struct verdict v = {0};
    struct line line;
    bool in_group = false, agents = false;
    text = bytes_first(text, ROBOTS_MAX);
    if (bytes_equal(bytes_first(text, 3), bytes_of(mark, 3)))
        text = bytes_after(text, 3);
    normalise(target, &p);
    if (p.failed || is(target, "/robots.txt"))
        return !p.failed;
    bool own = has_own_group(text, product);
    while (next_line(&text, &line)) {
        if (is(line.key, "user-agent")) { /* several in a row begin one group */
            bool me = own ? names_product(line.value, product) : is(line.value, "*");
            in_group = agents ? in_group || me : me;
            agents = true;
        } else if (is(line.key, "allow") || is(line.key, "disallow")) {
            agents = false;
            if (in_group)
                weigh(&v, &line, text_bytes(&p));
        }
    }
    return !v.any || v.allows;
}
