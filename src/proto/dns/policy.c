/* SPDX-License-Identifier: ISC */
/*
 * policy.c - rules in one ordered table, by trigger and name or prefix. Those with an asterisk have
 * the key of the name that it stands below, so that they are found as its prefixes.
 */
#include "proto/dns/policy.h"

#include "base/trie.h"
#include "proto/dns/cache.h"
#include "wire/dns/dns_key.h"

enum {
    KEY_MAX = 2 + DNS_KEY_MAX,
    PREFIX_LEN_MAX = 128,
    V4_BITS = 96, /* an IPv4 address is one of these behind as many */
};

struct rule {
    enum policy_action action;
    uint16_t key_len;
    uint32_t data_len;
    uint32_t owner; /* its hash */
    uint8_t *data;
    uint8_t key[];
};

struct policy {
    struct heap heap;
    struct dns_name origin;
    struct trie trie;
    size_t rules[POLICY_TRIGGER_COUNT];
    bool mixed; /* rules of several owners are one */
    bool prefix_lens[POLICY_TRIGGER_COUNT][PREFIX_LEN_MAX + 1]; /* that there are */
};

static struct bytes key_of(const void *item)
{
    const struct rule *rule = item;
    return bytes_of(rule->key, rule->key_len);
}

struct policy *policy_new(const struct heap *heap, const struct dns_name *origin, size_t rules_max)
{
    ASSERT(rules_max > 0 && rules_max <= POLICY_RULES_MAX);
    struct policy *policy = heap_zeroed(heap, sizeof *policy);
    if (policy == NULL)
        return NULL;
    policy->heap = *heap;
    policy->origin = *origin;
    trie_init(&policy->trie, heap, rules_max, key_of);
    return policy;
}

static void free_rule(void *self, void *item)
{
    struct policy *policy = self;
    struct rule *rule = item;
    heap_release(&policy->heap, rule->data, rule->data_len);
    heap_release(&policy->heap, rule, sizeof *rule + rule->key_len);
}

bool policy_empty(struct policy *policy, size_t rules)
{
    struct rule *rule;
    while ((rule = trie_last(&policy->trie)) != NULL && rules-- > 0) {
        (void)trie_remove(&policy->trie, key_of(rule));
        free_rule(policy, rule);
    }
    return rule == NULL;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL)
        return;
    (void)policy_empty(policy, SIZE_MAX);
    trie_done(&policy->trie);
    struct heap heap = policy->heap;
    heap_release(&heap, policy, sizeof *policy);
}

size_t policy_count(const struct policy *policy)
{
    return policy->trie.count;
}

bool policy_has(const struct policy *policy, enum policy_trigger trigger)
{
    return policy->rules[trigger] > 0;
}

/* ---- keys ---- */

struct place {
    enum policy_trigger trigger;
    size_t key_len;
    uint8_t key[KEY_MAX];
    unsigned prefix_len; /* of addresses, in bits of all 128 */
};

static bool is_label(struct bytes label, const char *text)
{
    struct bytes want = bytes_of_text(text);
    if (label.len != want.len)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];
        if ((c >= 'A' && c <= 'Z' ? c | 0x20 : c) != want.data[i])
            return false;
    }
    return true;
}

static size_t name_key(enum policy_trigger trigger, bool below, const struct dns_name *name,
                       uint8_t key[KEY_MAX])
{
    key[0] = (uint8_t)('0' + trigger);
    key[1] = below ? '*' : '=';
    return 2 + dns_key_of(name, key + 2);
}

/* The first `bits` of an address as 16 octets. */
static size_t prefix_key(enum policy_trigger trigger, const struct ip_address *address,
                         unsigned bits, uint8_t key[KEY_MAX])
{
    enum { LEN = sizeof address->octets };
    key[0] = (uint8_t)('0' + trigger);
    key[1] = '/';
    key[2] = (uint8_t)bits;
    memset(key + 3, 0, LEN);
    memcpy(key + 3, address->octets, bits / 8);
    if (bits % 8 != 0)
        key[3 + bits / 8] = (uint8_t)(address->octets[bits / 8] & 0xff00u >> bits % 8);
    return 3 + LEN;
}

static bool read_number(struct bytes label, unsigned base, unsigned max, unsigned *out)
{
    unsigned value = 0;
    if (label.len == 0 || label.len > 5)
        return false;
    for (size_t i = 0; i < label.len; i++) {
        uint8_t c = label.data[i];
        unsigned digit = c >= '0' && c <= '9'   ? c - '0' + 0u
                         : c >= 'a' && c <= 'f' ? c - 'a' + 10u
                         : c >= 'A' && c <= 'F' ? c - 'A' + 10u
                                                : base;
        if (digit >= base)
            return false;
        value = value * base + digit;
    }
    *out = value;
    return value <= max;
}

static bool read_v4(const struct dns_name *name, const struct dns_labels *labels,
                    struct ip_prefix *out)
{
    uint32_t address = 0;
    unsigned octet;
    for (unsigned i = 4; i > 0; i--) {
        if (!read_number(dns_name_label(name, labels->at[i]), 10, 255, &octet))
            return false;
        address = address << 8 | octet;
    }
    out->address = address_v4(address);
    return out->len <= 32;
}

