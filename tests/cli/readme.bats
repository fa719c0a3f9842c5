# What the README says can be done is done, as it is written there.

setup() {
    work=$BATS_TEST_TMPDIR
    unset CHOIR_MODEL CHOIR_CPU NO_COLOR CLICOLOR_FORCE
    export OMP_NUM_THREADS=1 XDG_STATE_HOME=$work/state # several tests run at the same time
}

@test "the README's example compiles and runs" {
    awk '/^```c$/ {on = 1; next} /^```$/ {on = 0} on' README.md >"$work/story.c"
    [ "$(wc -l <"$work/story.c")" -gt 20 ]
    cc -std=c11 -Wall -Wextra -Werror -Iinclude -c "$work/story.c" -o "$work/story.o"
    sanitize=
    ! nm "$CHOIR_BUILD/libchoir.a" 2>/dev/null | grep -q __asan_init || sanitize=-fsanitize=address,undefined
    c++ $sanitize "$work/story.o" "$CHOIR_BUILD/libchoir.a" -lsentencepiece -ljansson -lpcre2-8 -lutf8proc -fopenmp -o "$work/story"
    run "$work/story" "The cat"
    [ "$status" -eq 0 ]
    [ -n "$output" ]
}

# What its commands name: the built-in model as model.gguf and small.gguf, a text, requests, and the program on the PATH.
readme_folder() {
    top=$PWD
    mkdir "$work/folder" "$work/bin"
    ln -s "$CHOIR_BIN" "$work/bin/choir"
    PATH=$work/bin:$PATH
    cd "$work/folder"
    cp "$top/weights/tales/tales.gguf" model.gguf
    cp model.gguf small.gguf
    for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
        echo "Once upon a time there was a little cat who had $i red balls. She liked to play with them in the garden all day." >>draft.txt
    done
    echo "One day, she" >>draft.txt # no story ends here, whatever the seed
    printf '{"prompt": "Once", "id": %d, "max_tokens": 8}\n' 1 2 3 >requests.jsonl
}

@test "every block of commands in the README runs as written" {
    readme_folder
    awk -v to="$work" '/^```sh$/ {on = 1; n++; next} /^```$/ {on = 0} on {print >(to "/block" n)}' "$top/README.md"
    n=0
    for block in "$work"/block*; do
        cat "$block"
        timeout 120 bash -euo pipefail "$block" </dev/null >"$work/out" 2>"$work/err" || {
            echo "ended with $?"
            tail -n 5 "$work/out" "$work/err"
            return 1
        }
        [ -s "$work/out" ] || [ -s answers.jsonl ]
        n=$((n + 1))
    done
    [ "$n" -ge 10 ]
    [ -s story.txt ] && [ -s speed.svg ] && [ -s less.gguf ] && [ "$(wc -l <answers.jsonl)" -eq 3 ]
}

@test "what the README, CONTRIBUTING and SECURITY name is there" {
    for page in README.md CONTRIBUTING.md SECURITY.md CHANGELOG.md; do
        grep -oE '\]\([^)#:]+\)' "$page" | tr -d '[]()' || true
        grep -oE '`[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+/?`' "$page" | tr -d '`' | grep -E "^(src|tests|tools|doc|mk|weights|tokenizer|examples|packaging|include)/" | grep -v NAME || true
    done | sort -u >"$work/names"
    [ "$(wc -l <"$work/names")" -ge 15 ]
    while read -r name; do
        [ -e "$name" ] || { echo "no $name"; return 1; }
    done <"$work/names"
}

@test "the targets that README and CONTRIBUTING name are targets" {
    run make -s help
    [ "$status" -eq 0 ]
    for target in $(grep -ohE '(^ +|`)make [a-z-]+' README.md CONTRIBUTING.md | awk '{print $2}' | tr -d '`' | sort -u); do
        echo "$target"
        make -s -n "$target" >/dev/null 2>&1 || [[ "$output" == *"make $target "* ]]
    done
    [[ "$output" == *"make run"* && "$output" == *"make test"* ]]
}

@test "the flags that the README names exist" {
    for command in generate complete bench perplexity heads quantize; do
        "$CHOIR_BIN" help "$command"
    done >"$work/help"
    for flag in $(grep -v -e --peer README.md | grep -oE -- '(^|[ `])--[a-z][a-z-]+' | tr -d ' `' | sort -u); do
        grep -qE -- "$flag( |$)" "$work/help" || [ "$flag" = --help ] || { case $flag in --cflags | --libs | --type) ;; *) echo "no $flag"; return 1 ;; esac; }
    done
}

@test "the recording is whole, small and of no other world" {
    python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' doc/complete.svg
    [ "$(wc -c <doc/complete.svg)" -lt 100000 ]
    ! grep -qE '<script|<image|href' doc/complete.svg || false
}

@test "tools/record.py draws what a program shows, where and as long as it shows it" {
    command -v python3 >/dev/null || skip "python3 is not installed"
    printf '%s\n' 'size 40 6' "run printf 'one\\n\\033[36mtwo\\033[0m <3'; sleep 1; printf '\\rgone\\033[K\\n'" \
        'see <3' 'wait 0.5' 'see gone' 'see $ ' >"$work/steps"
    timeout 60 tools/record.py "$work/moving.svg" <"$work/steps"
    grep -qE '>one</text>' "$work/moving.svg"
    grep -qE 'class="c f[0-9]+">two</text>' "$work/moving.svg" # cyan, and only for a time
    grep -qE '>&lt;3</text>' "$work/moving.svg"
    grep -qE 'class="f[0-9]+">gone</text>' "$work/moving.svg"
    timeout 60 tools/record.py --still "$work/still.svg" <"$work/steps"
    grep -qE '>gone</text>' "$work/still.svg"
    ! grep -qE '>two</text>|keyframes' "$work/still.svg" || false
    echo 'size 40 6' >"$work/steps"
    echo 'run printf "\033[6n"' >>"$work/steps"
    echo 'see x' >>"$work/steps"
    run tools/record.py "$work/no.svg" <"$work/steps"
    [ "$status" -ne 0 ]
    [[ "$output" == *"not a step"* || "$output" == *"not known"* ]]
}

@test "every public header compiles alone, as C and as C++" {
    for header in include/*.h include/*/*.h; do
        cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c "$header"
        c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c++ "$header"
    done
}
