#!/bin/sh
# Who may include whom (see "How the house is built" in README.md).  Prints each include that breaks a layer; fails if
# there is one.
set -eu
cd "$(dirname "$0")/.."

# layer directory, then the directories its files may include from (its own is always allowed)
rules='
src/base      -
src/kernels   base
weights       base
tokenizer     base
src/kv        base
src/model     base kernels weights kv
src/engine    base kernels weights kv model tokenizer
src/cli       base
'
bad=0
echo "$rules" | while read -r dir allowed; do
    [ -n "$dir" ] || continue
    own=${dir#src/}
    git ls-files "$dir/*.c" "$dir/*.h" "$dir/*.cc" | xargs -r grep -nE '^#include "' | while IFS= read -r line; do
        file=${line%%:*}
        name=${line#*\"}
        name=${name%%\"*}
        case $name in
        choir/status.h) continue ;;
        choir.h) case $dir in src/engine | src/cli) continue ;; esac ;;
        esac
        from=${name%%/*}
        case $name in */*) ;; *) from=$own ;; esac
        ok=0
        for a in $own $allowed; do [ "$a" = "$from" ] && ok=1; done
        [ $ok = 1 ] || echo "$file includes $name: $own may include only: $own $allowed"
    done
done >/tmp/choir_layers.$$
if [ -s /tmp/choir_layers.$$ ]; then cat /tmp/choir_layers.$$; bad=1; fi
rm -f /tmp/choir_layers.$$
exit $bad