/* Words in reverse; "zz" is "::". */
static bool read_v6(const struct dns_name *name, const struct dns_labels *labels,
                    struct ip_prefix *out)
{
    unsigned at = 0, words = labels->count - 1u;
    memset(&out->address, 0, sizeof out->address);
    for (unsigned i = labels->count - 1u; i > 0; i--) {
        struct bytes label = dns_name_label(name, labels->at[i]);
        unsigned word;
        if (is_label(label, "zz")) {
            if (words > 8)
                return false;
            at += 9 - words;
            words = 9; /* there is but one */
            continue;
        }
        if (at >= 8 || !read_number(label, 16, 0xffff, &word))
            return false;
        out->address.octets[2 * at] = (uint8_t)(word >> 8);
        out->address.octets[2 * at++ + 1] = (uint8_t)word;
    }
    return at == 8 && out->len <= PREFIX_LEN_MAX && !address_is_v4(&out->address);
}

/* "24.0.2.0.192": the labels before "rpz-ip". */
static bool read_prefix(const struct dns_name *name, struct ip_prefix *out)
{
    struct dns_labels labels;
    dns_name_labels(name, &labels);
    unsigned len;
    if (labels.count < 3 || !read_number(dns_name_label(name, 0), 10, PREFIX_LEN_MAX, &len))
        return false;
    out->len = (uint8_t)len;
    return (labels.count == 5 && read_v4(name, &labels, out)) || read_v6(name, &labels, out);
}

static bool place_prefix(enum policy_trigger trigger, const struct dns_name *name, struct place *out)
{
    struct ip_prefix prefix;
    if (!read_prefix(name, &prefix))
        return false;
    out->trigger = trigger;
    out->prefix_len = prefix.len + (address_is_v4(&prefix.address) ? V4_BITS : 0u);
    out->key_len = prefix_key(trigger, &prefix.address, out->prefix_len, out->key);
    return true;
}

static bool place_name(enum policy_trigger trigger, const struct dns_name *name, struct place *out)
{
    struct dns_name owner = *name;
    bool below = owner.octets[0] == 1 && owner.octets[1] == '*';
    if (below)
        dns_name_parent(&owner, &owner);
    out->trigger = trigger;
    out->key_len = name_key(trigger, below, &owner, out->key);
    return true;
}

/* What is before the list's own name, and without its last label if that says what it is. */
static bool find_place(const struct policy *policy, const struct dns_name *owner, struct place *out)
{
    static const struct {
        const char *label;
        enum policy_trigger trigger;
        bool address;
    } kinds[] = {
        {"rpz-client-ip", POLICY_CLIENT_IP, true},
        {"rpz-ip", POLICY_IP, true},
        {"rpz-nsip", POLICY_NSIP, true},
        {"rpz-nsdname", POLICY_NSDNAME, false},
    };
    struct dns_labels labels;
    struct dns_name name = *owner;
    name.len = (uint8_t)(owner->len - policy->origin.len + 1);
    name.octets[name.len - 1] = 0;
    dns_name_labels(&name, &labels);
    struct bytes last = dns_name_label(&name, labels.at[labels.count - 1]);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!is_label(last, kinds[i].label))
            continue;
        name.len = (uint8_t)(name.len - last.len - 1);
        name.octets[name.len - 1] = 0;
        return kinds[i].address ? place_prefix(kinds[i].trigger, &name, out)
                                : place_name(kinds[i].trigger, &name, out);
    }
    return !(last.len > 4 && is_label(bytes_first(last, 4), "rpz-")) &&
           place_name(POLICY_QNAME, &name, out);
}

/* ---- adding ---- */

static enum policy_action action_of(const struct dns_record *record)
{
    static const struct {
        const char *target;
        enum policy_action action;
    } actions[] = {{".", POLICY_NXDOMAIN},
                   {"*.", POLICY_NODATA},
                   {"rpz-passthru.", POLICY_PASSTHRU},
                   {"rpz-drop.", POLICY_DROP},
                   {"rpz-tcp-only.", POLICY_TCP_ONLY}};
    struct dns_name target, known;
    if (record->type != DNS_CNAME || !dns_rdata_target(DNS_CNAME, record->rdata, &target))
        return POLICY_DATA;
    for (size_t i = 0; i < ARRAY_LEN(actions); i++)
        if (dns_name_parse(bytes_of_text(actions[i].target), NULL, &known) &&
            dns_name_equal(&target, &known))
            return actions[i].action;
    return POLICY_DATA;
}

