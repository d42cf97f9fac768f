/* SPDX-License-Identifier: ISC */
/*
 * hpack_huffman.c - the Huffman code of RFC 7541, Appendix B. It is a canonical one: codes of a length follow
 * one another in the order of their octets, and those of the next length follow them. So a code of up to eight
 * bits, which is what most text is made of, is found in one table by its first octet, and a longer one by the
 * length whose codes it lies among.
 */
#include "wire/http/hpack_huffman.h"

enum { PADDING_MAX = 7 };

struct code {
    uint32_t bits; /* the last `len` of them */
    uint8_t len;
};

struct short_code {
    uint8_t octet;
    uint8_t len; /* 0: the code is longer than eight bits */
};

/* Codes of one length, moved to the left of 32 bits. */
struct length {
    uint8_t len;
    uint32_t first;
    uint64_t end;   /* behind the last one */
    uint8_t offset; /* of the first one's octet in longer[] */
};

static const struct code codes[256] = {
    {0x1ff8, 13}, {0x7fffd8, 23}, {0xfffffe2, 28}, {0xfffffe3, 28}, {0xfffffe4, 28},
    {0xfffffe5, 28}, {0xfffffe6, 28}, {0xfffffe7, 28}, {0xfffffe8, 28}, {0xffffea, 24},
    {0x3ffffffc, 30}, {0xfffffe9, 28}, {0xfffffea, 28}, {0x3ffffffd, 30}, {0xfffffeb, 28},
    {0xfffffec, 28}, {0xfffffed, 28}, {0xfffffee, 28}, {0xfffffef, 28}, {0xffffff0, 28},
    {0xffffff1, 28}, {0xffffff2, 28}, {0x3ffffffe, 30}, {0xffffff3, 28}, {0xffffff4, 28},
    {0xffffff5, 28}, {0xffffff6, 28}, {0xffffff7, 28}, {0xffffff8, 28}, {0xffffff9, 28},
    {0xffffffa, 28}, {0xffffffb, 28}, {0x14, 6}, {0x3f8, 10}, {0x3f9, 10},
    {0xffa, 12}, {0x1ff9, 13}, {0x15, 6}, {0xf8, 8}, {0x7fa, 11},
    {0x3fa, 10}, {0x3fb, 10}, {0xf9, 8}, {0x7fb, 11}, {0xfa, 8},
    {0x16, 6}, {0x17, 6}, {0x18, 6}, {0x0, 5}, {0x1, 5},
    {0x2, 5}, {0x19, 6}, {0x1a, 6}, {0x1b, 6}, {0x1c, 6},
    {0x1d, 6}, {0x1e, 6}, {0x1f, 6}, {0x5c, 7}, {0xfb, 8},
    {0x7ffc, 15}, {0x20, 6}, {0xffb, 12}, {0x3fc, 10}, {0x1ffa, 13},
    {0x21, 6}, {0x5d, 7}, {0x5e, 7}, {0x5f, 7}, {0x60, 7},
    {0x61, 7}, {0x62, 7}, {0x63, 7}, {0x64, 7}, {0x65, 7},
    {0x66, 7}, {0x67, 7}, {0x68, 7}, {0x69, 7}, {0x6a, 7},
    {0x6b, 7}, {0x6c, 7}, {0x6d, 7}, {0x6e, 7}, {0x6f, 7},
    {0x70, 7}, {0x71, 7}, {0x72, 7}, {0xfc, 8}, {0x73, 7},
    {0xfd, 8}, {0x1ffb, 13}, {0x7fff0, 19}, {0x1ffc, 13}, {0x3ffc, 14},
    {0x22, 6}, {0x7ffd, 15}, {0x3, 5}, {0x23, 6}, {0x4, 5},
    {0x24, 6}, {0x5, 5}, {0x25, 6}, {0x26, 6}, {0x27, 6},
    {0x6, 5}, {0x74, 7}, {0x75, 7}, {0x28, 6}, {0x29, 6},
    {0x2a, 6}, {0x7, 5}, {0x2b, 6}, {0x76, 7}, {0x2c, 6},
    {0x8, 5}, {0x9, 5}, {0x2d, 6}, {0x77, 7}, {0x78, 7},
    {0x79, 7}, {0x7a, 7}, {0x7b, 7}, {0x7ffe, 15}, {0x7fc, 11},
    {0x3ffd, 14}, {0x1ffd, 13}, {0xffffffc, 28}, {0xfffe6, 20}, {0x3fffd2, 22},
    {0xfffe7, 20}, {0xfffe8, 20}, {0x3fffd3, 22}, {0x3fffd4, 22}, {0x3fffd5, 22},
    {0x7fffd9, 23}, {0x3fffd6, 22}, {0x7fffda, 23}, {0x7fffdb, 23}, {0x7fffdc, 23},
    {0x7fffdd, 23}, {0x7fffde, 23}, {0xffffeb, 24}, {0x7fffdf, 23}, {0xffffec, 24},
    {0xffffed, 24}, {0x3fffd7, 22}, {0x7fffe0, 23}, {0xffffee, 24}, {0x7fffe1, 23},
    {0x7fffe2, 23}, {0x7fffe3, 23}, {0x7fffe4, 23}, {0x1fffdc, 21}, {0x3fffd8, 22},
    {0x7fffe5, 23}, {0x3fffd9, 22}, {0x7fffe6, 23}, {0x7fffe7, 23}, {0xffffef, 24},
    {0x3fffda, 22}, {0x1fffdd, 21}, {0xfffe9, 20}, {0x3fffdb, 22}, {0x3fffdc, 22},
    {0x7fffe8, 23}, {0x7fffe9, 23}, {0x1fffde, 21}, {0x7fffea, 23}, {0x3fffdd, 22},
    {0x3fffde, 22}, {0xfffff0, 24}, {0x1fffdf, 21}, {0x3fffdf, 22}, {0x7fffeb, 23},
    {0x7fffec, 23}, {0x1fffe0, 21}, {0x1fffe1, 21}, {0x3fffe0, 22}, {0x1fffe2, 21},
    {0x7fffed, 23}, {0x3fffe1, 22}, {0x7fffee, 23}, {0x7fffef, 23}, {0xfffea, 20},
    {0x3fffe2, 22}, {0x3fffe3, 22}, {0x3fffe4, 22}, {0x7ffff0, 23}, {0x3fffe5, 22},
    {0x3fffe6, 22}, {0x7ffff1, 23}, {0x3ffffe0, 26}, {0x3ffffe1, 26}, {0xfffeb, 20},
    {0x7fff1, 19}, {0x3fffe7, 22}, {0x7ffff2, 23}, {0x3fffe8, 22}, {0x1ffffec, 25},
    {0x3ffffe2, 26}, {0x3ffffe3, 26}, {0x3ffffe4, 26}, {0x7ffffde, 27}, {0x7ffffdf, 27},
    {0x3ffffe5, 26}, {0xfffff1, 24}, {0x1ffffed, 25}, {0x7fff2, 19}, {0x1fffe3, 21},
    {0x3ffffe6, 26}, {0x7ffffe0, 27}, {0x7ffffe1, 27}, {0x3ffffe7, 26}, {0x7ffffe2, 27},
    {0xfffff2, 24}, {0x1fffe4, 21}, {0x1fffe5, 21}, {0x3ffffe8, 26}, {0x3ffffe9, 26},
    {0xffffffd, 28}, {0x7ffffe3, 27}, {0x7ffffe4, 27}, {0x7ffffe5, 27}, {0xfffec, 20},
    {0xfffff3, 24}, {0xfffed, 20}, {0x1fffe6, 21}, {0x3fffe9, 22}, {0x1fffe7, 21},
    {0x1fffe8, 21}, {0x7ffff3, 23}, {0x3fffea, 22}, {0x3fffeb, 22}, {0x1ffffee, 25},
    {0x1ffffef, 25}, {0xfffff4, 24}, {0xfffff5, 24}, {0x3ffffea, 26}, {0x7ffff4, 23},
    {0x3ffffeb, 26}, {0x7ffffe6, 27}, {0x3ffffec, 26}, {0x3ffffed, 26}, {0x7ffffe7, 27},
    {0x7ffffe8, 27}, {0x7ffffe9, 27}, {0x7ffffea, 27}, {0x7ffffeb, 27}, {0xffffffe, 28},
    {0x7ffffec, 27}, {0x7ffffed, 27}, {0x7ffffee, 27}, {0x7ffffef, 27}, {0x7fffff0, 27},
    {0x3ffffee, 26},
};

