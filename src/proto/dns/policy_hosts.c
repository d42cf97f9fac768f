/* SPDX-License-Identifier: ISC */
/* policy_hosts.c - a hosts file (hosts(5)) as rules: names have those addresses, and addresses the first of
 * their names. */
#include "base/text.h"
#include "proto/dns/policy.h"

static struct bytes next_word(struct bytes *rest)
{
    size_t at = 0, len = 0;
    while (at < rest->len && (rest->data[at] == ' ' || rest->data[at] == '\t' || rest->data[at] == '\r'))
        at++;
    *rest = bytes_after(*rest, at);
    while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t' &&
           rest->data[len] != '\r')
        len++;
    struct bytes word = bytes_first(*rest, len);
    *rest = bytes_after(*rest, len);
    return word;
}

static enum policy_result add(struct policy *policy, const struct dns_name *owner, uint16_t type,
                              struct bytes rdata, uint32_t ttl)
{
    struct dns_record record = {.owner = *owner, .type = type, .class = DNS_IN, .ttl = ttl,
                                .rdata = rdata};
    return policy_add(policy, &record);
}

/* One line: false, and it is neither empty nor one of a hosts file. */
static bool add_line(struct policy *policy, struct bytes line, uint32_t ttl,
                     enum policy_result *result)
{
    struct ip_address address;
    struct dns_name name, reverse;
    line = bytes_first(line, bytes_find(line, '#'));
    struct bytes word = next_word(&line);
    *result = POLICY_OK;
    if (word.len == 0)
        return true;
    if (!address_parse(word, &address))
        return false;
    bool v4 = address_is_v4(&address);
    struct bytes rdata = v4 ? bytes_of(address.octets + 12, 4) : bytes_of(address.octets, 16);
    dns_name_reverse(&address, &reverse);
    for (bool first = true; (word = next_word(&line)).len > 0; first = false) {
        if (!dns_name_parse(word, NULL, &name) || dns_name_is_root(&name))
            return false;
        *result = add(policy, &name, v4 ? DNS_A : DNS_AAAA, rdata, ttl);
        if (*result == POLICY_OK && first && !address_is_any(&address))
            *result = add(policy, &reverse, DNS_PTR, dns_name_bytes(&name), ttl);
        if (*result != POLICY_OK)
            return true;
    }
    return true;
}

enum policy_result policy_add_hosts(struct policy *policy, struct bytes file, uint32_t ttl,
                                    unsigned *line)
{
    enum policy_result result = POLICY_OK;
    for (*line = 1; file.len > 0 && result == POLICY_OK; ++*line) {
        size_t end = bytes_find(file, '\n');
        if (!add_line(policy, bytes_first(file, end), ttl, &result))
            return POLICY_WRONG;
        if (result == POLICY_OK && end == file.len)
            break;
        if (result == POLICY_OK)
            file = bytes_after(file, end + 1);
        else
            break;
    }
    return result;
}
