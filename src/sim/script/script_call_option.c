/* SPDX-License-Identifier: ISC */
/* script_call_option.c - setsockopt, getsockopt, fcntl, ioctl. */
#include "sim/script/script_play.h"

enum { STRUCT_LINGER_LEN = sizeof(struct wn_linger) };

static bool level_and_name(struct play *p, struct play_call *call)
{
    return play_argument_int(p, call, 1, &call->value) &&
           play_argument_int(p, call, 2, &call->flags);
}

static bool put_linger(struct play *p, struct play_call *call, const struct script_value *value)
{
    int64_t on, seconds;
    const struct script_value *onoff = play_field(value, "onoff");
    const struct script_value *linger = play_field(value, "linger");
    if (onoff == NULL || linger == NULL)
        return play_wrong(p, "a struct here is {onoff=1, linger=2}");
    if (!play_value_number(p, onoff, &on) || !play_value_number(p, linger, &seconds))
        return false;
    struct wn_linger out = {(int)on, (int)seconds};
    memcpy(call->option, &out, sizeof out);
    return true;
}

/* [1], "text", {onoff=1, linger=0}. */
static bool put_option(struct play *p, struct play_call *call, const struct script_value *value)
{
    int64_t number;
    if (value->kind == SCRIPT_VALUE_STRUCT)
        return put_linger(p, call, value);
    if (value->kind == SCRIPT_VALUE_STRING) {
        if (value->text.len > sizeof call->option)
            return play_wrong(p, "the option's text is too long");
        memcpy(call->option, value->text.data, value->text.len);
        return true;
    }
    if (value->kind != SCRIPT_VALUE_LIST || value->count != 1)
        return play_wrong(p, "an option's value is [number], \"text\" or {onoff=…, linger=…}");
    if (!play_value_number(p, value->first, &number))
        return false;
    int32_t whole = (int32_t)(uint32_t)number;
    memcpy(call->option, &whole, sizeof whole);
    return true;
}

static bool begin_setsockopt(struct play *p, struct play_call *call)
{
    int len;
    if (!level_and_name(p, call) || !put_option(p, call, play_argument(call, 3)) ||
        !play_argument_int(p, call, 4, &len))
        return false;
    if (len < 0 || (size_t)len > sizeof call->option)
        return play_wrong(p, "the option's length is out of range");
    call->option_len = (wn_socklen_t)len;
    return true;
}

static enum call_step step_setsockopt(struct play *p, struct play_call *call)
{
    call->result = bsd_setsockopt(p->bsd, call->live_fd, call->value, call->flags, call->option,
                                  call->option_len);
    return CALL_DONE;
}

static bool bracketed(struct play *p, const struct script_value *value, int64_t *out)
{
    if (value == NULL || value->kind != SCRIPT_VALUE_LIST || value->count != 1)
        return play_wrong(p, "a number in brackets is expected");
    return play_value_number(p, value->first, out);
}

static bool begin_getsockopt(struct play *p, struct play_call *call)
{
    int64_t len;
    if (!level_and_name(p, call) || !bracketed(p, play_argument(call, 4), &len))
        return false;
    if (len < 0 || len > (int64_t)sizeof call->option)
        return play_wrong(p, "the option's length is out of range");
    call->option_len = (wn_socklen_t)len;
    return true;
}

static enum call_step step_getsockopt(struct play *p, struct play_call *call)
{
    call->result = bsd_getsockopt(p->bsd, call->live_fd, call->value, call->flags, call->option,
                                  &call->option_len);
    return CALL_DONE;
}

static bool check_getsockopt(struct play *p, struct play_call *call)
{
    const struct script_value *value = play_argument(call, 3);
    int64_t expected, len;
    if (call->result < 0 || value->kind == SCRIPT_VALUE_ELLIPSIS)
        return true;
    if (!bracketed(p, play_argument(call, 4), &len))
        return false;
    if ((int64_t)call->option_len != len)
        return play_fail(p, "the option's length: expected %lld, got %u", (long long)len,
                         call->option_len);
    if (value->kind == SCRIPT_VALUE_STRING)
        return bytes_equal(value->text, bytes_of(call->option, call->option_len)) ||
               play_fail(p, "the option's text is another one");
    if (value->kind == SCRIPT_VALUE_STRUCT) {
        struct wn_linger got, want;
        memcpy(&got, call->option, sizeof got);
        if (!put_linger(p, call, value))
            return false;
        memcpy(&want, call->option, sizeof want);
        return (got.l_onoff == want.l_onoff && got.l_linger == want.l_linger) ||
               play_fail(p, "expected {onoff=%d, linger=%d}, got {onoff=%d, linger=%d}",
                         want.l_onoff, want.l_linger, got.l_onoff, got.l_linger);
    }
    if (!bracketed(p, value, &expected))
        return false;
    int32_t got = 0;
    memcpy(&got, call->option, call->option_len < sizeof got ? call->option_len : sizeof got);
    return got == (int32_t)(uint32_t)expected ||
           play_fail(p, "the option's value: expected %lld, got %d", (long long)expected, got);
}

/* ---- fcntl, ioctl ---- */

static bool begin_fcntl(struct play *p, struct play_call *call)
{
    return play_argument_int(p, call, 1, &call->flags) &&
           (call->call->argument_count < 3 || play_argument_int(p, call, 2, &call->value));
}

static enum call_step step_fcntl(struct play *p, struct play_call *call)
{
    call->result = bsd_fcntl(p->bsd, call->live_fd, call->flags, call->value);
    return CALL_DONE;
}

/* Given by value, or in brackets: what is read through a pointer, and must be found there. */
static bool begin_ioctl(struct play *p, struct play_call *call)
{
    const struct script_value *value = play_argument(call, 2);
    int64_t number = 0;
    if (!play_argument_int(p, call, 1, &call->flags))
        return false;
    if (value != NULL && !(value->kind == SCRIPT_VALUE_LIST ? bracketed(p, value, &number)
                                                            : play_value_number(p, value, &number)))
        return false;
    call->value = (int)number;
    return true;
}

static enum call_step step_ioctl(struct play *p, struct play_call *call)
{
    call->result = bsd_ioctl(p->bsd, call->live_fd, (unsigned long)call->flags, &call->value);
    return CALL_DONE;
}

static bool check_ioctl(struct play *p, struct play_call *call)
{
    const struct script_value *value = play_argument(call, 2);
    int64_t expected;
    if (value == NULL || value->kind != SCRIPT_VALUE_LIST || call->result < 0)
        return true;
    if (!bracketed(p, value, &expected))
        return false;
    return call->value == expected ||
           play_fail(p, "the value: expected %lld, got %d", (long long)expected, call->value);
}

const struct call_row play_call_setsockopt = {
    "setsockopt", 5, 5, true, begin_setsockopt, step_setsockopt, NULL, false};
const struct call_row play_call_getsockopt = {
    "getsockopt", 5, 5, true, begin_getsockopt, step_getsockopt, check_getsockopt, false};
const struct call_row play_call_fcntl = {
    "fcntl", 2, 3, true, begin_fcntl, step_fcntl, NULL, false};
const struct call_row play_call_ioctl = {
    "ioctl", 2, 3, true, begin_ioctl, step_ioctl, check_ioctl, false};
