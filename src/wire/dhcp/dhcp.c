/* SPDX-License-Identifier: ISC */
/*
 * dhcp.c - DHCP messages to and from octets: RFC 2131 §2 for the fixed part, RFC 2132 §2 for
 * options, §9.3 for option overload, RFC 3396 for options in several pieces.
 */
#include "wire/dhcp/dhcp.h"

static const uint8_t magic[4] = {99, 130, 83, 99}; /* RFC 2131 §3 */

enum { OVERLOAD_FILE = 1, OVERLOAD_SNAME = 2 };
enum { PIECE_MAX = 255, AREA_COUNT = 3 };

/* Where options lie, in the order in which RFC 3396 §5 joins their pieces. */
struct areas {
    struct bytes area[AREA_COUNT]; /* options, file, sname */
    size_t count;
};

struct piece {
    uint8_t code;
    struct bytes value;
};

/* The next option of an area that is neither pad nor end. False: no more, or r->failed. */
static bool next_piece(struct reader *r, struct piece *out)
{
    uint8_t code = DHCP_PAD;
    while (code == DHCP_PAD && reader_left(r) > 0)
        code = read_u8(r);
    if (code == DHCP_PAD || code == DHCP_END)
        return false;
    uint8_t len = read_u8(r);
    out->value = read_bytes(r, len);
    out->code = code;
    return !r->failed;
}

static enum wire_status find_areas(struct bytes options, struct bytes file, struct bytes sname,
                                   struct areas *out)
{
    *out = (struct areas){{options}, 1};
    uint8_t overload = 0;
    struct reader r = reader_of(options);
    struct piece piece;
    while (next_piece(&r, &piece)) {
        if (piece.code != DHCP_OVERLOAD)
            continue;
        if (piece.value.len != 1 || overload != 0)
            return WIRE_MALFORMED;
        overload = piece.value.data[0];
        if (overload < 1 || overload > 3)
            return WIRE_MALFORMED;
    }
    if (r.failed)
        return WIRE_TRUNCATED;
    if (overload & OVERLOAD_FILE)
        out->area[out->count++] = file;
    if (overload & OVERLOAD_SNAME)
        out->area[out->count++] = sname;
    return WIRE_OK;
}

/* Makes one entry for each code, in the order of first appearance, as long as all its pieces. */
static enum wire_status count_options(const struct areas *areas, struct dhcp_message *m,
                                      uint8_t index[256])
{
    for (size_t i = 0; i < areas->count; i++) {
        struct reader r = reader_of(areas->area[i]);
        struct piece piece;
        while (next_piece(&r, &piece)) {
            if (piece.code == DHCP_OVERLOAD)
                continue;
            if (index[piece.code] == 0) {
                m->options[m->option_count++].code = piece.code;
                index[piece.code] = (uint8_t)m->option_count;
            }
            struct dhcp_option *option = &m->options[index[piece.code] - 1];
            option->len = (uint16_t)(option->len + piece.value.len);
        }
        if (r.failed)
            return WIRE_TRUNCATED;
    }
    for (size_t i = 0; i < m->option_count; i++) {
        m->options[i].at = m->octets_len;
        m->octets_len = (uint16_t)(m->octets_len + m->options[i].len);
    }
    ASSERT(m->octets_len <= DHCP_OPTIONS_SIZE);
    return WIRE_OK;
}

static void copy_options(const struct areas *areas, struct dhcp_message *m,
                         const uint8_t index[256])
{
    uint16_t filled[DHCP_OPTIONS_MAX] = {0};
    for (size_t i = 0; i < areas->count; i++) {
        struct reader r = reader_of(areas->area[i]);
        struct piece piece;
        while (next_piece(&r, &piece)) {
            if (piece.code == DHCP_OVERLOAD)
                continue;
            size_t at = index[piece.code] - 1u;
            if (piece.value.len > 0)
                memcpy(m->octets + m->options[at].at + filled[at], piece.value.data,
                       piece.value.len);
            filled[at] = (uint16_t)(filled[at] + piece.value.len);
        }
    }
}

static void read_fixed(struct reader *r, struct dhcp_message *m)
{
    m->op = read_u8(r);
    m->htype = read_u8(r);
    m->hlen = read_u8(r);
    m->hops = read_u8(r);
    m->xid = read_u32(r);
    m->secs = read_u16(r);
    m->flags = read_u16(r);
    m->ciaddr = read_u32(r);
    m->yiaddr = read_u32(r);
    m->siaddr = read_u32(r);
    m->giaddr = read_u32(r);
    read_copy(r, m->chaddr, sizeof m->chaddr);
}