static const struct short_code short_codes[256] = {
    {48, 5}, {48, 5}, {48, 5}, {48, 5}, {48, 5}, {48, 5}, {48, 5}, {48, 5}, {49, 5}, {49, 5}, {49, 5},
    {49, 5}, {49, 5}, {49, 5}, {49, 5}, {49, 5}, {50, 5}, {50, 5}, {50, 5}, {50, 5}, {50, 5}, {50, 5},
    {50, 5}, {50, 5}, {97, 5}, {97, 5}, {97, 5}, {97, 5}, {97, 5}, {97, 5}, {97, 5}, {97, 5}, {99, 5},
    {99, 5}, {99, 5}, {99, 5}, {99, 5}, {99, 5}, {99, 5}, {99, 5}, {101, 5}, {101, 5}, {101, 5}, {101, 5},
    {101, 5}, {101, 5}, {101, 5}, {101, 5}, {105, 5}, {105, 5}, {105, 5}, {105, 5}, {105, 5}, {105, 5}, {105, 5},
    {105, 5}, {111, 5}, {111, 5}, {111, 5}, {111, 5}, {111, 5}, {111, 5}, {111, 5}, {111, 5}, {115, 5}, {115, 5},
    {115, 5}, {115, 5}, {115, 5}, {115, 5}, {115, 5}, {115, 5}, {116, 5}, {116, 5}, {116, 5}, {116, 5}, {116, 5},
    {116, 5}, {116, 5}, {116, 5}, {32, 6}, {32, 6}, {32, 6}, {32, 6}, {37, 6}, {37, 6}, {37, 6}, {37, 6},
    {45, 6}, {45, 6}, {45, 6}, {45, 6}, {46, 6}, {46, 6}, {46, 6}, {46, 6}, {47, 6}, {47, 6}, {47, 6},
    {47, 6}, {51, 6}, {51, 6}, {51, 6}, {51, 6}, {52, 6}, {52, 6}, {52, 6}, {52, 6}, {53, 6}, {53, 6},
    {53, 6}, {53, 6}, {54, 6}, {54, 6}, {54, 6}, {54, 6}, {55, 6}, {55, 6}, {55, 6}, {55, 6}, {56, 6},
    {56, 6}, {56, 6}, {56, 6}, {57, 6}, {57, 6}, {57, 6}, {57, 6}, {61, 6}, {61, 6}, {61, 6}, {61, 6},
    {65, 6}, {65, 6}, {65, 6}, {65, 6}, {95, 6}, {95, 6}, {95, 6}, {95, 6}, {98, 6}, {98, 6}, {98, 6},
    {98, 6}, {100, 6}, {100, 6}, {100, 6}, {100, 6}, {102, 6}, {102, 6}, {102, 6}, {102, 6}, {103, 6}, {103, 6},
    {103, 6}, {103, 6}, {104, 6}, {104, 6}, {104, 6}, {104, 6}, {108, 6}, {108, 6}, {108, 6}, {108, 6}, {109, 6},
    {109, 6}, {109, 6}, {109, 6}, {110, 6}, {110, 6}, {110, 6}, {110, 6}, {112, 6}, {112, 6}, {112, 6}, {112, 6},
    {114, 6}, {114, 6}, {114, 6}, {114, 6}, {117, 6}, {117, 6}, {117, 6}, {117, 6}, {58, 7}, {58, 7}, {66, 7},
    {66, 7}, {67, 7}, {67, 7}, {68, 7}, {68, 7}, {69, 7}, {69, 7}, {70, 7}, {70, 7}, {71, 7}, {71, 7},
    {72, 7}, {72, 7}, {73, 7}, {73, 7}, {74, 7}, {74, 7}, {75, 7}, {75, 7}, {76, 7}, {76, 7}, {77, 7},
    {77, 7}, {78, 7}, {78, 7}, {79, 7}, {79, 7}, {80, 7}, {80, 7}, {81, 7}, {81, 7}, {82, 7}, {82, 7},
    {83, 7}, {83, 7}, {84, 7}, {84, 7}, {85, 7}, {85, 7}, {86, 7}, {86, 7}, {87, 7}, {87, 7}, {89, 7},
    {89, 7}, {106, 7}, {106, 7}, {107, 7}, {107, 7}, {113, 7}, {113, 7}, {118, 7}, {118, 7}, {119, 7}, {119, 7},
    {120, 7}, {120, 7}, {121, 7}, {121, 7}, {122, 7}, {122, 7}, {38, 8}, {42, 8}, {44, 8}, {59, 8}, {88, 8},
    {90, 8}, {0, 0}, {0, 0},
};

