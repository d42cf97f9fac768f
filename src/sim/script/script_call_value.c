/* SPDX-License-Identifier: ISC */
/* script_call_value.c - the arguments of system calls as numbers and addresses. */
#include "sim/script/script_play.h"

const struct script_value *play_argument(const struct play_call *call, unsigned index)
{
    const struct script_value *value = call->call->arguments;
    while (index > 0 && value != NULL) {
        value = value->next;
        index--;
    }
    return value;
}

static bool call_number(struct play *p, const struct script_value *value, int64_t *out)
{
    bool swap = bytes_equal(value->text, bytes_of_text("htons"));
    struct ip_address address;
    if (swap && value->count == 1) {
        if (!play_value_number(p, value->first, out))
            return false;
        uint8_t octets[2] = {(uint8_t)(*out >> 8), (uint8_t)*out};
        uint16_t number;
        memcpy(&number, octets, sizeof number);
        *out = number;
        return true;
    }
    if (bytes_equal(value->text, bytes_of_text("inet_addr")) && value->count == 1 &&
        value->first->kind == SCRIPT_VALUE_STRING && address_parse(value->first->text, &address) &&
        address_is_v4(&address)) {
        uint32_t number;
        memcpy(&number, address.octets + 12, sizeof number);
        *out = number;
        return true;
    }
    return play_wrong(p, "%.*s(): not understood here", (int)value->text.len,
                      (const char *)value->text.data);
}

bool play_value_number(struct play *p, const struct script_value *value, int64_t *out)
{
    if (value != NULL && value->kind == SCRIPT_VALUE_INTEGER) {
        *out = value->number;
        return true;
    }
    if (value != NULL && value->kind == SCRIPT_VALUE_WORD) {
        if (script_symbol(value->text, out))
            return true;
        return play_wrong(p, "nothing is called %.*s", (int)value->text.len,
                          (const char *)value->text.data);
    }
    if (value != NULL && value->kind == SCRIPT_VALUE_OR) {
        int64_t left, right;
        if (!play_value_number(p, value->first, &left) ||
            !play_value_number(p, value->first->next, &right))
            return false;
        *out = left | right;
        return true;
    }
    if (value != NULL && value->kind == SCRIPT_VALUE_CALL)
        return call_number(p, value, out);
    return play_wrong(p, "a number is expected");
}

bool play_argument_number(struct play *p, const struct play_call *call, unsigned index,
                          int64_t *out)
{
    return play_value_number(p, play_argument(call, index), out);
}

bool play_argument_int(struct play *p, const struct play_call *call, unsigned index, int *out)
{
    int64_t number;
    if (!play_argument_number(p, call, index, &number))
        return false;
    if (number < INT32_MIN || number > UINT32_MAX)
        return play_wrong(p, "a number of 32 bits is expected");
    *out = (int)(uint32_t)number;
    return true;
}

const struct script_value *play_field(const struct script_value *value, const char *name)
{
    if (value == NULL || value->kind != SCRIPT_VALUE_STRUCT)
        return NULL;
    for (const struct script_value *field = value->first; field != NULL; field = field->next)
        if (bytes_equal(field->name, bytes_of_text(name)))
            return field;
    return NULL;
}

static void put_address(struct play_call *call, const struct endpoint *endpoint)
{
    struct wn_sockaddr_in in = {.sin_family = WN_AF_INET};
    uint8_t port[2] = {(uint8_t)(endpoint->port >> 8), (uint8_t)endpoint->port};
    memcpy(&in.sin_port, port, sizeof port);
    memcpy(&in.sin_addr, endpoint->address.octets + 12, 4);
    memcpy(call->option, &in, sizeof in);
    call->option_len = sizeof in;
}

bool play_argument_address(struct play *p, const struct script_value *value,
                           const struct endpoint *standard, struct play_call *call)
{
    const struct script_value *port = play_field(value, "sin_port");
    const struct script_value *address = play_field(value, "sin_addr");
    int64_t number;
    if (value != NULL && value->kind == SCRIPT_VALUE_ELLIPSIS) {
        put_address(call, standard);
        return true;
    }
    struct wn_sockaddr_in in = {.sin_family = WN_AF_INET};
    if (port != NULL && address != NULL) {
        if (!play_value_number(p, port, &number))
            return false;
        in.sin_port = (uint16_t)number;
        if (!play_value_number(p, address, &number))
            return false;
        in.sin_addr.s_addr = (uint32_t)number;
    } else {
        if (!play_value_number(p, value, &number))
            return false;
        in.sin_family = (uint16_t)number; /* AF_UNSPEC, to dissolve an association */
    }
    memcpy(call->option, &in, sizeof in);
    call->option_len = sizeof in;
    return true;
}

static void format_all(const struct script_value *value, struct text *out)
{
    for (value = value->first; value != NULL; value = value->next) {
        if (value->name.len > 0) {
            text_add_bytes(out, value->name);
            text_add(out, "=");
        }
        play_value_format(value, out);
        if (value->next != NULL)
            text_add(out, ", ");
    }
}

void play_value_format(const struct script_value *value, struct text *out)
{
    switch (value->kind) {
    case SCRIPT_VALUE_ELLIPSIS:
        text_add(out, "...");
        break;
    case SCRIPT_VALUE_INTEGER:
        text_add_format(out, "%lld", (long long)value->number);
        break;
    case SCRIPT_VALUE_WORD:
        text_add_bytes(out, value->text);
        break;
    case SCRIPT_VALUE_STRING:
        text_add_format(out, "\"%zu octets\"", value->text.len);
        break;
    case SCRIPT_VALUE_LIST:
        text_add(out, "[");
        format_all(value, out);
        text_add(out, "]");
        break;
    case SCRIPT_VALUE_STRUCT:
        text_add(out, "{");
        format_all(value, out);
        text_add(out, "}");
        break;
    case SCRIPT_VALUE_OR:
        play_value_format(value->first, out);
        text_add(out, "|");
        play_value_format(value->first->next, out);
        break;
    case SCRIPT_VALUE_ASSIGN:
        text_add_bytes(out, value->text);
        text_add(out, "=");
        play_value_format(value->first, out);
        break;
    case SCRIPT_VALUE_CALL:
        text_add_bytes(out, value->text);
        text_add(out, "(");
        format_all(value, out);
        text_add(out, ")");
        break;
    }
}