static enum policy_result add_data(struct policy *policy, struct rule *rule,
                                   const struct dns_record *record)
{
    uint8_t octets[DNS_NAME_MAX + 16];
    struct cache_record out = {.type = record->type, .ttl = record->ttl, .rdata = record->rdata};
    dns_name_root(&out.owner);
    size_t len = sizeof octets + record->rdata.len;
    if (rule->data_len + len > POLICY_DATA_LEN_MAX)
        return POLICY_FULL;
    uint8_t *longer = policy->heap.resize(policy->heap.self, rule->data, rule->data_len,
                                          rule->data_len + len);
    if (longer == NULL)
        return POLICY_NO_MEMORY;
    struct writer w = writer_of(longer + rule->data_len, len);
    cache_write_record(&w, &out);
    ASSERT(!w.failed);
    size_t whole = rule->data_len + writer_len(&w);
    uint8_t *exact = policy->heap.resize(policy->heap.self, longer, rule->data_len + len, whole);
    rule->data = exact != NULL ? exact : longer;
    rule->data_len = (uint32_t)(exact != NULL ? whole : rule->data_len + len);
    return POLICY_OK;
}

static enum policy_result make_rule(struct policy *policy, const struct place *place,
                                    struct rule **out)
{
    struct rule *rule = heap_zeroed(&policy->heap, sizeof *rule + place->key_len);
    if (rule == NULL)
        return POLICY_NO_MEMORY;
    rule->key_len = (uint16_t)place->key_len;
    memcpy(rule->key, place->key, place->key_len);
    enum trie_status status = trie_insert(&policy->trie, rule);
    if (status != TRIE_OK) {
        heap_release(&policy->heap, rule, sizeof *rule + place->key_len);
        return status == TRIE_FULL ? POLICY_FULL : POLICY_NO_MEMORY;
    }
    policy->rules[place->trigger]++;
    policy->prefix_lens[place->trigger][place->prefix_len] = true;
    *out = rule;
    return POLICY_OK;
}

static bool is_inside(const struct policy *policy, const struct dns_name *owner)
{
    return dns_name_within(owner, &policy->origin) && !dns_name_equal(owner, &policy->origin);
}

enum policy_result policy_add(struct policy *policy, const struct dns_record *record)
{
    struct place place = {.key_len = 0};
    if (!is_inside(policy, &record->owner) || record->type == DNS_RRSIG ||
        record->type == DNS_NSEC || record->type == DNS_NSEC3 || record->type == DNS_DNAME)
        return POLICY_IGNORED;
    if (!find_place(policy, &record->owner, &place))
        return POLICY_WRONG;
    enum policy_action action = action_of(record);
    struct rule *rule = trie_find(&policy->trie, bytes_of(place.key, place.key_len));
    if (rule == NULL) {
        enum policy_result result = make_rule(policy, &place, &rule);
        if (result != POLICY_OK)
            return result;
        rule->action = action;
        rule->owner = dns_name_hash(&record->owner);
    }
    policy->mixed |= rule->owner != dns_name_hash(&record->owner);
    /* What was said first holds; of data there may be more. */
    return rule->action == POLICY_DATA && action == POLICY_DATA ? add_data(policy, rule, record)
                                                                : POLICY_OK;
}

bool policy_is_mixed(const struct policy *policy)
{
    return policy->mixed;
}

void policy_forget(struct policy *policy, const struct dns_name *owner)
{
    struct place place = {.key_len = 0};
    if (!is_inside(policy, owner) || !find_place(policy, owner, &place))
        return;
    struct rule *rule = trie_remove(&policy->trie, bytes_of(place.key, place.key_len));
    if (rule == NULL)
        return;
    policy->rules[place.trigger]--;
    free_rule(policy, rule);
}

/* ---- finding ---- */

static bool tell(const struct rule *rule, struct policy_rule *out)
{
    if (rule != NULL)
        *out = (struct policy_rule){rule->action, bytes_of(rule->data, rule->data_len)};
    return rule != NULL;
}

bool policy_find_name(const struct policy *policy, enum policy_trigger trigger,
                      const struct dns_name *name, struct policy_rule *out)
{
    uint8_t key[KEY_MAX];
    void *above[DNS_LABELS_MAX + 1];
    if (policy->rules[trigger] == 0)
        return false;
    size_t len = name_key(trigger, false, name, key);
    if (tell(trie_find(&policy->trie, bytes_of(key, len)), out))
        return true;
    if (dns_name_is_root(name))
        return false;
    struct dns_name parent;
    dns_name_parent(name, &parent); /* "*.a" is not for a itself */
    len = name_key(trigger, true, &parent, key);
    size_t count = trie_prefixes(&policy->trie, bytes_of(key, len), above, ARRAY_LEN(above));
    return count > 0 && tell(above[count - 1], out);
}

bool policy_find_address(const struct policy *policy, enum policy_trigger trigger,
                         const struct ip_address *address, struct policy_rule *out)
{
    uint8_t key[KEY_MAX];
    int least = address_is_v4(address) ? V4_BITS : 0;
    if (policy->rules[trigger] == 0)
        return false;
    for (int bits = PREFIX_LEN_MAX; bits >= least; bits--) {
        if (!policy->prefix_lens[trigger][bits])
            continue;
        size_t len = prefix_key(trigger, address, (unsigned)bits, key);
        if (tell(trie_find(&policy->trie, bytes_of(key, len)), out))
            return true;
    }
    return false;
}
