#!/bin/bash
# House rules that a program can check: layers, formatting, OpenMP in one file, function and file length, stray vector
# instructions, warnings as errors with both compilers, every public header alone as C and as C++.
set -u
cd "$(dirname "$0")/.."
failed=0
check() { # title, output of what breaks it
    if [ -n "$2" ]; then
        printf 'lint: %s\n%s\n' "$1" "$2"
        failed=1
    fi
}

check "layers" "$(tools/check_layers.sh)"
check "not formatted (make format)" "$(git ls-files '*.c' '*.h' '*.cc' | xargs clang-format --dry-run 2>&1 | grep -oE '^[^ :]+\.(c|h|cc):' | sort -u)"
check "OpenMP outside src/kernels/parallel.c" "$(git grep -ln 'pragma omp' -- '*.c' '*.h' '*.cc' ':!src/kernels/parallel.c' ':!tests' ':!tools')"
check "unfinished" "$(git grep -nwE 'TODO|FIXME|XXX' -- '*.c' '*.h' '*.cc' '*.py' '*.sh' Makefile ':!tools/lint.sh')"
check "tests that cannot fail (set -e passes over ! without || false)" "$(git grep -nE '^\s+! ' -- '*.bats' | grep -v '||')"
check "unsafe calls" "$(git grep -nE '\b(strcpy|strcat|sprintf|atoi|atof|alloca|gets)\(' -- 'src/*.c' 'weights/*.c' 'tokenizer/*.c' 'tokenizer/*.cc')"
check "libm functions that differ by machine" "$(git grep -nwE '(expf?|expm1f?|logf?|log2f?|log10f?|powf?|sinf?|cosf?|tanhf?|roundf?)\(' -- 'src/*.c' 'src/*.h' 'weights/*.c' | grep -vE '^[^:]*:[0-9]+:\s*(/?\*|//)|fmath_|/\*.*(exp|log|pow|sin|cos)|src/cli/')"
check "arithmetic on numbers from files" "$(tools/check_arithmetic.py)"
check "files over 500 lines" "$(git ls-files '*.c' '*.h' '*.cc' | grep -v '^tests/' | xargs wc -l | awk '$2 != "total" && $1 > 500 {print $2 " (" $1 ")"}')"
check "functions over 80 lines" "$(git ls-files '*.c' | grep -vE '^tests/' | xargs awk '
    FNR == 1 { start = 0 }
    /^{$/ { start = FNR }
    /^}/ { if (start && FNR - start > 80) printf "%s:%d %d lines\n", FILENAME, start, FNR - start; start = 0 }')"

for header in include/*.h include/*/*.h; do
    gcc -std=c11 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c "$header" || failed=1
    g++ -std=c++17 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ "$header" || failed=1
done
for compilers in gcc:g++ clang:clang++; do
    cc=${compilers%:*}
    make --no-print-directory -s -j"$(nproc)" BUILD=build/lint-$cc CC=$cc CXX=${compilers#*:} OPT=-O1 WERROR=-Werror tests || failed=1
done

# Nothing but the kernels of an ISA may hold 256- or 512-bit registers.
if [ "$(uname -m)" = x86_64 ]; then
    wide=$(find build/lint-gcc -name '*.o' ! -name '*_avx*.o' ! -path '*/tests/*' | while read -r object; do
        objdump -d --no-show-raw-insn "$object" | grep -qE '%[yz]mm' && echo "$object"
    done)
    check "wide vector registers outside the kernels" "$wide"
fi
[ $failed = 0 ] && echo "lint: clean"
exit $failed
