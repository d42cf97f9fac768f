/* SPDX-License-Identifier: ISC */
/* dav_if.c - If = ( 1*No-tag-list | 1*Tagged-list ); RFC 4918 §10.4.2. */
#include "wire/http/dav_if.h"

static bool is_space(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static void skip_spaces(struct bytes *rest)
{
    while (rest->len > 0 && is_space(rest->data[0]))
        *rest = bytes_after(*rest, 1);
}

static bool take(struct bytes *rest, char octet)
{
    if (rest->len == 0 || rest->data[0] != (uint8_t)octet)
        return false;
    *rest = bytes_after(*rest, 1);
    return true;
}

/* What stands up to `end`; false: that does not come, or there is nothing before it. */
static bool take_until(struct bytes *rest, char end, struct bytes *out)
{
    size_t len = bytes_find(*rest, (uint8_t)end);
    if (len == 0 || len == rest->len)
        return false;
    *out = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len + 1);
    return true;
}

/* "[" entity-tag "]", of which the tag may hold a bracket between its quotes. */
static bool take_etag(struct bytes *rest, struct bytes *out)
{
    size_t prefix = rest->len > 2 && rest->data[0] == 'W' && rest->data[1] == '/' ? 2 : 0;
    struct bytes quoted = bytes_after(*rest, prefix);
    if (quoted.len < 2 || quoted.data[0] != '"')
        return false;
    size_t end = bytes_find(bytes_after(quoted, 1), '"');
    size_t len = prefix + 1 + end + 1;
    if (len >= rest->len || rest->data[len] != ']')
        return false;
    *out = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len + 1);
    return true;
}

static bool take_not(struct bytes *rest)
{
    if (!bytes_equal_nocase(bytes_first(*rest, 3), bytes_of_text("Not")))
        return false;
    *rest = bytes_after(*rest, 3);
    skip_spaces(rest);
    return true;
}

enum dav_if dav_if_check(struct bytes value,
                         bool (*holds)(void *self, const struct dav_if_condition *condition),
                         void *self)
{
    struct dav_if_condition condition = {.resource = bytes_empty()};
    bool any = false;
    size_t lists = 0;
    skip_spaces(&value);
    while (value.len > 0) {
        if (take(&value, '<')) { /* a resource tag, for the lists that follow */
            if (!take_until(&value, '>', &condition.resource))
                return DAV_IF_MALFORMED;
            skip_spaces(&value);
        }
        if (!take(&value, '('))
            return DAV_IF_MALFORMED;
        bool all = true;
        size_t count = 0;
        skip_spaces(&value);
        while (!take(&value, ')')) {
            condition.negated = take_not(&value);
            condition.is_etag = take(&value, '[');
            bool good = condition.is_etag ? take_etag(&value, &condition.token)
                                          : take(&value, '<') &&
                                                take_until(&value, '>', &condition.token);
            if (!good)
                return DAV_IF_MALFORMED;
            if (all && !any)
                all = holds(self, &condition) != condition.negated;
            count++;
            skip_spaces(&value);
        }
        if (count == 0)
            return DAV_IF_MALFORMED;
        any |= all;
        lists++;
        skip_spaces(&value);
    }
    if (lists == 0)
        return DAV_IF_MALFORMED;
    return any ? DAV_IF_HOLDS : DAV_IF_FAILS;
}
