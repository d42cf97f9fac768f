/* SPDX-License-Identifier: ISC */
/* dns_record_text.c - whole records as lines of master files (RFC 1035 §5.1). */
#include "wire/dns/dns_record.h"
#include "wire/dns/dns_token.h"

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static bool parse_class(struct bytes text, uint16_t *out)
{
    if (bytes_equal_nocase(text, bytes_of_text("IN")))
        *out = DNS_IN;
    else if (bytes_equal_nocase(text, bytes_of_text("CH")))
        *out = DNS_CH;
    else if (bytes_equal_nocase(text, bytes_of_text("HS")))
        *out = DNS_HS;
    else {
        uint64_t number; /* RFC 3597 §5 */
        if (!bytes_equal_nocase(bytes_first(text, 5), bytes_of_text("CLASS")) ||
            !text_parse_number(bytes_after(text, 5), UINT16_MAX, &number))
            return false;
        *out = (uint16_t)number;
    }
    return true;
}

static bool parse_owner(struct bytes *rest, const struct dns_line_context *context,
                        struct dns_name *out, struct dns_error *error)
{
    struct dns_token token;
    if (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        if (context->owner == NULL)
            return dns_complain(error, "no owner name", bytes_empty());
        *out = *context->owner;
        return true;
    }
    if (dns_token_next(rest, &token) != DNS_TOKEN_WORD)
        return dns_complain(error, "no owner name", bytes_empty());
    if (token.quoted || !dns_name_parse(token.text, context->origin, out))
        return dns_complain(error, "not a domain name", token.text);
    return true;
}

bool dns_record_parse(struct bytes line, const struct dns_line_context *context,
                      struct writer *buffer, struct dns_record *out, struct dns_error *error)
{
    struct dns_record record = {.class = context->class, .ttl = context->ttl};
    if (record.class == 0)
        record.class = DNS_IN;
    struct bytes rest = line;
    if (!parse_owner(&rest, context, &record.owner, error))
        return false;

    /* TTL and class come in either order, each at most once (§5.1). */
    bool have_class = false;
    struct dns_token token;
    for (;;) {
        if (dns_token_next(&rest, &token) != DNS_TOKEN_WORD || token.quoted)
            return dns_complain(error, "no record type", bytes_empty());
        if (!have_class && parse_class(token.text, &record.class))
            have_class = true;
        else if (!record.ttl_given && token.text.len > 0 && is_digit(token.text.data[0]) &&
                 dns_parse_seconds(token.text, &record.ttl))
            record.ttl_given = true;
        else
            break;
    }
    if (!dns_type_parse(token.text, &record.type))
        return dns_complain(error, "not a record type", token.text);
    if (!dns_type_is_data(record.type))
        return dns_complain(error, "not a type that a zone can hold", token.text);
    if (record.ttl > DNS_TTL_MAX)
        return dns_complain(error, "the TTL is too large", bytes_empty());
    size_t at = writer_len(buffer);
    if (!dns_rdata_parse(record.type, rest, context->origin, buffer, error))
        return false;
    record.rdata = bytes_after(writer_bytes(buffer), at);
    *out = record;
    return true;
}

void dns_record_format(const struct dns_record *record, struct text *out)
{
    char name[DNS_NAME_TEXT_MAX];
    char type[DNS_TYPE_TEXT_MAX];
    const char *class = record->class == DNS_IN   ? "IN"
                        : record->class == DNS_CH ? "CH"
                        : record->class == DNS_HS ? "HS"
                                                  : NULL;
    text_add_format(out, "%s %lu ", dns_name_format(&record->owner, name),
                    (unsigned long)record->ttl);
    if (class != NULL)
        text_add_format(out, "%s ", class);
    else
        text_add_format(out, "CLASS%u ", (unsigned)record->class);
    text_add_format(out, "%s ", dns_type_format(record->type, type));
    dns_rdata_format(record->type, record->rdata, out);
}
