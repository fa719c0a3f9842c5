# make install and uninstall, and what was installed in use: through pkg-config, shared and static, from C and from C++.

setup_file() {
    export root=$BATS_FILE_TMPDIR/root prefix=/opt/choir
    unset MAKEFLAGS MAKELEVEL CHOIR_MODEL CHOIR_CPU
    export build=${CHOIR_BUILD#"$PWD/"} sanitize=
    # The library of a build with sanitizers wants programs with them.
    ! nm "$CHOIR_BUILD/libchoir.a" 2>/dev/null | grep -q __asan_init || sanitize=address,undefined
    install_target install
    export PKG_CONFIG_SYSROOT_DIR=$root PKG_CONFIG_LIBDIR=$root$prefix/lib/pkgconfig:$(pkg-config --variable pc_path pkg-config)
    export LD_LIBRARY_PATH=$root$prefix/lib
}

install_target() {
    make -s BUILD="$build" SANITIZE="$sanitize" PREFIX=$prefix DESTDIR="$root" "$@"
}

setup() {
    cd "$BATS_TEST_TMPDIR"
    source=$BATS_TEST_DIRNAME/../..
    flags=(-O1 ${sanitize:+-fsanitize=$sanitize})
}

@test "each file is where it should be" {
    cd "$root$prefix"
    for file in bin/choir lib/libchoir.a lib/libchoir.so.0 lib/libchoir.so lib/pkgconfig/choir.pc include/choir.h include/choir/engine.h \
        share/man/man1/choir.1 share/man/man1/choir-generate.1 share/man/man5/choir-jsonl.5 \
        share/bash-completion/completions/choir share/zsh/site-functions/_choir share/fish/vendor_completions.d/choir.fish; do
        [ -s $file ] || { echo "no $file"; return 1; }
    done
    [ "$(readlink lib/libchoir.so)" = libchoir.so.0 ]
    [ "$(find "$root" -type f ! -path "$root$prefix/*" | wc -l)" -eq 0 ]
    bin/choir --version | grep -qx "choir $(pkg-config --modversion choir)"
    grep -qx "prefix=$prefix" lib/pkgconfig/choir.pc
    ! grep -rq "$root" lib/pkgconfig share include || false
    [ -x bin/choir ] && [ ! -x lib/libchoir.a ]
}

@test "bash completes what heads can do" {
    bash -c '. "$1"; COMP_WORDS=(choir heads ""); COMP_CWORD=2; _choir; printf "%s\n" "${COMPREPLY[@]}"' - \
        "$root$prefix/share/bash-completion/completions/choir" >words
    printf '%s\n' map report explain prune-scan prune cost | cmp - words
}

@test "the shared library has its soname, and shows the public functions and nothing else" {
    readelf -d "$LD_LIBRARY_PATH/libchoir.so.0" | grep -q 'SONAME.*\[libchoir.so.0\]'
    nm -D --defined-only "$LD_LIBRARY_PATH/libchoir.so.0" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort >shown
    cat "$source"/include/choir.h "$source"/include/choir/*.h | tr '\n' ' ' | grep -oE 'CHOIR_API [^;(]*\(' |
        grep -oE 'choir_[a-z0-9_]+\(' | tr -d '(' | sort -u >public
    [ "$(wc -l <public)" -ge 50 ]
    diff public shown
}

@test "the program is position-independent and hardened" {
    readelf -hW "$root$prefix/bin/choir" | grep -q 'Type:.*DYN'
    readelf -dW "$root$prefix/bin/choir" >dynamic
    grep -q 'BIND_NOW\|NOW' dynamic
    grep -q PIE dynamic
    ! grep -qE 'TEXTREL|RPATH|RUNPATH' dynamic || false
    readelf -lW "$root$prefix/bin/choir" | grep -q GNU_RELRO
    readelf -lW "$root$prefix/bin/choir" | grep 'GNU_STACK' | grep -qv RWE
    nm -D "$root$prefix/bin/choir" | grep -q __stack_chk_fail
    [ -n "$sanitize" ] || nm -D "$root$prefix/bin/choir" | grep -q '_chk@'
}

@test "the examples are short, and run with the shared library" {
    for name in stream batch score tap; do
        [ "$(wc -l <"$source/examples/$name.c")" -lt 80 ]
        cc -std=c11 -pedantic -Wall -Wextra -Werror "${flags[@]}" "$source/examples/$name.c" $(pkg-config --cflags --libs choir) -o $name
        readelf -d $name | grep -q 'NEEDED.*libchoir.so.0'
        ! readelf -d $name | grep -q 'NEEDED.*sentencepiece' || false
    done
    ./stream "The cat" | tee out
    [ "$(wc -c <out)" -gt 60 ]
    "$root$prefix/bin/choir" generate -p "The cat" -n 100 --seed 0 | cmp - <(head -c -1 out)
    ./batch "The cat" "Once upon" | tee out
    [ "$(grep -c '^\[done: [1-9]' out)" -eq 2 ]
    grep -q '^The cat' out && grep -q '^Once upon' out
    ./score "The cat sat." "cat the. Sat" | tee out
    [ "$(grep -c ' bits a token: ' out)" -eq 2 ]
    # what is no sentence surprises more, and the text's mean is that of its tokens
    awk '/bits a token/ {d = s / n - $1; if (d > 0.002 || d < -0.002) bad = 1; mean[++texts] = $1; s = n = 0; next}
        {s += $1; n++} END {exit bad || !(mean[1] < mean[2])}' out
    ./tap "Once upon a time" | tee out
    [ "$(grep -cE '^layer [0-9]+ head [0-9]+: +[0-9]+ % to token [0-4], ' out)" -eq "$(wc -l <out)" ]
    [ "$(wc -l <out)" -ge 8 ]
}

@test "the examples run with the static library alone" {
    mkdir lib
    cp "$root$prefix/lib/libchoir.a" lib
    for name in stream batch score; do
        cc "${flags[@]}" "$source/examples/$name.c" $(pkg-config --cflags choir) -Llib $(pkg-config --static --libs-only-l --libs-only-other choir) -o $name
        ! readelf -d $name | grep libchoir || false
    done
    env -u LD_LIBRARY_PATH ./stream "The cat" >static
    [ "$(wc -c <static)" -gt 60 ]
    env -u LD_LIBRARY_PATH ./batch one | grep -q '^\[done'
    env -u LD_LIBRARY_PATH ./score one two | grep -q 'bits a token'
}

@test "the header is C++ too" {
    cat >story.cc <<'EOF'
#include <choir.h>
#include <iostream>
#include <memory>
#include <string>

int main()
{
    choir_error err;
    choir_model_options options;
    choir_model_options_default(&options);
    choir_model *opened = nullptr;
    if (choir_model_open(&opened, &options, &err) != CHOIR_OK) {
        std::cerr << err.msg << '\n';
        return 1;
    }
    std::unique_ptr<choir_model, decltype(&choir_model_close)> model(opened, choir_model_close);
    const std::string text = "Once";
    int32_t *ids = nullptr;
    size_t n = 0;
    choir_status status = choir_tokenize(&ids, &n, model.get(), text.data(), text.size(), true, &err);
    free(ids);
    std::cout << choir_version() << ' ' << choir_status_name(status) << ' ' << n << '\n';
}
EOF
    c++ -std=c++17 -pedantic -Wall -Wextra -Werror "${flags[@]}" story.cc $(pkg-config --cflags --libs choir) -o story
    ./story | grep -qE '^[0-9.]+ OK [2-9]$'
}

@test "uninstall leaves nothing; folders can be given one by one" {
    root=$PWD/root
    cd "$source"
    install_target install
    [ -x "$root$prefix/bin/choir" ]
    install_target uninstall
    [ -z "$(find "$root" ! -type d)" ]
    [ -z "$(find "$root" -name 'choir*' ! -path "$root$prefix")" ]
    install_target install libdir=/usr/lib/x mandir=/usr/man bindir=/usr/games
    [ -x "$root/usr/games/choir" ] && [ -f "$root/usr/lib/x/libchoir.so.0" ] && [ -f "$root/usr/man/man1/choir.1" ]
    grep -qx 'libdir=/usr/lib/x' "$root/usr/lib/x/pkgconfig/choir.pc"
    install_target uninstall libdir=/usr/lib/x mandir=/usr/man bindir=/usr/games
    [ -z "$(find "$root" ! -type d)" ]
}
