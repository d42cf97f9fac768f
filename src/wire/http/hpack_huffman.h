/* SPDX-License-Identifier: ISC */
/*
 * hpack_huffman.h - strings of HPACK in its Huffman code (RFC 7541 §5.2, Appendix B).
 */
#ifndef WN_WIRE_HTTP_HPACK_HUFFMAN_H
#define WN_WIRE_HTTP_HPACK_HUFFMAN_H

#include "base/bytes.h"
#include "wire/status.h"

/* The octets that hpack_huffman_write() writes for it. */
size_t hpack_huffman_len(struct bytes text);
void hpack_huffman_write(struct writer *w, struct bytes text);

/*
 * Writes the text of `code` to `out`. WIRE_MALFORMED: the code has EOS in it, or ends with more than
 * seven bits of padding or with others than EOS begins with (§5.2). WIRE_NO_ROOM: `out` has failed; what
 * follows was not looked at.
 */
MUST_USE enum wire_status hpack_huffman_read(struct bytes code, struct writer *out);

#endif
