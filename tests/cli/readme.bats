# The example program of the README compiles as the README says, and tells a story.

setup() {
    work=$(mktemp -d)
}

teardown() {
    rm -rf "$work"
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

@test "every public header compiles alone, as C and as C++" {
    for header in include/*.h include/*/*.h; do
        cc -std=c11 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c "$header"
        c++ -std=c++17 -pedantic -Wall -Wextra -Werror -fsyntax-only -Iinclude -x c++ "$header"
    done
}

@test "make help lists the targets" {
    run make -s help
    [ "$status" -eq 0 ]
    [[ "$output" == *"make run"* && "$output" == *"make test"* ]]
}
