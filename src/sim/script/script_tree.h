/* SPDX-License-Identifier: ISC */
/*
 * script_tree.h - a packetdrill script as a tree: options, events in their order, and in them
 * packets, system calls, commands and code.
 *
 * The tree lies in an arena; its texts borrow from the script.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_TREE_H
#define WN_SIM_SCRIPT_SCRIPT_TREE_H

#include "base/arena.h"
#include "sim/script/script_lex.h"

enum {
    SCRIPT_OCTETS_MAX = 4 << 20,       /* of a script */
    SCRIPT_TREE_MAX = 64 << 20,        /* of its tree */
    SCRIPT_NESTING_MAX = 32,           /* of expressions */
    SCRIPT_TCP_OPTIONS_MAX = 40,       /* RFC 9293 §3.1 */
    SCRIPT_TCP_HEADER_LEN = 20,
    SCRIPT_WINDOW_ANY = -1,
    SCRIPT_PAYLOAD_MAX = 65535,
};

/* Where something is wrong, and what; line 0: nowhere in particular. */
struct script_error {
    uint32_t line, column;
    char text[1024];
};

struct script_option {
    struct script_option *next;
    struct script_token name;
    struct bytes value; /* empty without one */
    bool has_value;
};

/* ---- values of system calls ---- */

enum script_value_kind {
    SCRIPT_VALUE_ELLIPSIS, /* ... */
    SCRIPT_VALUE_INTEGER,
    SCRIPT_VALUE_WORD,     /* a symbol's name */
    SCRIPT_VALUE_STRING,   /* escapes undone, pieces joined */
    SCRIPT_VALUE_LIST,     /* [a, b]: `first` */
    SCRIPT_VALUE_STRUCT,   /* {a, name = b, name(c) = d}: `first` */
    SCRIPT_VALUE_OR,       /* a | b: `first` and the one behind it */
    SCRIPT_VALUE_ASSIGN,   /* word = value: `text`, `first` */
    SCRIPT_VALUE_CALL,     /* word(values): htons, inet_addr */
};

struct script_value {
    enum script_value_kind kind;
    uint32_t line, column;
    int64_t number;
    struct bytes text;
    struct script_value *first;
    struct script_value *next;  /* in the list that it is in */
    struct bytes name;          /* in a STRUCT: of the field; empty without */
    struct script_value *bound; /* in a STRUCT: what stands in the name's parentheses, or NULL */
    unsigned count;             /* of LIST, STRUCT, CALL */
};

/* ---- events ---- */

enum script_ip_check { SCRIPT_IP_ANY, SCRIPT_IP_ECN, SCRIPT_IP_ECT, SCRIPT_IP_TOS };

enum script_packet_kind { SCRIPT_TCP, SCRIPT_UDP, SCRIPT_ICMP };

enum {
    SCRIPT_FLAG_AE = 0x100, /* accurate ECN; before: NS */
    SCRIPT_FLAGS_ECN = 0x1c0,
};

struct script_packet {
    enum script_packet_kind kind;
    bool inbound;             /* to the stack under test */
    uint8_t ip_check;         /* enum script_ip_check */
    uint8_t traffic_class;
    uint8_t ttl;              /* 0: not said */
    uint16_t source_port;     /* 0: as the connection has it */
    uint16_t target_port;
    /* TCP */
    uint16_t flags;           /* of enum tcp_flag, and SCRIPT_FLAG_AE */
    uint32_t sequence;
    uint32_t acknowledgement;
    int32_t window;           /* SCRIPT_WINDOW_ANY: not said */
    uint16_t urgent;
    bool any_options;         /* <...> */
    uint8_t option_len;
    uint8_t options[SCRIPT_TCP_OPTIONS_MAX];
    uint32_t payload_len;     /* UDP too */
    /* ICMP */
    bool icmp6;               /* a type of ICMPv6 */
    uint8_t icmp_type, icmp_code;
    uint16_t icmp_mtu;
    uint16_t icmp_id;
    uint8_t quoted_protocol;  /* TCP, UDP; 0: nothing is quoted, payload_len octets follow */
    uint32_t quoted_sequence;
    uint32_t quoted_len;
};

struct script_call {
    struct bytes name;
    struct script_value *arguments; /* the first */
    unsigned argument_count;
    struct script_value *result;
    struct bytes error;  /* the name of an errno; empty: not said */
    bool blocking;       /* with an end_at */
    usec end_at;         /* as the event's time is meant: relative to the same instant */
};

enum script_event_kind {
    SCRIPT_EVENT_PACKET,
    SCRIPT_EVENT_CALL,
    SCRIPT_EVENT_COMMAND,
    SCRIPT_EVENT_CODE,
};

enum script_time_kind {
    SCRIPT_TIME_ABSOLUTE,
    SCRIPT_TIME_RELATIVE,
    SCRIPT_TIME_ANY,
    SCRIPT_TIME_ABSOLUTE_RANGE,
    SCRIPT_TIME_RELATIVE_RANGE,
};

struct script_event {
    struct script_event *next;
    enum script_event_kind kind;
    enum script_time_kind time_kind;
    uint32_t line, column;
    usec at, end_at; /* end_at: of ranges */
    union {
        struct script_packet *packet;
        struct script_call *call;
        struct script_token text; /* COMMAND, CODE */
    } u;
};

struct script {
    struct arena arena;
    struct script_option *options;
    bool has_init, has_cleanup;
    struct script_token init, cleanup; /* commands */
    struct script_event *events;
    unsigned event_count;
};

/*
 * Reads a script. `text`, and the values in `defines`, are borrowed for as long as the tree lives;
 * options that are definitions (--define=A=B) are added to `defines`. False: *error says why, and
 * nothing is to be freed.
 */
MUST_USE bool script_parse(struct script *script, const struct heap *heap, struct bytes text,
                           struct script_defines *defines, struct script_error *error);

void script_done(struct script *script);

#endif
