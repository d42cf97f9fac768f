/* SPDX-License-Identifier: ISC */
/*
 * script.h - plays packetdrill scripts against our stack, in virtual time.
 *
 * A script says what an application calls, what comes from the wire and what must go out, and when.
 * The player is the application (by stack/bsd/bsd.h) and the other end of the wire. Its clock goes
 * from one event to the next; nothing waits, and the same script gives the same run.
 *
 * The language is that of packetdrill (Cardwell et al., "packetdrill: Scriptable Network Stack
 * Testing, from Sockets to Packets", USENIX ATC 2013; wholenet-script(1) has it in short). Where
 * the player differs: code is a part of Python, run at the instant where it stands; commands are not executed
 * but understood (script_settings.h); only IPv4, on one machine; packets in packets, TUN devices and
 * wire modes are not there.
 */
#ifndef WN_SIM_SCRIPT_SCRIPT_H
#define WN_SIM_SCRIPT_SCRIPT_H

#include "base/bytes.h"
#include "base/heap.h"
#include "base/text.h"
#include "base/usec.h"

struct tcp_profile;

enum {
    SCRIPT_REPORT_MAX = 4096,
    SCRIPT_TOLERANCE = 4000,      /* microseconds, when neither caller nor script says */
};

enum script_outcome {
    SCRIPT_PASSED,
    SCRIPT_FAILED,  /* the stack did otherwise */
    SCRIPT_SKIPPED, /* it needs what we do not have */
    SCRIPT_WRONG,   /* the script itself is not right */
    SCRIPT_OUTCOME_COUNT
};

const char *script_outcome_text(enum script_outcome outcome); /* "passed" */

struct script_sink {
    /* One line of what happens, without its end. NULL: nobody listens. */
    void (*line)(void *self, struct bytes text);
    /* Each frame, Ethernet header first. NULL: nobody listens. */
    void (*frame)(void *self, usec at, bool inbound, struct bytes octets);
    void *self;
};

struct script_define_text {
    const char *text; /* "NAME=VALUE" */
};

struct script_options {
    struct heap heap;
    const struct tcp_profile *profile; /* NULL: "linux" */
    usec tolerance;                    /* 0: SCRIPT_TOLERANCE; the script's own word comes first */
    const char *const *defines;        /* "NAME=VALUE" each */
    size_t define_count;
    struct script_sink sink;
};

struct script_report {
    enum script_outcome outcome;
    uint32_t line, column;   /* of the event, or where the script is wrong; 0: nowhere */
    usec at;                 /* virtual, since the start */
    unsigned events;         /* that were played */
    char text[SCRIPT_REPORT_MAX]; /* what was expected and what came; lines after the first are
                                     details */
};

void script_run(struct bytes text, const struct script_options *options,
                struct script_report *out);

#endif
