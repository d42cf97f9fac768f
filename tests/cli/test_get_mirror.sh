#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet get --recursive: which pages, under which names, robots.txt, links that lead to files, a second run; and
# the same files as wget(1).
. tests/lib.sh
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
if ! command -v python3 >/dev/null; then
    skip "--recursive" "python3 is not installed"
    finish
fi
python3 -u tests/support/site_server.py >"$tmp/port" 2>"$tmp/server.log" &
children="$children $!"
wait_for test -s "$tmp/port"
port=$(cat "$tmp/port")
at=http://127.0.0.1:$port
here=127.0.0.1:$port
get() { capture "$wholenet" get "$@"; }
asked() { "$wholenet" get -q $at/.log; }
files() { (cd "$1" && find . -type f | sort | sed "s/:$port//"); }
cd "$tmp" || exit 1

# ---- which pages ----
get -q -p -P one $at/
equal "-p: the page and what it is shown with" "$(files one)" "./127.0.0.1/css/main.css
./127.0.0.1/css/sub/deep.png
./127.0.0.1/css/sub/more.css
./127.0.0.1/icon.png
./127.0.0.1/img/1.png
./127.0.0.1/img/2.png
./127.0.0.1/img/3.png
./127.0.0.1/img/4.png
./127.0.0.1/img/bg.png
./127.0.0.1/index.html"
asked >log
equal "… each once, and robots.txt before" "$(sort log | uniq -d; grep -c robots log)" 1
get --recursive -P all $at/
equal "a page is missing: status 8" "$status" 8
contains "… which one" "$err" "gone.html: 404 Not Found"
asked >log
equal "each page once" "$(sort log | uniq -d)" ""
equal "not what robots.txt forbids, nor what is no link" "$(grep -c 'private\|comment\|script.html\|never' log)" 0
equal "not of other hosts" "$(files all | grep -c localhost)" 0
check "a page with a query" test -s "all/$here/b.html?x=1&y=2"
check "of another charset" test -s "all/$here/naïve.html"
check "what was moved is where it is" test -s "all/$here/new.html" -a ! -e "all/$here/moved"
equal "five deep" "$(files all | grep far | tail -1)" "./127.0.0.1/far/1.html"
get -q --mirror --ignore-robots -P deep $at/
equal "--mirror: as deep as it goes" "$(files deep | grep -c far)" 8
check "--ignore-robots" test -s "deep/$here/private/x.html"
asked >/dev/null
get -q --recursive --level 1 -P level $at/
equal "--level 1" "$(files level | grep -c 'd.html\|c.html\|deep.png')" 0
get -q --recursive --no-parent -P parent $at/dir/
equal "--no-parent" "$(files parent)" "./127.0.0.1/dir/d.html
./127.0.0.1/dir/deep/c.html
./127.0.0.1/dir/e.html
./127.0.0.1/dir/f.png
./127.0.0.1/dir/frame.html
./127.0.0.1/dir/index.html"
get -q --recursive --span-hosts -P span $at/
check "--span-hosts" test -s "span/localhost:$port/other2.html"
get -q --recursive --domains localhost -P domains $at/
check "--domains" test -s "domains/localhost:$port/other2.html"
get -q --recursive --domains example.org -P domains2 $at/
check "… others" test ! -e "domains2/localhost:$port"
get -q --recursive -P start $at/out
check "a start that leads to another host" test -s "start/localhost:$port/other2.html"
get -q --recursive --accept png,css -P accept $at/
equal "--accept: pages are looked through, and not kept" "$(files accept | grep -v 'png$\|css$')" "./127.0.0.1/dir/index.html
./127.0.0.1/index.html"
check "… what is accepted is there" test -s "accept/$here/dir/f.png"
get -q --recursive --reject 'img*,*.zip,[1-9].png' -P reject $at/
equal "--reject" "$(files reject | grep -c 'zip\|/[1-9].png')" 0
get --recursive --max-files 3 -P few $at/
equal "--max-files" "$(files few | wc -l)" 3
get --recursive --quota 100 -P quota $at/
equal "--quota" "$(files quota | wc -l)" 1
asked >/dev/null
begun=$(date +%s%N)
get -q --recursive --level 1 --max-files 4 --wait 200ms -P slow $at/
check "--wait" test $((($(date +%s%N) - begun) / 1000000)) -ge 600
get -q -Z --recursive -P parallel $at/
check "-Z: the same" diff -r all parallel

# ---- robots.txt ----
get -q $at/.robots/500
asked >/dev/null
get --recursive -P none $at/
equal "a robots.txt that cannot be had: nothing is asked for" "$(asked | grep -cv robots)" 0
check "… and it is said" test "$status" -ne 0
contains "… why" "$err" "robots.txt"
get -q $at/.robots/404
get -q --recursive -P gone $at/
check "none: all is allowed" test -s "gone/$here/private/x.html"
get -q $at/.robots/200
get --recursive -P forbidden $at/private/x.html
contains "a start that is forbidden" "$err" "robots.txt forbids it"
equal "… status 1" "$status" 1

