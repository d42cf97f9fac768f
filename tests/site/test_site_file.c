/* SPDX-License-Identifier: ISC */
#include "tests/support/check.h"

#include "site/site_config.h"
#include "stack/tcp/tcp_profile.h"

static struct site_config *read_text(const char *content, char *complaint, size_t size)
{
    struct text error = text_of(complaint, size);
    struct site_config *config = site_config_parse("site.conf", content, &error);
    if (config != NULL && !site_config_finish(config, &error)) {
        site_config_free(config);
        config = NULL;
    }
    return config;
}

#define UPDATE_EXPECTED                                                                           \
    "expected who may change what, such as \"key admin\", \"key dhcp below dyn.example types A AAAA "  \
    "TXT\" or \"10.0.0.0/8 key host self\"; at most 64"

static const struct {
    const char *name;
    const char *content;
    const char *want; /* the whole complaint, or NULL: it is right */
} files[] = {
    {"an empty file is a site without services", "", NULL},
    {"comments and blank lines", "# one\n\n// two\n/* three */\n", NULL},
    {"values with and without quotes", "domain = lab.test\nlink \"tap:wn0\" { mtu = 9000 }\n", NULL},
    {"a small network", "link \"tap:a\" { address = \"192.168.1.0/29\" }\naddresses {}\n", NULL},
    {"a list that grows", "names { record = {\"a A 10.0.2.9\"}\nrecord += {\"b A 10.0.2.8\"} }",
     NULL},
    {"an unknown option", "domain = a.test\ngateway {\n  colour = red\n}\n",
     "site.conf:3: no such option 'colour'; known here: internet, host-loopback, host-address, publish"},
    {"a location that is no path", "web {\n  location \"x\" {\n  }\n}\n",
     "site.conf:3: location \"x\": expected a path such as \"/a/\", \"= /a\" or \"*.ending\""},
    {"a site that is no name", "web {\n  site \"a b\" {}\n}\n",
     "site.conf:2: site \"a b\": expected a host's name"},
    {"a field of ours", "web {\n  header = {\"Date: now\"}\n}\n",
     "site.conf:2: header \"Date: now\": expected fields such as \"Referrer-Policy: no-referrer\", at most "
     "8 of them"},
    {"a status that is no redirect", "web {\n  redirect = \"304 /\"\n}\n",
     "site.conf:2: redirect \"304 /\": expected a status and where to, such as \"301 https://example.org/*\""},
    {"users without a file", "web {\n  location \"/a\" {\n    auth = basic\n  }\n}\n",
     "web: auth of /a: expected users, a file"},
    {"an option that is nearly one", "gateway {\n  pulbish = x\n}\n",
     "site.conf:2: no such option 'pulbish'; did you mean \"publish\"?; known here: internet, host-loopback, host-address, publish"},
    {"an unknown block", "mail {\n}\n",
     "site.conf:1: no such option 'mail'; known here: domain, control, workers, link, gateway, addresses, "
     "names, web, proxy, mdns"},
    {"a service that is no type", "mdns {\n service = {\"http 80\"}\n}\n",
     "site.conf:2: service \"http 80\": expected a service's type and port, and perhaps its name and what else is to be "
     "said, such as \"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
    {"a service of another transport", "mdns {\n service = {\"_http._sctp 80\"}\n}\n",
     "site.conf:2: service \"_http._sctp 80\": expected a service's type and port, and perhaps its name and what else is to be "
     "said, such as \"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
    {"a service without a port", "mdns {\n service = {\"_http._tcp\"}\n}\n",
     "site.conf:2: service \"_http._tcp\": expected a service's type and port, and perhaps its name and what else is to be "
     "said, such as \"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
    {"a service with text that has no key", "mdns {\n service = {\"_http._tcp 80 x; =y\"}\n}\n",
     "site.conf:2: service \"_http._tcp 80 x; =y\": expected a service's type and port, and perhaps its name and what else is to be "
     "said, such as \"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
    {"a service with too long a name", "mdns {\n service = {\"_http._tcp 80 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}\n}\n",
     "site.conf:2: service \"_http._tcp 80 xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\": expected a service's type and port, and perhaps its name and what else is to be "
     "said, such as \"_http._tcp 80 Front Door; path=/\", at most 31 of them"},
    {"multicast DNS on a link of ours", "link \"tap:a\" {}\nmdns {\n}\n",
     "block \"mdns\": expected link \"host\": the host is announced on its links"},
    {"names of no kind of link", "names {\n local = bonjour\n}\n",
     "site.conf:2: local \"bonjour\": expected none or mdns"},
    {"a wrong number", "link \"tap:a\" {\n    mtu = many\n}\n",
     "site.conf:2: mtu \"many\": expected a number of octets from 576 to 65520"},
    {"a wrong number after comments of every kind",
     "# one\n\n// two # 2\n/* three\n \"3 */ link \"tap:a\" { # four's\n"
     " mtu = many /* five */ # 5\n}\n",
     "site.conf:6: mtu \"many\": expected a number of octets from 576 to 65520"},
    {"a wrong number before a comment", "link \"tap:a\" { mtu = many // one\n}\n",
     "site.conf:1: mtu \"many\": expected a number of octets from 576 to 65520"},
    {"signs of comments in quotes and words",
     "names { record = {\"a TXT '#//'\",\n'b TXT \"\\'#/*\"'} }\nweb { root = /a\n name = a//b }",
     "site.conf:4: name \"a//b\": expected one label such as www"},
    {"a number out of range", "link \"tap:a\" {\n\n    mtu = 68\n}\n",
     "site.conf:3: mtu \"68\": expected a number of octets from 576 to 65520"},
    {"a duration without a unit", "link \"tap:a\" { delay = 20 }",
     "site.conf:1: delay \"20\": expected a duration such as 20ms, 1.5s or 2h, at most 60s"},
    {"a chance above one", "link \"tap:a\" { loss = 120% }",
     "site.conf:1: loss \"120%\": expected a chance such as 2%, 0.5% or 0.01"},
    {"a device of no kind", "link \"eth0\" {\n}\n",
     "site.conf:2: link \"eth0\": expected \"tap:NAME\" or \"host\""},
    {"a device with too long a name", "link \"tap:a-name-of-16-oct\" {\n}\n",
     "site.conf:2: link \"tap:a-name-of-16-oct\": expected \"tap:NAME\" or \"host\""},
    {"two blocks of a kind", "web {\n}\nweb {\n}\n",
     "site.conf:4: a second block \"web\" ends here: expected one at most"},
    {"a brace that is missing", "web {\n name = www\n",
     "site.conf:2: the file ends inside of the block \"web\": expected }"},
    {"a string that does not end", "domain = \"abc\n",
     "site.conf:1: premature end of file: a value, a string or a comment does not end"},
    {"a comment that does not end", "/* abc\n", "site.conf:1: a comment does not end"},
    {"an option without a value", "domain =\nweb {}\n", "site.conf:2: unexpected token '{'"},
    {"an option without a value at the end", "domain =", "site.conf:1: unexpected token '='"},
    {"a brace too many", "web {}\n}\n", "site.conf:2: unexpected closing brace"},
    {"an octet that is no syntax", "web {\n = \n}", "site.conf:2: unexpected token '='"},
    {"a pool outside of the network",
     "link \"tap:a\" { address = \"10.1.0.1/24\" }\naddresses {\n pool = \"10.2.0.5-10.2.0.9\" }\n",
     "site.conf:3: addresses pool: 10.2.0.5 is not a host of the link's network 10.1.0.0/24"},
    {"a pool backwards", "addresses { pool = \"10.0.2.9-10.0.2.5\" }",
     "site.conf:1: pool \"10.0.2.9-10.0.2.5\": expected two IPv4 addresses, FIRST-LAST, such as "
     "10.0.2.15-10.0.2.254"},
    {"a pool with the gateway in it", "addresses {\n pool = \"10.0.2.1-10.0.2.9\" }\n",
     "site.conf:2: addresses pool: it contains 10.0.2.1, which is the link's own address"},
    {"a pool that ends with the gateway",
     "link \"tap:a\" { address = \"10.0.2.9/24\" }\naddresses { pool = \"10.0.2.3-10.0.2.9\" }\n",
     "site.conf:2: addresses pool: it contains 10.0.2.9, which is the link's own address"},
    {"a pool around the gateway", "link \"tap:a\" { address = \"10.0.2.9/24\" }\n"
     "addresses { pool = \"10.0.2.3-10.0.2.8\" }\n", NULL},
    {"a pool with the host's loopback in it",
     "gateway {}\naddresses { pool = \"10.0.2.2-10.0.2.9\" }\n",
     "site.conf:2: addresses pool: it contains 10.0.2.2, which is the host's loopback"},
    {"a host without an address", "addresses {\n host \"a\" { mac = \"02:00:00:00:00:01\" }\n}\n",
     "site.conf:2: host \"a\": expected both mac and address"},
    {"two hosts with one address",
     "addresses {\n host \"a\" { mac = \"02:00:00:00:00:01\" address = 10.0.2.9 }\n"
     " host \"b\" { mac = \"02:00:00:00:00:02\" address = 10.0.2.9 }\n}\n",
     "site.conf:3: host address: hosts \"a\" and \"b\" have the same"},
    {"a record that is none", "domain = a.test\nnames {\n record = {\"a A 10.0.2.9\",\n"
     "\"b A 10.0.2\"} }\n",
     "site.conf:4: record \"b A 10.0.2\": expected a record such as \"printer A 10.0.2.9\", at "
     "most 256 of them"},
    {"a port published twice", "gateway { publish = {8080, \"127.0.0.1:8080:80\"} }",
     "site.conf:1: gateway publish: 127.0.0.1:8080 is published twice"},
    {"services on the host's own address",
     "link \"host\" { address = \"127.0.0.1/8\" }\nweb { listen = 8080 }\n", NULL},
    {"workers on the host's own sockets",
     "workers = auto\nlink \"host\" { address = \"127.0.0.1/8\" }\nweb { listen = 8080 }\n", NULL},
    {"workers on a stack of ours", "workers = 2\nlink \"tap:a\" {}\n",
     "site.conf:1: workers: expected 1: several are for link \"host\", a stack of our own is one thread's"},
    {"no workers", "workers = 0\n",
     "site.conf:1: workers \"0\": expected the number of threads that serve, 1 to 64, or auto"},
    {"a link to the host without an address", "link \"host\" {}\n",
     "site.conf: link address: link \"host\" needs the host's own address on the network that it "
     "serves"},
    {"a loopback address on a device", "link \"tap:a\" {\naddress = \"127.0.0.1/8\" }\n",
     "site.conf:2: link address: a loopback address is for link \"host\" alone"},
    {"DHCP on no device", "link \"host\" { address = \"10.0.2.1/24\" }\naddresses {}\n",
     "site.conf: addresses interface: on link \"host\" it must name the network device to serve"},
    {"a gateway on the host's network", "link \"host\" { address = \"10.0.2.1/24\" }\ngateway { internet = host }\n",
     "site.conf:2: gateway internet: a gateway needs a link \"tap:NAME\"; the services of link "
     "\"host\" are on the host's own network"},
    {"a congestion control of the host's TCP",
     "link \"host\" { address = \"127.0.0.1/8\" congestion = bbr }\nweb { listen = 8080 }\n",
     "site.conf:1: link congestion: congestion, ecn and syn-cookies need a link \"tap:NAME\": TCP is the host's "
     "here"},
    {"a congestion control that there is not", "link \"tap:a\" { congestion = vegas }",
     "site.conf:1: congestion \"vegas\": expected cubic, newreno or bbr"},
    {"jitter without delay", "link \"tap:a\" { jitter = 5ms }",
     "site.conf:1: link jitter: it is larger than the delay that it varies"},
    {"a domain that is none", "domain = \"-a-.test\"",
     "site.conf:1: domain \"-a-.test\": expected a domain name such as home.arpa"},
    {"a zone without a file", "names { zone = {\"example.org\"} }",
     "site.conf:1: zone \"example.org\": expected a zone's name and its file, such as \"example.org "
     "/srv/example.org.zone\", at most 64 of them"},
    {"a size that no datagram has", "names { udp-size = 100 }",
     "site.conf:1: udp-size \"100\": expected a number of octets from 512 to 4096"},
    {"cookies of no kind", "names { cookies = sweet }",
     "site.conf:1: cookies \"sweet\": expected on, off or required"},
    {"signing without keys", "names {\n signing \"a.\" { }\n}",
     "site.conf:2: signing \"a.\": expected keys, the directory of its keys"},
    {"signing what is no zone", "names {\n signing \"a..b\" { keys = k }\n}",
     "site.conf:2: signing \"a..b\": expected the name of a zone, or *"},
    {"signing twice", "names {\n signing \"a\" { keys = k }\n signing \"A.\" { keys = k }\n}",
     "site.conf:3: signing \"A.\": there are two for that zone"},
    {"an old algorithm", "names {\n signing \"a\" { keys = k\n algorithm = RSASHA1 }\n}",
     "site.conf:3: algorithm \"RSASHA1\": expected ECDSAP256SHA256, ECDSAP384SHA384, ED25519, ED448, RSASHA256 or RSASHA512"},
    {"opt-out without NSEC3", "names {\n signing \"a\" { keys = k opt-out = on }\n}",
     "site.conf:2: signing \"a\": opt-out: expected nsec3 = on beside it"},
    {"signatures that are renewed when they are made", "names {\n signing \"a\" { keys = k validity = 1h refresh = 1h }\n}",
     "site.conf:2: signing \"a\": expected a refresh and a jitter that are less than the validity together"},
    {"a salt that is too long", "names {\n signing \"a\" { keys = k\n salt = 000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00 }\n}",
     "site.conf:3: salt \"000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f00\": expected at most 32 octets in hexadecimal, or -"},
    {"a key of two minds", "names {\n key \"a\" { secret = AAAA file = f }\n}",
     "site.conf:2: key \"a\": expected either secret or file"},
    {"a key without a secret", "names {\n key \"a\" { algorithm = hmac-sha1 }\n}",
     "site.conf:2: key \"a\": expected either secret or file"},
    {"a wrong secret is not repeated", "names {\n key \"a\" { secret = \"A A\" }\n}",
     "site.conf:2: secret \"…\": expected octets in base64, at most 256"},
    {"two keys of a name", "names {\n key \"a\" { secret = AAAA }\n key \"A.\" { secret = AAAA }\n}",
     "site.conf:3: key \"A.\": there are two of that name"},
    {"a key that is not there", "names {\n secondaries = {\"10.0.0.0/8 key b\"}\n}",
     "secondaries: there is no key \"b\""},
    {"an update by a key that is not there",
     "names {\n journal = j\n update = {\"key b self\"}\n}", "update: there is no key \"b\""},
    {"updates without a journal", "names {\n update = {\"127.0.0.1\"}\n}",
     "update: expected a journal too, the file in which changes are kept"},
    {"an update of oneself without a name", "names {\n update = {\"127.0.0.1 self\"}\n}",
     "site.conf:2: update \"127.0.0.1 self\": " UPDATE_EXPECTED},
    {"an update of no type", "names {\n update = {\"127.0.0.1 types\"}\n}", "site.conf:2: update \"127.0.0.1 types\": " UPDATE_EXPECTED},
    {"an update of a type of questions", "names {\n update = {\"127.0.0.1 types A ANY\"}\n}",
     "site.conf:2: update \"127.0.0.1 types A ANY\": " UPDATE_EXPECTED},
    {"an update of nobody", "names {\n update = {\"types A\"}\n}", "site.conf:2: update \"types A\": " UPDATE_EXPECTED},
    {"an update with something behind", "names {\n update = {\"127.0.0.1 below x.example A\"}\n}",
     "site.conf:2: update \"127.0.0.1 below x.example A\": " UPDATE_EXPECTED},
    {"a rule that ends early", "names {\n secondaries = {\"10.0.0.0/8 key\"}\n}",
     "site.conf:2: secondaries \"10.0.0.0/8 key\": expected any, networks or addresses such as 10.0.0.0/8 or "
     "fd00::1, keys such as \"key inside\", or both: \"10.0.0.0/8 key inside\"; at most 32"},
    {"a secondary without a primary", "names {\n secondary \"a\" {\n}\n}",
     "site.conf:3: secondary \"a\": expected primaries"},
    {"two secondaries of a name", "names {\n secondary \"a\" { primaries = {10.0.0.1} }\n secondary \"A\" { primaries = {10.0.0.1} }\n}",
     "site.conf:3: secondary \"A\": there are two of that name"},
    {"a primary with a key that is not there", "names {\n secondary \"a\" { primaries = {\"10.0.0.1 key b\"} }\n}",
     "primaries: there is no key \"b\""},
    {"a primary of no form", "names {\n secondary \"a\" { primaries = {\"10.0.0.1 b\"} }\n}",
     "site.conf:2: primaries \"10.0.0.1 b\": expected name servers such as 192.0.2.53, [2001:db8::53]:5353 or "
     "\"192.0.2.53 key transfer\", with \"#\" and perhaps a name behind the address for TLS, at most 8 of them"},
    {"news over TLS", "names {\n notify = {\"10.0.0.1#\"}\n}",
     "site.conf:2: notify \"10.0.0.1#\": expected servers, which are those that a zone names, or name servers such as 192.0.2.53, [2001:db8::53]:5353 or "
     "\"192.0.2.53 key transfer\", at most 16 of them"},
    {"a catalog from nowhere", "names {\n catalog \"a\" { directory = m }\n}",
     "site.conf:2: catalog \"a\": expected primaries, or a block \"secondary\" of that name"},
    {"a catalog with a key that is not there",
     "names {\n catalog \"a\" { primaries = {10.0.0.1} group \"g\" { primaries = {\"10.0.0.1 key k\"} } }\n}",
     "primaries: there is no key \"k\""},
    {"a group without a name", "names {\n catalog \"a\" { primaries = {10.0.0.1} group \"\" {} }\n}",
     "site.conf:2: group \"\": expected at most 4 groups, of names up to 63 octets"},
    {"a view for nobody", "names {\n view \"a\" { zones = \"/srv\" }\n}",
     "site.conf:2: view \"a\": expected clients"},
    {"a view for no network", "names {\n view \"a\" {\n clients = {\"10.0.0.0/33\"} }\n}",
     "site.conf:3: clients \"10.0.0.0/33\": expected any, networks or addresses such as 10.0.0.0/8 or "
     "fd00::1, keys such as \"key inside\", or both: \"10.0.0.0/8 key inside\"; at most 32"},
    {"a view for a key that is not there", "names {\n view \"a\" { clients = {\"key k\"} }\n}",
     "clients: there is no key \"k\""},
    {"a policy where nothing is resolved",
     "names {\n resolve = none view \"a\" { clients = {any} hosts = \"/h\" }\n}",
     "view \"a\": there is a policy or hosts, but no recursion"},
    {"a view without a name", "names {\n view \"\" { clients = {\"10.0.0.1\"} }\n}",
     "site.conf:2: view \"\": expected one label of letters, digits and hyphens"},
    {"a fifth name server", "addresses { dns = {10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1,10.0.0.1} }",
     "site.conf:1: dns \"10.0.0.1\": expected IPv4 addresses, at most 4"},
};

static void complaints_say_file_line_and_what_was_expected(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char complaint[512] = "";
        struct site_config *config = read_text(files[i].content, complaint, sizeof complaint);
        const char *want = files[i].want != NULL ? files[i].want : "";
        if (strcmp(complaint, want) != 0 || (config != NULL) != (files[i].want == NULL))
            fail_msg("%s:\n got \"%s\"\nwant \"%s\"", files[i].name, complaint, want);
        site_config_free(config);
    }
}

static void every_option_reaches_its_field(void **state UNUSED)
{
    static const char content[] =
        "domain = \"lab.test\"\ncontrol = lab\n"
        "link \"tap:wn0\" { address = \"10.9.8.1/24\" mac = \"02:01:02:03:04:05\" mtu = 1400\n"
        "  delay = 20ms jitter = 5ms loss = 2% duplicate = 0.01 reorder = 3% corrupt = 0.5%\n"
        "  rate = 10mbit queue = 50 mark = 9 seed = 7 congestion = bbr ecn = ask\n"
        "  syn-cookies = always }\n"
        "gateway { internet = none host-loopback = off host-address = 10.9.8.7\n"
        "  publish = {\"0.0.0.0:8080:80\", \"5353:53/udp\", \"[::1]:443\"} }\n"
        "addresses { pool = \"10.9.8.20-10.9.8.30\" lease-time = 1h router = none\n"
        "  dns = {10.9.8.1, 10.9.8.9} interface = eth1\n"
        "  host \"printer\" { mac = \"02:00:00:00:00:10\" address = 10.9.8.10 } }\n"
        "names { listen = 5353 forward = {host, 192.0.2.53, \"[2001:db8::1]:5300\"} closed = on\n"
        "  ttl = 5m record = {\"a A 10.9.8.10\"} zone = {\"a.org /a\", \"b.org /b\"} zones = \"/z\"\n"
        "  minimal = on cookies = required udp-size = 1400 identity = ns1 version = \"1\"\n"
        "  rate-limit = 20 rate-slip = 3 rate-prefix-v4 = 32 rate-prefix-v6 = 64 journal = kept update = {\"key k\", \"10.1.0.0/16 below d.example types A TYPE7\", \"10.2.0.1 key k self\", \"key self name x.example\", \"key k below-self types TXT\"} key \"self\" {secret = AAAA} secondaries = {\"10.1.0.0/16\", 10.2.0.1, \"key k\", \"10.3.0.1 key k\"}\n"
        "  notify = {10.4.0.1, servers, \"10.4.0.2:54 key k\"}\n"
        "  secondary \"s.org\" { primaries = {10.5.0.1, \"[fd00::5]:54 key k\", \"10.5.0.2#ns.x key k\", \"10.5.0.3:99#\"} file = \"s\" size = 64M notify = {10.6.0.1} }\n"
        "  publish-catalog = \"mine.cat\" catalog \"s.org\" { directory = m notify = {10.6.0.7} group \"g\" { primaries = {\"10.7.0.1 key k\"} size = 1M } }\n"
        "  key \"k\" { algorithm = hmac-sha512 secret = \"c2VjcmV0\" }\n"
        "  signing \"*\" { keys = \"/keys\" }\n"
        "  signing \"b.example\" { keys = k algorithm = ED25519 separate = on nsec3 = on opt-out = on salt = aabb iterations = 3\n"
        "   validity = 28d serial = unixtime zonemd = on key-ttl = 2h zsk-lifetime = 30d parent = {192.0.2.1, \"[2001:db8::1]:5353\"} }\n"
        "  signing \"c.example\" { sign = off }\n"
        "  query-for = {\"10.0.0.0/8\", any} cache-for = {127.0.0.1}\n"
        "  view \"in\" { clients = {\"10.0.0.0/8\", \"fd00::1\", \"key k\"} zone = {\"a.org /in\"} zones = \"/zi\"\n"
        "   query-for = {any} recursion = off policy = {none} record = {\"x.org. A 10.9.8.2\"}\n"
        "   secondary \"s.org\" { primaries = {10.5.0.9} } } }\n"
        "web { listen = \"10.9.8.1:8080\" name = web root = \"/srv/www\" connections = 10 }\n";
    char complaint[512] = "";
    struct site_config *c = read_text(content, complaint, sizeof complaint);
    if (c == NULL)
        fail_msg("%s", complaint);
    assert_string_equal(c->domain, "lab.test");
    assert_string_equal(c->control, "lab");
    assert_int_equal(c->link.device, SITE_DEVICE_TAP);
    assert_string_equal(c->link.name, "wn0");
    assert_int_equal(address_v4_value(&c->link.address.address), 0x0a090801);
    assert_int_equal(c->link.address.len, 24);
    assert_int_equal(site_config_mac(c).octets[5], 5);
    assert_int_equal(c->link.mtu, 1400);
    assert_int_equal(c->link.impairments.delay, 20000);
    assert_int_equal(c->link.impairments.jitter, 5000);
    assert_int_equal(c->link.impairments.loss, 20000);
    assert_int_equal(c->link.impairments.duplicate, 10000);
    assert_int_equal(c->link.impairments.reorder, 30000);
    assert_int_equal(c->link.impairments.corrupt, 5000);
    assert_int_equal(c->link.impairments.rate, 10000000);
    assert_int_equal(c->link.impairments.queue, 50);
    assert_int_equal(c->link.seed, 7);
    assert_int_equal(c->link.impairments.mark, 9);
    assert_int_equal(c->link.congestion, TCP_CONGESTION_BBR);
    assert_int_equal(c->link.ecn, TCP_ECN_ASK);
    assert_int_equal(c->link.syn_cookies, TCP_SYN_COOKIES_ALWAYS);
    assert_false(c->gateway.internet);
    assert_false(c->gateway.host_loopback);
    assert_int_equal(address_v4_value(&c->gateway.host_address), 0x0a090807);
    assert_int_equal(c->gateway.published_count, 3);
    assert_int_equal(c->gateway.published[0].inside_port, 80);
    assert_true(c->gateway.published[1].udp);
    assert_int_equal(c->gateway.published[2].outside.port, 443);
    assert_int_equal(address_v4_value(&c->addresses.pool_first), 0x0a090814);
    assert_int_equal(address_v4_value(&c->addresses.pool_last), 0x0a09081e);
    assert_int_equal(c->addresses.lease_time, USEC_PER_HOUR);
    assert_true(address_is_any(&c->addresses.router));
    assert_int_equal(c->addresses.dns_count, 2);
    assert_string_equal(c->addresses.interface, "eth1");
    assert_int_equal(c->addresses.host_count, 1);
    assert_string_equal(c->addresses.hosts[0].name, "printer");
    assert_int_equal(address_v4_value(&c->addresses.hosts[0].address), 0x0a09080a);
    assert_int_equal(c->names.listen.port, 5353);
    assert_false(c->names.forward_host); /* there is no Internet */
    assert_int_equal(c->names.forwarder_count, 2);
    assert_int_equal(c->names.forwarders[0].port, 53);
    assert_int_equal(c->names.forwarders[1].port, 5300);
    assert_true(c->names.closed);
    assert_int_equal(c->names.ttl, 300 * USEC_PER_SEC);
    assert_string_equal(c->names.records[0], "a A 10.9.8.10");
    assert_int_equal(c->authority.everybody.zone_count, 2);
    assert_string_equal(c->authority.everybody.zones[1], "b.org /b");
    assert_string_equal(c->authority.everybody.from, "/z");
    assert_true(c->authority.minimal);
    assert_int_equal(c->authority.cookies, SITE_COOKIES_REQUIRED);
    assert_int_equal(c->authority.udp_size, 1400);
    assert_string_equal(c->authority.identity, "ns1");
    assert_string_equal(c->authority.version, "1");
    assert_int_equal(c->authority.rate_limit, 20);
    assert_int_equal(c->authority.rate_slip, 3);
    assert_int_equal(c->authority.rate_prefix_v4, 32);
    assert_int_equal(c->authority.rate_prefix_v6, 64);
    assert_int_equal(c->authority.secondaries.rules[1].network.len, 32);
    assert_int_equal(c->authority.secondaries.count, 4);
    assert_true(c->authority.secondaries.rules[2].any_network && !c->authority.secondaries.rules[3].any_network);
    assert_string_equal(c->authority.secondaries.rules[2].key, "k");
    assert_string_equal(c->authority.secondaries.rules[3].key, "k");
    const struct site_update *u = c->authority.updates;
    assert_int_equal(c->authority.update_count, 5);
    assert_string_equal(c->names.journal, "kept");
    assert_true(u[0].who.any_network && u[0].scope == SITE_SCOPE_ANY && u[0].type_count == 0);
    assert_string_equal(u[0].who.key, "k");
    assert_true(!u[1].who.any_network && u[1].who.key[0] == '\0' && u[1].scope == SITE_SCOPE_BELOW);
    assert_string_equal(u[1].name, "d.example");
    assert_true(u[1].type_count == 2 && u[1].types[0] == 1 && u[1].types[1] == 7);
    assert_true(!u[2].who.any_network && u[2].scope == SITE_SCOPE_SELF);
    assert_string_equal(u[3].who.key, "self");
    assert_true(u[3].scope == SITE_SCOPE_NAME && u[4].scope == SITE_SCOPE_BELOW_SELF);
    assert_string_equal(c->authority.secondaries.rules[1].key, "");
    assert_int_equal(c->keys.count, 2);
    assert_int_equal(c->keys.keys[1].algorithm, TSIG_HMAC_SHA512);
    assert_int_equal(c->keys.keys[1].secret_len, 6);
    assert_int_equal(c->signatures.count, 3);
    const struct site_signature *all = &c->signatures.zones[0], *b = &c->signatures.zones[1];
    assert_string_equal(all->zone, "*");
    assert_string_equal(all->keys, "/keys");
    assert_int_equal(all->algorithm, 13);
    assert_int_equal(all->policy.validity, 14 * 86400);
    assert_int_equal(all->policy.refresh, 7 * 86400);
    assert_int_equal(all->policy.jitter, 2 * 86400);
    assert_int_equal(all->parent_count, 0);
    assert_int_equal(b->algorithm, 15);
    assert_true(b->separate && b->policy.nsec3 && b->policy.opt_out && b->policy.zonemd);
    assert_int_equal(b->policy.salt_len, 2);
    assert_int_equal(b->policy.iterations, 3);
    assert_int_equal(b->policy.refresh, 14 * 86400);
    assert_int_equal(b->policy.serial, SIGN_SERIAL_UNIXTIME);
    assert_int_equal(b->policy.key_ttl, 7200);
    assert_int_equal(b->roll.zsk_lifetime, 30 * 86400);
    assert_int_equal(b->parent_count, 2);
    assert_int_equal(b->parents[0].port, 53);
    assert_int_equal(b->parents[1].port, 5353);
    assert_true(c->signatures.zones[2].off);
    assert_int_equal(c->authority.notified.count, 2);
    assert_true(c->authority.notified.servers);
    assert_int_equal(c->authority.notified.peers[1].at.port, 54);
    assert_int_equal(c->secondaries.count, 2);
    assert_int_equal(c->secondaries.zones[0].view, 0);
    assert_string_equal(c->secondaries.zones[0].zone, "s.org");
    assert_int_equal(c->secondaries.zones[1].view, SITE_VIEWS_MAX);
    assert_string_equal(c->secondaries.zones[1].zone, "s.org");
    assert_string_equal(c->secondaries.zones[1].file, "s");
    assert_int_equal(c->secondaries.zones[1].primaries.count, 4);
    assert_false(c->secondaries.zones[1].primaries.peers[1].secure);
    assert_true(c->secondaries.zones[1].primaries.peers[2].secure && c->secondaries.zones[1].primaries.peers[3].secure);
    assert_int_equal(c->secondaries.zones[1].primaries.peers[2].at.port, 853);
    assert_string_equal(c->secondaries.zones[1].primaries.peers[2].tls_name, "ns.x");
    assert_string_equal(c->secondaries.zones[1].primaries.peers[2].key, "k");
    assert_int_equal(c->secondaries.zones[1].primaries.peers[3].at.port, 99);
    assert_string_equal(c->secondaries.zones[1].primaries.peers[3].tls_name, "");
    assert_int_equal(c->secondaries.zones[1].primaries.peers[0].at.port, 53);
    assert_string_equal(c->secondaries.zones[1].primaries.peers[1].key, "k");
    assert_int_equal(c->secondaries.zones[1].notified.count, 1);
    assert_int_equal(c->secondaries.zones[1].octets_max, 64 << 20);
    const struct site_catalog *catalog = &c->catalogs.catalogs[0];
    assert_int_equal(c->catalogs.count, 1);
    assert_string_equal(c->catalogs.own, "mine.cat");
    assert_string_equal(catalog->zone, "s.org");
    assert_string_equal(catalog->directory, "m");
    assert_int_equal(catalog->member.primaries.count, 4); /* the catalog's own */
    assert_int_equal(catalog->group_count, 1);
    assert_string_equal(catalog->groups[0].name, "g");
    assert_int_equal(catalog->groups[0].member.primaries.count, 1);
    assert_string_equal(catalog->groups[0].member.primaries.peers[0].key, "k");
    assert_int_equal(catalog->groups[0].member.octets_max, 1 << 20);
    assert_int_equal(catalog->groups[0].member.notified.count, 1);
    assert_int_equal(c->authority.view_count, 1);
    assert_string_equal(c->views[0].name, "in");
    const struct site_seen *seen = &c->authority.seen[0];
    assert_int_equal(seen->clients.count, 3);
    assert_int_equal(seen->clients.rules[0].network.len, 8);
    assert_int_equal(seen->clients.rules[1].network.len, 128);
    assert_string_equal(seen->clients.rules[2].key, "k");
    assert_true(seen->reach.queries.rules[0].any_network && seen->reach.queries.rules[0].key[0] == '\0');
    assert_true(seen->reach.own_names_only);
    assert_true(seen->lists.none);
    assert_string_equal(c->views[0].records[0], "x.org. A 10.9.8.2");
    assert_string_equal(seen->source.zones[0], "a.org /in");
    assert_string_equal(seen->source.from, "/zi");
    assert_int_equal(c->authority.reach.queries.count, 2);
    assert_int_equal(c->authority.reach.cache.rules[0].network.len, 32);
    assert_int_equal(c->web.config.listens[0].at.port, 8080);
    assert_int_equal(address_v4_value(&c->web.config.listens[0].at.address), 0x0a090801);
    assert_string_equal(c->web.name, "web");
    assert_string_equal(c->web.config.rules[0].root, "/srv/www");
    assert_int_equal(c->web.config.connections_max, 10);
    site_config_free(c);
}

static void the_builtin_site_is_10_0_2_0(void **state UNUSED)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *c = site_config_builtin();
    assert_non_null(c);
    assert_true(site_config_finish(c, &error));
    assert_string_equal(c->domain, "home.arpa");
    assert_int_equal(address_v4_value(&c->link.address.address), 0x0a000201);
    assert_int_equal(address_v4_value(&c->gateway.host_address), 0x0a000202);
    assert_int_equal(address_v4_value(&c->addresses.pool_first), 0x0a00020f);
    assert_int_equal(address_v4_value(&c->addresses.pool_last), 0x0a0002fe);
    assert_int_equal(address_v4_value(&c->addresses.router), 0x0a000201);
    assert_int_equal(address_v4_value(&c->addresses.dns[0]), 0x0a000201);
    assert_true(c->gateway.internet && c->gateway.host_loopback && c->names.forward_host);
    assert_true(c->names.present && c->web.present && c->addresses.present);
    assert_false(c->names.closed);
    site_config_free(c);
}

static void an_address_moves_the_whole_network(void **state UNUSED)
{
    static const struct {
        const char *cidr;
        uint32_t ours, host, first, last;
    } cases[] = {
        {"192.168.7.0/24", 0xc0a80701, 0xc0a80702, 0xc0a8070f, 0xc0a807fe},
        {"192.168.7.9/24", 0xc0a80709, 0xc0a80702, 0xc0a8070f, 0xc0a807fe},
        {"172.16.0.0/29", 0xac100001, 0xac100002, 0xac100003, 0xac100006},
        {"10.0.0.0/8", 0x0a000001, 0x0a000002, 0x0a00000f, 0x0a01000e},
        /* Ours where the pool would be: what is larger of its two parts. */
        {"192.168.7.15/24", 0xc0a8070f, 0xc0a80702, 0xc0a80710, 0xc0a807fe},
        {"192.168.7.254/24", 0xc0a807fe, 0xc0a80702, 0xc0a8070f, 0xc0a807fd},
        {"192.168.7.200/24", 0xc0a807c8, 0xc0a80702, 0xc0a8070f, 0xc0a807c7},
        {"172.16.0.6/29", 0xac100006, 0xac100002, 0xac100003, 0xac100005},
        {"10.9.0.5/8", 0x0a090005, 0x0a000002, 0x0a00000f, 0x0a01000e},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char complaint[512] = "";
        struct text error = text_of(complaint, sizeof complaint);
        struct site_config *c = site_config_builtin();
        assert_non_null(c);
        CHECK(cases[i].cidr, site_config_set(c, "link", "address", cases[i].cidr, &error));
        if (!site_config_finish(c, &error))
            fail_msg("%s: %s", cases[i].cidr, complaint);
        CHECK_EQUAL(cases[i].cidr, address_v4_value(&c->link.address.address), cases[i].ours);
        CHECK_EQUAL(cases[i].cidr, address_v4_value(&c->gateway.host_address), cases[i].host);
        CHECK_EQUAL(cases[i].cidr, address_v4_value(&c->addresses.pool_first), cases[i].first);
        CHECK_EQUAL(cases[i].cidr, address_v4_value(&c->addresses.pool_last), cases[i].last);
        CHECK_EQUAL(cases[i].cidr, address_v4_value(&c->addresses.dns[0]), cases[i].ours);
        site_config_free(c);
    }
}

static void a_file_that_is_not_there_is_named(void **state UNUSED)
{
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    assert_null(site_config_read("/no/such/site.conf", &error));
    assert_string_equal(complaint, "/no/such/site.conf: No such file or directory");
}

/* What is around a location is its own too, but for the lists that it gives anew. */
static void rules_of_the_web_are_inherited(void **state UNUSED)
{
    static const char text[] =
        "web {\n listen = {8080, \"127.0.0.1:8443 tls\"}\n root = /srv\n listing = off\n"
        " header = {\"A: 1\", \"B: 2\"}\n"
        " location \"/up/\" { upload = on\n header = {\"C: 3\"} }\n"
        " site \"example.org\" { names = {\"*.example.org\"}\n root = /srv/org\n"
        "  location \"*.md\" { type = {\"md text/markdown\"} } }\n}\n";
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *c = site_config_parse("site.conf", text, &error);
    if (c == NULL || !site_config_finish(c, &error))
        fail_msg("%s", complaint);
    const struct web_config *web = &c->web.config;
    assert_int_equal(web->listen_count, 2);
    assert_true(web->listens[1].tls && !web->listens[0].tls);
    assert_int_equal(web->host_count, 2);
    assert_int_equal(web->rule_count, 4);
    assert_int_equal(web->rules[0].header_count, 2);
    assert_string_equal(web->rules[1].root, "/srv");
    assert_true(web->rules[1].upload && web->rules[1].listing_off && !web->rules[0].upload);
    assert_int_equal(web->rules[1].header_count, 1);
    assert_string_equal(web->rules[1].headers[0], "C: 3");
    assert_int_equal(web->hosts[1].rule_first, 2);
    assert_int_equal(web->hosts[1].name_count, 2);
    assert_string_equal(web->hosts[1].names[0], "example.org");
    assert_string_equal(web->rules[3].root, "/srv/org");
    assert_int_equal(web->rules[3].match, WEB_MATCH_SUFFIX);
    assert_int_equal(web->rules[3].header_count, 2);
    struct site_config *again = site_config_parse("site.conf", text, &error);
    assert_non_null(again);
    assert_true(site_config_finish(again, &error));
    assert_true(web_config_equal(web, &again->web.config));
    again->web.config.rules[3].hidden = true;
    assert_false(web_config_equal(web, &again->web.config));
    site_config_free(again);
    site_config_free(c);
}

static void relative_paths_begin_where_the_file_is(void **state UNUSED)
{
    static const char text[] = "link \"host\" { address = \"127.0.0.1/8\" }\n"
                               "addresses { leases = a/leases }\n"
                               "names { resolve = recursive roots = /abs/roots anchors = root }\n"
                               "web { access-log = log root = \"../www\" certificate = c.pem }\n";
    char complaint[512] = "";
    struct text error = text_of(complaint, sizeof complaint);
    struct site_config *config = site_config_parse("some/where/site.conf", text, &error);
    if (config == NULL)
        fail_msg("%s", complaint);
    assert_string_equal(config->addresses.leases, "some/where/a/leases");
    assert_string_equal(config->recursion.roots, "/abs/roots");
    assert_string_equal(config->recursion.anchors, "root");
    assert_string_equal(config->web.config.access_log, "some/where/log");
    assert_string_equal(config->web.config.hosts[0].certificate, "some/where/c.pem");
    assert_string_equal(config->web.config.rules[0].root, "some/where/../www");
    site_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_of_the_web_are_inherited),
        cmocka_unit_test(complaints_say_file_line_and_what_was_expected),
        cmocka_unit_test(every_option_reaches_its_field),
        cmocka_unit_test(the_builtin_site_is_10_0_2_0),
        cmocka_unit_test(an_address_moves_the_whole_network),
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(relative_paths_begin_where_the_file_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
