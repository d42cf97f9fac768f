# SPDX-License-Identifier: ISC
# dns_plain_zone.sh - a zone with something of everything, that is to be signed: plain prints it.
plain() {
    cat <<END
\$TTL 300
@ SOA ns h 1 3600 600 86400 60
@ NS ns
@ MX 10 mail
ns A 192.0.2.1
mail A 192.0.2.2
www CNAME web
web A 192.0.2.3
alias CNAME x.w
gone CNAME nothing
*.w TXT "wild"
a.b.c A 192.0.2.4
d DNAME c
open NS ns.open
ns.open A 192.0.2.5
below.empty NS ns.open
shut NS ns.shut
shut DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.shut A 192.0.2.6
END
}