enum wire_status dhcp_decode(struct bytes datagram, struct dhcp_message *out)
{
    if (datagram.len > DHCP_MESSAGE_MAX)
        return WIRE_UNSUPPORTED;
    struct dhcp_message m;
    dhcp_message_init(&m);
    struct reader r = reader_of(datagram);
    read_fixed(&r, &m);
    struct bytes sname = read_bytes(&r, DHCP_SNAME_LEN);
    struct bytes file = read_bytes(&r, DHCP_FILE_LEN);
    if (r.failed)
        return WIRE_TRUNCATED;
    if ((m.op != DHCP_BOOTREQUEST && m.op != DHCP_BOOTREPLY) || m.hlen > DHCP_CHADDR_LEN)
        return WIRE_MALFORMED;
    struct bytes cookie = read_bytes(&r, sizeof magic);
    if (!bytes_equal(cookie, bytes_of(magic, sizeof magic)))
        return WIRE_UNSUPPORTED;

    struct areas areas;
    uint8_t index[256] = {0};
    enum wire_status status = find_areas(read_rest(&r), file, sname, &areas);
    if (status == WIRE_OK)
        status = count_options(&areas, &m, index);
    if (status != WIRE_OK)
        return status;
    copy_options(&areas, &m, index);
    bool file_has_options = false;
    bool sname_has_options = false;
    for (size_t i = 1; i < areas.count; i++) {
        file_has_options |= areas.area[i].data == file.data;
        sname_has_options |= areas.area[i].data == sname.data;
    }
    if (!file_has_options)
        memcpy(m.file, file.data, sizeof m.file);
    if (!sname_has_options)
        memcpy(m.sname, sname.data, sizeof m.sname);
    *out = m;
    return WIRE_OK;
}

/* Writes options from *next on, *done octets into that one, as far as the area has room for them
 * and for an end option. An option that fits nowhere whole is split (RFC 3396 §7). */
static void fill_area(const struct dhcp_message *m, struct writer *area, size_t *next, size_t *done)
{
    while (*next < m->option_count) {
        const struct dhcp_option *option = &m->options[*next];
        size_t left = option->len - *done;
        size_t room = writer_room(area) - 1; /* for the end option */
        if (room < 2 || (left > 0 && room < 3))
            break;
        size_t len = left < PIECE_MAX ? left : PIECE_MAX;
        if (len > room - 2)
            len = room - 2;
        write_u8(area, option->code);
        write_u8(area, (uint8_t)len);
        write_copy(area, m->octets + option->at + *done, len);
        *done += len;
        if (*done == option->len) {
            *done = 0;
            ++*next;
        }
    }
    write_u8(area, DHCP_END);
}

static bool all_zero(const uint8_t *octets, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (octets[i] != 0)
            return false;
    return true;
}

static void write_fixed(const struct dhcp_message *m, struct writer *w)
{
    write_u8(w, m->op);
    write_u8(w, m->htype);
    write_u8(w, m->hlen);
    write_u8(w, m->hops);
    write_u32(w, m->xid);
    write_u16(w, m->secs);
    write_u16(w, m->flags);
    write_u32(w, m->ciaddr);
    write_u32(w, m->yiaddr);
    write_u32(w, m->siaddr);
    write_u32(w, m->giaddr);
    write_copy(w, m->chaddr, sizeof m->chaddr);
}

/* The whole message with the areas that `overload` names; false when the options do not fit. */
static bool try_encode(const struct dhcp_message *m, uint8_t overload, struct writer *w)
{
    uint8_t sname[DHCP_SNAME_LEN];
    uint8_t file[DHCP_FILE_LEN];
    memcpy(sname, m->sname, sizeof sname);
    memcpy(file, m->file, sizeof file);
    w->next = w->start;
    write_fixed(m, w);
    write_zeros(w, DHCP_SNAME_LEN + DHCP_FILE_LEN); /* comes when it is known */
    write_copy(w, magic, sizeof magic);
    if (overload != 0) {
        write_u8(w, DHCP_OVERLOAD);
        write_u8(w, 1);
        write_u8(w, overload);
    }
    size_t next = 0;
    size_t done = 0;
    fill_area(m, w, &next, &done);
    if (overload & OVERLOAD_FILE) {
        struct writer area = writer_of(file, sizeof file);
        fill_area(m, &area, &next, &done);
    }
    if (overload & OVERLOAD_SNAME) {
        struct writer area = writer_of(sname, sizeof sname);
        fill_area(m, &area, &next, &done);
    }
    if (next < m->option_count)
        return false;
    memcpy(w->start + DHCP_HEADER_LEN - sizeof file - sizeof sname, sname, sizeof sname);
    memcpy(w->start + DHCP_HEADER_LEN - sizeof file, file, sizeof file);
    return true;
}

enum wire_status dhcp_encode(const struct dhcp_message *message, size_t size_max, struct writer *w)
{
    ASSERT(size_max >= DHCP_MESSAGE_MIN && size_max <= DHCP_MESSAGE_MAX);
    if (message->overflow)
        return WIRE_NO_ROOM;
    bool file_free = all_zero(message->file, sizeof message->file);
    bool sname_free = all_zero(message->sname, sizeof message->sname);
    uint8_t buffer[DHCP_MESSAGE_MAX];
    struct writer whole = writer_of(buffer, size_max);
    bool fits = try_encode(message, 0, &whole);
    if (!fits && file_free)
        fits = try_encode(message, OVERLOAD_FILE, &whole);
    if (!fits && sname_free)
        fits = try_encode(message, file_free ? OVERLOAD_FILE | OVERLOAD_SNAME : OVERLOAD_SNAME,
                          &whole);
    if (!fits)
        return WIRE_NO_ROOM;
    ASSERT(!whole.failed);
    if (writer_len(&whole) < DHCP_MESSAGE_MIN)
        write_zeros(&whole, DHCP_MESSAGE_MIN - writer_len(&whole));
    if (w->failed || writer_room(w) < writer_len(&whole))
        return WIRE_NO_ROOM;
    write_bytes(w, writer_bytes(&whole));
    return WIRE_OK;
}

