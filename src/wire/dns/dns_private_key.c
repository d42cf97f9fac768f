/* SPDX-License-Identifier: ISC */
/* dns_private_key.c - lines of a private key's file from and to text. */
#include "wire/dns/dns_private_key.h"

#include "base/encoding.h"
#include "wire/dns/dns_token.h"

enum { FORMAT_MAJOR = 1, PART_LEN_MAX = 512 };

static const char *const part_names[] = {
    [DNS_KEY_MODULUS] = "Modulus",
    [DNS_KEY_PUBLIC_EXPONENT] = "PublicExponent",
    [DNS_KEY_PRIVATE_EXPONENT] = "PrivateExponent",
    [DNS_KEY_PRIME1] = "Prime1",
    [DNS_KEY_PRIME2] = "Prime2",
    [DNS_KEY_EXPONENT1] = "Exponent1",
    [DNS_KEY_EXPONENT2] = "Exponent2",
    [DNS_KEY_COEFFICIENT] = "Coefficient",
    [DNS_KEY_PRIVATE] = "PrivateKey",
};
_Static_assert(ARRAY_LEN(part_names) == DNS_KEY_PART_COUNT, "one name per part");

static const char *const time_names[] = {
    [DNS_KEY_CREATED] = "Created",
    [DNS_KEY_PUBLISH] = "Publish",
    [DNS_KEY_ACTIVATE] = "Activate",
    [DNS_KEY_REVOKE] = "Revoke",
    [DNS_KEY_INACTIVE] = "Inactive",
    [DNS_KEY_DELETE] = "Delete",
    [DNS_KEY_DS_PUBLISH] = "DSPublish",
    [DNS_KEY_SYNC_PUBLISH] = "SyncPublish",
    [DNS_KEY_SYNC_DELETE] = "SyncDelete",
};
_Static_assert(ARRAY_LEN(time_names) == DNS_KEY_TIME_COUNT, "one name per time");

const char *dns_key_time_name(enum dns_key_time time)
{
    return time_names[time];
}

/* ---- algorithms ---- */

static const struct {
    uint8_t number;
    const char *name;
} algorithms[] = {
    {8, "RSASHA256"},        {10, "RSASHA512"}, {13, "ECDSAP256SHA256"},
    {14, "ECDSAP384SHA384"}, {15, "ED25519"},   {16, "ED448"},
};

const char *dns_algorithm_name(uint8_t algorithm)
{
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (algorithms[i].number == algorithm)
            return algorithms[i].name;
    return NULL;
}

bool dns_algorithm_parse(struct bytes text, uint8_t *out)
{
    uint64_t number;
    if (text_parse_number(text, UINT8_MAX, &number) &&
        dns_algorithm_name((uint8_t)number) != NULL) {
        *out = (uint8_t)number;
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
        if (bytes_equal_nocase(text, bytes_of_text(algorithms[i].name))) {
            *out = algorithms[i].number;
            return true;
        }
    return false;
}

/* ---- decoding ---- */

struct line {
    struct bytes name;
    struct bytes value;
};

/* False: there is none left. What has no colon has no name. */
static bool next_line(struct bytes *rest, struct line *out)
{
    if (rest->len == 0)
        return false;
    size_t end = bytes_find(*rest, '\n');
    struct bytes line = bytes_first(*rest, end);
    *rest = bytes_after(*rest, end + 1);
    if (line.len > 0 && line.data[line.len - 1] == '\r')
        line.len--;
    size_t colon = bytes_find(line, ':');
    out->name = text_trim(bytes_first(line, colon));
    out->value = text_trim(bytes_after(line, colon + 1));
    return true;
}

static bool is_named(const struct line *line, const char *name)
{
    return bytes_equal_nocase(line->name, bytes_of_text(name));
}

static int find(const struct line *line, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_named(line, names[i]))
            return (int)i;
    return -1;
}

/* "v1.3": any minor number will do, as new ones only add lines. */
static bool is_format(struct bytes value)
{
    uint64_t major, minor;
    size_t dot = bytes_find(value, '.');
    return value.len > 1 && value.data[0] == 'v' &&
           text_parse_number(bytes_after(bytes_first(value, dot), 1), 99, &major) &&
           text_parse_number(bytes_after(value, dot + 1), 99, &minor) && major == FORMAT_MAJOR;
}

/* "13 (ECDSAP256SHA256)" */
static bool take_algorithm(struct bytes value, uint8_t *out)
{
    uint64_t number;
    if (!text_parse_number(bytes_first(value, bytes_find(value, ' ')), UINT8_MAX, &number) ||
        number == 0)
        return false;
    *out = (uint8_t)number;
    return true;
}

