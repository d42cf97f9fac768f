#!/bin/sh
# SPDX-License-Identifier: ISC
# The documentation says what there is: every option and no other, every table of the site file, no
# link that leads nowhere.
. tests/lib.sh

# The options that the help of a command lists, and those that a manual page has items for.
help_options() {
    sed -n 's/^  *\(-., \)\{0,1\}--\([a-z0-9.-]*\).*/\2/p' | sort
}
page_options() {
    sed -n 's/^\.It.*Fl -\([a-z0-9.-]*\).*/\1/p' "$1" | sort
}
page_letters() {
    sed -n 's/^\.It Fl \([A-Za-z0-9]\) , Fl -\([a-z0-9.-]*\).*/\2 \1/p' "$1" | sort
}
for command in run serve status check ping trace lookup update get key sign trust cache script; do
    "$wholenet" $command --help >"$tmp/help"
    page=man/wholenet-$command.1
    equal "wholenet $command: the options of the help and of the manual are the same" \
        "$(page_options $page)" "$(help_options <"$tmp/help")"
    equal "… and so are their letters" "$(page_letters $page)" \
        "$(sed -n 's/^  -\(.\), --\([a-z0-9.-]*\).*/\2 \1/p' "$tmp/help" | sort)"
    contains "… and wholenet(1) names it" "$(cat man/wholenet.1)" ".It Xr wholenet-$command 1"
done

# The options of the site file: a file with one that is not known is told those that are.
known_options() {
    printf '%s\n' "$1" >"$tmp/unknown.conf"
    "$wholenet" check "$tmp/unknown.conf" 2>&1 | sed 's/.*known here: //; s/, /\n/g' |
        grep -v -x -e link -e gateway -e addresses -e host -e names -e view -e web -e proxy -e mdns -e site -e location \
            -e signing | sort
}
section_options() {
    sed -n "/^\\.Sh $1\$/,/^\\.Sh /s/^\\.It Ic \\([a-z0-9-]*\\)\$/\\1/p" man/wholenet-site.5 | sort -u
}
same_options() {
    equal "site file: the options $1 and those of the manual are the same" \
        "$(section_options "$1")" "$2"
}
same_options "OUTSIDE OF BLOCKS" "$(known_options 'unknown = 1')"
same_options LINK "$(known_options 'link "tap:a" { unknown = 1 }')"
same_options GATEWAY "$(known_options 'gateway { unknown = 1 }')"
same_options ADDRESSES "$({
    known_options 'addresses { unknown = 1 }'
    known_options 'addresses { host "a" { unknown = 1 } }'
} | sort)"
same_options NAMES "$({
    known_options 'names { unknown = 1 }'
    known_options 'names { view "a" { unknown = 1 } }'
    known_options 'names { key "a" { unknown = 1 } }'
    known_options 'names { secondary "a" { unknown = 1 } }'
    known_options 'names { catalog "a" { unknown = 1 } }'
    known_options 'names { catalog "a" { group "b" { unknown = 1 } } }'
} | grep -v -x -e key -e secondary -e catalog -e group | sort -u)"
same_options SIGNING "$(known_options 'names { signing "a" { unknown = 1 } }' | grep -v -x key)"
same_options WEB "$({
    known_options 'web { unknown = 1 }'
    known_options 'web { site "a" { unknown = 1 } }'
    echo names # also the name of a block, which known_options leaves out
} | sort -u)"

same_options MDNS "$({
    known_options 'mdns { unknown = 1 }'
    echo host # also the name of a block, which known_options leaves out
} | sort -u)"
same_options PROXY "$(known_options 'proxy { unknown = 1 }')"

# The site files in the manual are right.
awk '/^\.Sh EXAMPLES/ {on = 1} on && /^\.Ed/ {close(name); n++} on && in_block && !/^\.Ed/ {print >name}
     on && /^\.Bd/ {in_block = 1; name = "'"$tmp"'/example" n + 0 ".conf"} /^\.Ed/ {in_block = 0}' \
    man/wholenet-site.5
equal "the manual has three examples of site files" "$(ls "$tmp" | grep -c '^example')" 3
for file in "$tmp"/example*.conf; do
    check "… which are right" "$wholenet" check "$file"
done

if command -v mandoc >/dev/null; then
    check "the manual is in order" mandoc -Tlint -Wwarning man/*.[1-8]
else
    skip "the manual is in order" "there is no mandoc"
fi

# Links of the pages point to files that are there.
for page in *.md docs/*.md bench/*.md; do
    folder=$(dirname "$page")
    grep -o '](\([^)]*\))' "$page" | sed 's/^](//; s/)$//; s/#.*//' | grep -v -e '^[a-z]*:' -e '^$' |
        while read -r link; do
            [ -e "$folder/$link" ] || echo "$page: $link"
        done
done >"$tmp/dead"
equal "no link leads nowhere" "$(cat "$tmp/dead")" ""

# So do the paths of our own that pages name.
for page in *.md docs/*.md; do
    grep -o '`[a-z./_-]*/[a-z0-9./_*-]*[a-z/]`' "$page" | tr -d '`' |
        grep -e '^src/' -e '^tests/' -e '^tools/' -e '^docs/' -e '^examples/' -e '^bench/' -e '^man/' \
            -e '^web/' -e '^base/' -e '^wire/' -e '^stack/' -e '^proto/' -e '^sim/' -e '^os/' -e '^io/' \
            -e '^app/' -e '^site/' -e '^cli/' |
        while read -r path; do
            case $path in
            */a/* | */x/* | */X*) continue ;; # stands for any
            esac
            for place in "$path" "src/$path"; do
                ls -d $place* >/dev/null 2>&1 && continue 2
            done
            echo "$page: $path"
        done
done >"$tmp/dead"
equal "the files that pages name are there" "$(cat "$tmp/dead")" ""

# What the sources on names say that they leave out or do otherwise, a page says too.
grep -rhoE '(SKIPS|DEVIATES) RFC [0-9]+( §[0-9.]*[0-9])?' src/proto/dns src/app/names src/wire/dns |
    sed 's/^[A-Z]* //' | sort -u >"$tmp/said"
sed -n 's/^| \(RFC [0-9]*\( §[0-9.]*\)\{0,1\}\) |.*/\1/p' docs/protocols/dns.md | sort -u >"$tmp/told"
equal "docs/protocols/dns.md has what the sources leave out" "$(comm -23 "$tmp/said" "$tmp/told")" ""
finish
