#!/bin/sh
# Puts the shell of the pages together: head, policy, style, body, script; the program adds data and end.  The policy forbids
# everything but this style and this script, by their hashes: nothing is loaded, no script in the data would run.
set -eu
cd "$(dirname "$0")"

style=$(cat style.css)
script=$(cat shell.js draw.js map.js large.js report.js explain.js start.js)
hash() {
    printf '%s' "$1" | sha256sum | cut -c1-64 | tr a-f A-F | basenc -d --base16 | base64
}
sed "s|STYLE_HASH|$(hash "$style")|; s|SCRIPT_HASH|$(hash "$script")|" head.html
printf '<style>%s</style>\n</head>\n' "$style"
cat body.html
printf '<script>%s</script>\n' "$script"
printf '<script type="application/json" id="data">'