static const uint8_t longer[] = {
    33, 34, 40, 41, 63, 39, 43, 124, 35, 62, 0, 36, 64, 91, 93, 126, 94, 125, 60, 96,
    123, 92, 195, 208, 128, 130, 131, 162, 184, 194, 224, 226, 153, 161, 167, 172, 176, 177, 179, 209,
    216, 217, 227, 229, 230, 129, 132, 133, 134, 136, 146, 154, 156, 160, 163, 164, 169, 170, 173, 178,
    181, 185, 186, 187, 189, 190, 196, 198, 228, 232, 233, 1, 135, 137, 138, 139, 140, 141, 143, 147,
    149, 150, 151, 152, 155, 157, 158, 165, 166, 168, 174, 175, 180, 182, 183, 188, 191, 197, 231, 239,
    9, 142, 144, 145, 148, 159, 171, 206, 215, 225, 236, 237, 199, 207, 234, 235, 192, 193, 200, 201,
    202, 205, 210, 213, 218, 219, 238, 240, 242, 243, 255, 203, 204, 211, 212, 214, 221, 222, 223, 241,
    244, 245, 246, 247, 248, 250, 251, 252, 253, 254, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14,
    15, 16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127, 220, 249, 10,
    13, 22,
};

static const struct length lengths[] = {
    {10, 0xfe000000, 0x0ff400000, 0},
    {11, 0xff400000, 0x0ffa00000, 5},
    {12, 0xffa00000, 0x0ffc00000, 8},
    {13, 0xffc00000, 0x0fff00000, 10},
    {14, 0xfff00000, 0x0fff80000, 16},
    {15, 0xfff80000, 0x0fffe0000, 18},
    {19, 0xfffe0000, 0x0fffe6000, 21},
    {20, 0xfffe6000, 0x0fffee000, 24},
    {21, 0xfffee000, 0x0ffff4800, 32},
    {22, 0xffff4800, 0x0ffffb000, 45},
    {23, 0xffffb000, 0x0ffffea00, 71},
    {24, 0xffffea00, 0x0fffff600, 100},
    {25, 0xfffff600, 0x0fffff800, 112},
    {26, 0xfffff800, 0x0fffffbc0, 116},
    {27, 0xfffffbc0, 0x0fffffe20, 131},
    {28, 0xfffffe20, 0x0fffffff0, 150},
    {30, 0xfffffff0, 0x100000000, 179},
};

