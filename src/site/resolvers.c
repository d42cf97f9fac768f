/* SPDX-License-Identifier: ISC */
/* resolvers.c - reads resolv.conf(5): lines "nameserver ADDRESS". */
#include "site/resolvers.h"

#include <stdlib.h>

#include "base/text.h"
#include "os/file.h"

enum { RESOLV_CONF_MAX = 64 * 1024, DNS_PORT = 53 };

static bool known(const struct endpoint *list, size_t count, const struct endpoint *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (endpoint_equal(&list[i], wanted))
            return true;
    return false;
}

/* The word after the keyword; empty for any other line. */
static struct bytes nameserver_of(struct bytes line)
{
    static const char keyword[] = "nameserver";
    size_t len = sizeof keyword - 1;
    line = text_trim(line);
    if (!bytes_equal(bytes_first(line, len), bytes_of_text(keyword)) || line.len <= len ||
        (line.data[len] != ' ' && line.data[len] != '\t'))
        return bytes_empty();
    struct bytes word = text_trim(bytes_after(line, len));
    size_t space = bytes_find(word, ' ');
    size_t tab = bytes_find(word, '\t');
    return bytes_first(word, space < tab ? space : tab);
}

size_t resolvers_parse(struct bytes content, struct endpoint *out, size_t max)
{
    size_t count = 0;
    while (content.len > 0 && count < max) {
        size_t end = bytes_find(content, '\n');
        struct bytes line = bytes_first(content, end);
        content = bytes_after(content, end + 1);
        if (line.len > 0 && line.data[line.len - 1] == '\r')
            line = bytes_first(line, line.len - 1);
        struct endpoint resolver = {.port = DNS_PORT};
        struct bytes word = nameserver_of(line);
        if (word.len > 0 && address_parse(word, &resolver.address) &&
            !address_is_any(&resolver.address) && !known(out, count, &resolver))
            out[count++] = resolver;
    }
    return count;
}

size_t resolvers_of_host(struct endpoint *out, size_t max)
{
    char *content;
    size_t len;
    if (file_read("/etc/resolv.conf", RESOLV_CONF_MAX, &content, &len) < 0)
        return 0;
    size_t count = resolvers_parse(bytes_of(content, len), out, max);
    free(content);
    return count;
}