# ---- links ----
get -q --recursive -p --convert-links -P links $at/
equal "--convert-links: status 8, for what is not there" "$status$err" 8
index=links/$here/index.html
contains "links lead to files" "$(cat $index)" '<a href="a.html">a</a> <a href=dir/index.html>dir</a>'
contains "… with a query, and a fragment" "$(cat $index)" "<a href='b.html%3Fx%3D1%26y%3D2#there'>"
contains "… of what was moved" "$(cat $index)" '<a href="new.html">moved</a>'
contains "… within the page as they were" "$(cat $index)" '<a href="#here">here</a>'
contains "… those to elsewhere whole" "$(cat $index)" "<a href=\"http://localhost:$port/other.html\">other</a>"
contains "… and those to what is not there" "$(cat $index)" "<a href=\"$at/gone.html\">gone</a>"
contains "sets of images" "$(cat $index)" 'srcset="img/2.png 2x, img/3.png 3x"'
contains "a style attribute" "$(cat $index)" 'style="background: url(&quot;img/4.png&quot;)"'
contains "scripts as they were" "$(cat $index)" "\"<a href='script.html'>\""
contains "a base is taken away" "$(cat "links/$here/a.html")" '<base href=""><a href="dir/deep/c.html">c</a><img src="img/1.png"><a href="dir/index.html">up</a>'
contains "style sheets" "$(cat "links/$here/css/main.css")" '@import "sub/more.css"; body { background: url(../img/bg.png) } /* url(no.png) */'
contains "up" "$(cat "links/$here/dir/deep/c.html")" '<a href="../../index.html">home</a><a href="../d.html">d</a>'
contains "… to a directory without its slash" "$(cat "links/$here/dir/d.html")" '<a href="index.html">no slash</a>'
check "every relative link leads to a file" python3 - "links/$here" <<'END'
import html.parser, os, sys, urllib.parse
class Links(html.parser.HTMLParser):
    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value and ":" not in value and not value.startswith("#"):
                target = os.path.join(folder, urllib.parse.unquote(value.split("#")[0]))
                assert os.path.isfile(target), (path, value)
for top, _, names in os.walk(sys.argv[1]):
    for name in names:
        path, folder = os.path.join(top, name), top
        if ".html" in name:
            Links().feed(open(path, encoding="latin-1").read())
END

# ---- once more ----
equal "files have the server's date" "$(TZ=UTC stat -c %y "all/$here/a.html" | cut -c1-19)" "2025-11-01 00:00:00"
cp -r links again
get -q --mirror -p --convert-links -P again $at/
cp -r again before
get -q -j --mirror -p --convert-links -P again $at/ 
equal "a second run: nothing has changed" "$("$wholenet" get -j --mirror -p --convert-links -P again $at/ 2>/dev/null | grep -c '"status":200')" 0
check "… and nothing is changed" diff -r before again

# ---- who wants to get out ----
mkdir -p prison/a/b
get -q --mirror -P prison/a/b $at/evil/
equal "no name leads out of the directory" "$(find prison -newer log -type f | grep -vc "^prison/a/b/$here/evil/")" 0
equal "… all are there" "$(find "prison/a/b/$here/evil" -type f | wc -l)" 10
equal "… none has a control character" "$(find prison | LC_ALL=C grep -c '[[:cntrl:]]')" 0
check "a file and a directory of one name" sh -c "test -s prison/a/b/$here/evil/x && test -s prison/a/b/$here/evil/x.d/y"
equal "a name that is too long" "$(find prison -name 'lll*' | wc -l)" 1

# ---- wget ----
if command -v wget >/dev/null; then
    rm -rf theirs
    wget -q -r -l 3 -p -P theirs $at/
    get -q --recursive --level 3 -p -P ours $at/
    # wget keeps robots.txt, names by the old place what was moved, and does not see "&quot;" in a style.
    equal "the same files as wget" "$(files ours | grep -v 'new.html\|4.png')" "$(files theirs | grep -v 'moved\|robots.txt')"
    for file in $(cd ours && find . -type f | grep -v 'new.html\|4.png'); do
        cmp "ours/$file" "theirs/$file"
    done >differences 2>&1
    equal "… of the same octets" "$(cat differences)" ""
else
    skip "the same files as wget" "wget is not installed"
fi

# ---- the command line ----
get --recursive -O $at/
equal "--recursive -O: status 2" "$status" 2
get --convert-links $at/
contains "--convert-links alone" "$err" "want --recursive"
get --recursive gopher://x/
equal "another scheme: status 2" "$status" 2
finish
