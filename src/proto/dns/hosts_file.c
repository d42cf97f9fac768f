/* SPDX-License-Identifier: ISC */
/* hosts_file.c - hosts(5). */
#include "proto/dns/hosts_file.h"

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct bytes next_word(struct bytes *rest)
{
    size_t start = 0;
    while (start < rest->len && is_blank(rest->data[start]))
        start++;
    *rest = bytes_after(*rest, start);
    size_t len = 0;
    while (len < rest->len && !is_blank(rest->data[len]))
        len++;
    struct bytes word = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len);
    return word;
}

static bool read_line(struct bytes line, struct hosts_line *out)
{
    line = bytes_first(line, bytes_find(line, '#'));
    struct bytes address = next_word(&line);
    out->name = next_word(&line);
    out->aliases = line;
    return out->name.len > 0 && address_parse(address, &out->address);
}

bool hosts_next(struct bytes *rest, struct hosts_line *out)
{
    while (rest->len > 0) {
        size_t end = bytes_find(*rest, '\n');
        struct bytes line = bytes_first(*rest, end);
        *rest = bytes_after(*rest, end + 1);
        if (read_line(line, out))
            return true;
    }
    return false;
}

static struct bytes without_dot(struct bytes name)
{
    bool dot = name.len > 1 && name.data[name.len - 1] == '.';
    return bytes_first(name, name.len - dot);
}

bool hosts_has(const struct hosts_line *line, struct bytes name)
{
    name = without_dot(name);
    if (bytes_equal_nocase(without_dot(line->name), name))
        return true;
    struct bytes rest = line->aliases;
    for (struct bytes word = next_word(&rest); word.len > 0; word = next_word(&rest))
        if (bytes_equal_nocase(without_dot(word), name))
            return true;
    return false;
}