void dhcp_message_init(struct dhcp_message *message)
{
    /* The storage of options is left as it is: nobody reads beyond octets_len and option_count, but
     * `len` of an option is added to while decoding. */
    memset(message, 0, offsetof(struct dhcp_message, octets));
}

bool dhcp_find(const struct dhcp_message *message, uint8_t code, struct bytes *out)
{
    for (size_t i = 0; i < message->option_count; i++)
        if (message->options[i].code == code) {
            *out = bytes_of(message->octets + message->options[i].at, message->options[i].len);
            return true;
        }
    return false;
}

bool dhcp_has(const struct dhcp_message *message, uint8_t code)
{
    struct bytes ignored;
    return dhcp_find(message, code, &ignored);
}

bool dhcp_find_u8(const struct dhcp_message *message, uint8_t code, uint8_t *out)
{
    struct bytes value;
    if (!dhcp_find(message, code, &value) || value.len != 1)
        return false;
    *out = value.data[0];
    return true;
}

bool dhcp_find_u16(const struct dhcp_message *message, uint8_t code, uint16_t *out)
{
    struct bytes value;
    if (!dhcp_find(message, code, &value) || value.len != 2)
        return false;
    struct reader r = reader_of(value);
    *out = read_u16(&r);
    return true;
}

bool dhcp_find_u32(const struct dhcp_message *message, uint8_t code, uint32_t *out)
{
    struct bytes value;
    if (!dhcp_find(message, code, &value) || value.len != 4)
        return false;
    struct reader r = reader_of(value);
    *out = read_u32(&r);
    return true;
}

size_t dhcp_find_addresses(const struct dhcp_message *message, uint8_t code, uint32_t *out,
                           size_t max)
{
    struct bytes value;
    if (!dhcp_find(message, code, &value) || value.len % 4 != 0)
        return 0;
    struct reader r = reader_of(value);
    size_t count = 0;
    while (count < max && reader_left(&r) > 0)
        out[count++] = read_u32(&r);
    return count;
}

uint8_t dhcp_message_type(const struct dhcp_message *message)
{
    uint8_t type = DHCP_NO_TYPE;
    (void)dhcp_find_u8(message, DHCP_MESSAGE_TYPE, &type);
    return type;
}

void dhcp_put(struct dhcp_message *message, uint8_t code, struct bytes value)
{
    ASSERT(code != DHCP_PAD && code != DHCP_END && code != DHCP_OVERLOAD);
    ASSERT(!dhcp_has(message, code));
    if (value.len > (size_t)DHCP_OPTIONS_SIZE - message->octets_len) {
        message->overflow = true;
        return;
    }
    message->options[message->option_count++] =
        (struct dhcp_option){message->octets_len, (uint16_t)value.len, code};
    if (value.len > 0)
        memcpy(message->octets + message->octets_len, value.data, value.len);
    message->octets_len = (uint16_t)(message->octets_len + value.len);
}

void dhcp_put_u8(struct dhcp_message *message, uint8_t code, uint8_t value)
{
    dhcp_put(message, code, bytes_of(&value, 1));
}

void dhcp_put_u16(struct dhcp_message *message, uint8_t code, uint16_t value)
{
    uint8_t octets[2];
    struct writer w = writer_of(octets, sizeof octets);
    write_u16(&w, value);
    dhcp_put(message, code, writer_bytes(&w));
}

void dhcp_put_u32(struct dhcp_message *message, uint8_t code, uint32_t value)
{
    uint8_t octets[4];
    struct writer w = writer_of(octets, sizeof octets);
    write_u32(&w, value);
    dhcp_put(message, code, writer_bytes(&w));
}

static const char *const type_texts[] = {
    [DHCP_NO_TYPE] = "BOOTP", [DHCP_DISCOVER] = "DISCOVER", [DHCP_OFFER] = "OFFER",
    [DHCP_REQUEST] = "REQUEST", [DHCP_DECLINE] = "DECLINE", [DHCP_ACK] = "ACK",
    [DHCP_NAK] = "NAK", [DHCP_RELEASE] = "RELEASE", [DHCP_INFORM] = "INFORM",
};
_Static_assert(ARRAY_LEN(type_texts) == DHCP_INFORM + 1, "one text per type");

const char *dhcp_type_text(uint8_t type)
{
    return type < ARRAY_LEN(type_texts) ? type_texts[type] : "unknown";
}