static bool take_part(struct bytes value, struct writer *w, struct bytes *out)
{
    size_t at = writer_len(w);
    if (out->len > 0 || !encoding_decode(ENCODING_BASE64, value, w) || w->failed)
        return false;
    *out = bytes_after(writer_bytes(w), at);
    return out->len > 0 && out->len <= PART_LEN_MAX;
}

static bool take_number(struct bytes value, uint64_t max, uint64_t *out)
{
    return text_parse_number(value, max, out);
}

static const char *take_tag(const struct line *line, struct dns_private_key *key)
{
    uint64_t number = 0;
    bool predecessor = is_named(line, "Predecessor");
    bool successor = is_named(line, "Successor");
    bool max_ttl = is_named(line, "MaxTTL");
    bool roll_period = is_named(line, "RollPeriod");
    if (!predecessor && !successor && !max_ttl && !roll_period)
        return NULL;
    if (!take_number(line->value, predecessor || successor ? UINT16_MAX : UINT32_MAX, &number))
        return "a number that is none";
    if (predecessor)
        key->predecessor = (uint16_t)number;
    if (successor)
        key->successor = (uint16_t)number;
    if (max_ttl)
        key->max_ttl = (uint32_t)number;
    if (roll_period)
        key->roll_period = (uint32_t)number;
    key->has_predecessor |= predecessor;
    key->has_successor |= successor;
    return NULL;
}

static const char *take_line(const struct line *line, struct writer *w, struct dns_private_key *key)
{
    int part = find(line, part_names, ARRAY_LEN(part_names));
    int time = find(line, time_names, ARRAY_LEN(time_names));
    if (is_named(line, "Algorithm"))
        return take_algorithm(line->value, &key->algorithm) ? NULL : "not the number of an algorithm";
    if (part >= 0)
        return take_part(line->value, w, &key->parts[part]) ? NULL : "a part that is not base64";
    if (time >= 0)
        return dns_parse_date(line->value, &key->times[time]) ? NULL
                                                              : "a time that is not YYYYMMDDHHmmSS";
    return take_tag(line, key);
}

static bool has_parts(const struct dns_private_key *key)
{
    if (key->parts[DNS_KEY_PRIVATE].len > 0)
        return true;
    for (size_t i = 0; i < DNS_KEY_PRIVATE; i++)
        if (key->parts[i].len == 0)
            return false;
    return true;
}

bool dns_private_key_decode(struct bytes text, struct writer *w, struct dns_private_key *out,
                            const char **error)
{
    struct dns_private_key key = {0};
    struct line line;
    for (size_t i = 0; i < DNS_KEY_PART_COUNT; i++)
        key.parts[i] = bytes_empty();
    *error = NULL;
    if (text.len > DNS_PRIVATE_KEY_TEXT_MAX)
        *error = "too long for a private key";
    else if (!next_line(&text, &line) || !is_named(&line, "Private-key-format") ||
             !is_format(line.value))
        *error = "expected \"Private-key-format: v1.3\"";
    while (*error == NULL && next_line(&text, &line))
        *error = take_line(&line, w, &key);
    if (*error == NULL && key.algorithm == 0)
        *error = "no algorithm";
    if (*error == NULL && !has_parts(&key))
        *error = "parts of the key are missing";
    if (*error != NULL)
        return false;
    *out = key;
    return true;
}

/* ---- writing ---- */

void dns_private_key_format(const struct dns_private_key *key, struct text *out)
{
    const char *name = dns_algorithm_name(key->algorithm);
    text_add_format(out, "Private-key-format: v1.3\nAlgorithm: %u (%s)\n", (unsigned)key->algorithm,
                    name != NULL ? name : "?");
    for (size_t i = 0; i < DNS_KEY_PART_COUNT; i++) {
        if (key->parts[i].len == 0)
            continue;
        text_add_format(out, "%s: ", part_names[i]);
        encoding_format(ENCODING_BASE64, key->parts[i], out);
        text_add(out, "\n");
    }
    for (size_t i = 0; i < DNS_KEY_TIME_COUNT; i++) {
        if (key->times[i] == 0)
            continue;
        text_add_format(out, "%s: ", time_names[i]);
        dns_format_date(key->times[i], out);
        text_add(out, "\n");
    }
    if (key->has_predecessor)
        text_add_format(out, "Predecessor: %u\n", (unsigned)key->predecessor);
    if (key->has_successor)
        text_add_format(out, "Successor: %u\n", (unsigned)key->successor);
    if (key->max_ttl > 0)
        text_add_format(out, "MaxTTL: %lu\n", (unsigned long)key->max_ttl);
    if (key->roll_period > 0)
        text_add_format(out, "RollPeriod: %lu\n", (unsigned long)key->roll_period);
}