size_t hpack_huffman_len(struct bytes text)
{
    size_t bits = 0;
    for (size_t i = 0; i < text.len; i++)
        bits += codes[text.data[i]].len;
    return (bits + 7) / 8;
}

void hpack_huffman_write(struct writer *w, struct bytes text)
{
    uint64_t bits = 0;
    unsigned count = 0;
    for (size_t i = 0; i < text.len; i++) {
        const struct code *code = &codes[text.data[i]];
        bits = bits << code->len | code->bits;
        count += code->len;
        while (count >= 8) {
            count -= 8;
            write_u8(w, (uint8_t)(bits >> count));
        }
    }
    if (count > 0) /* the beginning of EOS: ones */
        write_u8(w, (uint8_t)(bits << (8 - count) | 0xffu >> count));
}

/* The code that `top` begins with, longer than eight bits: its length, and its octet, or EOS. */
static unsigned find_longer(uint32_t top, unsigned *octet)
{
    const struct length *l = lengths;
    while (top >= l->end)
        l++;
    size_t at = l->offset + ((top - l->first) >> (32 - l->len));
    *octet = at < ARRAY_LEN(longer) ? longer[at] : 256;
    return l->len;
}

enum wire_status hpack_huffman_read(struct bytes code, struct writer *out)
{
    const uint8_t *next = code.data;
    const uint8_t *end = code.data + code.len;
    uint8_t *to = out->next;
    uint64_t bits = 0; /* the next one is the highest */
    unsigned count = 0;
    if (out->failed)
        return WIRE_NO_ROOM;
    for (;;) {
        if (count < 32) { /* the longest code has 30 bits */
            for (; count <= 56 && next < end; count += 8)
                bits |= (uint64_t)*next++ << (56 - count);
        }
        uint32_t top = (uint32_t)(bits >> 32);
        if (count < 32)
            top |= UINT32_MAX >> count; /* as if EOS followed */
        unsigned octet = short_codes[top >> 24].octet;
        unsigned len = short_codes[top >> 24].len;
        if (len == 0)
            len = find_longer(top, &octet);
        if (len > count) {
            out->next = to;
            return count <= PADDING_MAX && top == UINT32_MAX ? WIRE_OK : WIRE_MALFORMED;
        }
        if (octet > UINT8_MAX)
            return WIRE_MALFORMED;
        if (to == out->end) {
            out->failed = true;
            return WIRE_NO_ROOM;
        }
        *to++ = (uint8_t)octet;
        bits <<= len;
        count -= len;
    }
}
