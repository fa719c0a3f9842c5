# Man pages and completions, made from the table of options by tools/manual: whole, well-formed, and working in their shells.

load ../cli/helper

pages=$CHOIR_BUILD/doc/man

commands() {
    "$CHOIR_BIN" --help | sed -nE 's/^  ([a-z]+) +[a-z].*/\1/p' | grep -v choir
}

@test "every command has a page, with every flag that help has and what more they say" {
    [ "$(commands | wc -l)" -ge 7 ]
    for name in $(commands); do
        sed 's/\\-/-/g; s/\\f[BIR]//g' "$pages/choir-$name.1" >page
        head -1 page | grep -q "^.TH CHOIR-${name^^} 1 .*\"choir $("$CHOIR_BIN" --version | cut -d' ' -f2)\""
        "$CHOIR_BIN" help "$name" | sed -nE 's/^ +(-.,)? +(--[a-z-]+) .*/\1\2/p' | sed 's/,/, /' >flags
        [ "$(wc -l <flags)" -ge 5 ]
        while read -r flag; do
            grep -qE -- "^(-., )*$flag(,| |$)" page || { echo "choir-$name.1 has no $flag"; return 1; }
        done <flags
        grep -q "choir-$name (1)" <(sed 's/\\-/-/g' "$pages/choir.1")
    done
    grep -q '^One of f32, f16, q8_0\.$' "$pages/choir-generate.1"
    grep -q 'From 0 to 1\.$' "$pages/choir-generate.1"
    [ -f "$pages/choir-models.5" ]
}

@test "choir-jsonl(5) has every key that a request may have" {
    table=$BATS_TEST_DIRNAME/../../src/cli/jsonl/request.c
    sed -nE 's/^    \{"([a-z_]+)", key_.*/\1/p' "$table" >keys
    [ "$(wc -l <keys)" -ge 15 ]
    while read -r key; do
        grep -qwE "^\.BR? .*$key" "$pages/choir-jsonl.5" || { echo "no $key"; return 1; }
    done <keys
}

@test "the pages are well-formed: groff" {
    need groff
    for page in "$pages"/*.[15]; do
        groff -ww -man -Tutf8 "$page" 2>&1 >/dev/null | tee -a warnings
    done
    [ ! -s warnings ]
}

@test "the pages are well-formed: mandoc" {
    need mandoc
    for page in "$pages"/*.[15]; do
        mandoc -T lint -W warning "$page" | tee -a warnings
    done
    [ ! -s warnings ]
}

@test "pages and completions are made again when the table, a template or the maker changes" {
    cd "$BATS_TEST_DIRNAME/../.."
    build=${CHOIR_BUILD#"$PWD/"}
    for changed in src/cli/options/table.c tools/manual/man_page.c doc/man/choir.1; do
        run env -u MAKEFLAGS -u MAKELEVEL make -n BUILD="$build" -W $changed doc
        [[ "$output" == *"manual man "* ]]
        [[ $changed == doc/* || "$output" == *"manual zsh"* ]]
    done
}

# completed WORD...: what bash offers for the last word, a line each.
completed() {
    env -u HF_HOME -u HF_HUB_CACHE HOME="$PWD" bash --norc -c '
        source "$1"
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        _choir
        printf "%s\n" "${COMPREPLY[@]}"' - "$CHOIR_BUILD/doc/choir.bash" "$@" | sed '/^$/d' | sort
}

offers() { # WORDS... -- EXPECTED...
    local words=()
    while [ "$1" != -- ]; do words+=("$1"); shift; done
    shift
    completed "${words[@]}" >.found
    echo "${words[*]}: $(tr '\n' ' ' <.found)"
    printf '%s\n' "$@" | sed '/^$/d' | sort | cmp - .found
}

@test "bash: commands, flags, values" {
    offers choir ge -- generate
    offers choir '' -- $(commands) help
    offers choir generate --temp -- --temp
    offers choir generate --no -- --no-prefix-cache
    offers choir --max -- --max-tokens
    offers choir --vers -- --version
    offers choir generate --kv-type '' -- f16 f32 q8_0
    offers choir generate --kv-type = q -- q8_0
    offers choir generate --kv-type = -- f16 f32 q8_0
    offers choir generate -p x --color a -- always auto
    offers choir generate --speculate '' -- ngram
    offers choir generate -n '' --
    offers choir bench -o j -- json jsonl
    offers choir help qu -- quantize
    offers choir bench com -- compare
    offers choir quantize a b q8 -- q8_0
    offers choir quantize --threads 2 a --pure b q8 -- q8_0
    offers choir quantize --threads = 2 a b q8 -- q8_0
    completed choir generate - >flags
    "$CHOIR_BIN" help generate | sed -nE 's/^ +(-.,)? +(--[a-z-]+) .*/\2/p' | sort | cmp - flags
}

@test "bash: files, also with spaces, and models of the cache" {
    touch 'my model.gguf' other.txt
    mkdir folder
    mkdir -p .cache/huggingface/hub/models--org--name--x
    offers choir generate -m my -- 'my model.gguf'
    offers choir generate -f o -- other.txt
    offers choir generate -m o -- other.txt org/name--x
    offers choir info fo -- folder
    offers choir quantize 'my model.gguf' fo -- folder
    offers choir generate --stop o --
    offers choir generate o --
}

@test "fish: commands, flags, values" {
    need fish
    fish -n "$CHOIR_BUILD/doc/choir.fish"
    export HOME=$PWD
    touch weights.gguf
    offers() { # LINE EXPECTED...
        fish --no-config -c "source $CHOIR_BUILD/doc/choir.fish; complete -C '$1'" | cut -f1 | sort >found
        echo "$1: $(tr '\n' ' ' <found)"
        shift
        printf '%s\n' "$@" | sed '/^$/d' | sort | cmp - found
    }
    offers 'choir ge' generate
    offers 'choir generate --temp' --temp
    offers 'choir generate --kv-type ' f16 f32 q8_0
    offers 'choir generate --kv-type=q' --kv-type=q8_0
    offers 'choir -m wei' weights.gguf
    offers 'choir generate -n '
    offers 'choir tokenize --kv-t'
    offers 'choir bench -o c' csv
    offers 'choir help qu' quantize
    offers 'choir info wei' weights.gguf
}

@test "zsh: commands, flags, values" {
    need zsh script
    zsh -n "$CHOIR_BUILD/doc/_choir"
    export HOME=$PWD ZDOTDIR=$PWD TERM=vt100
    mkdir functions
    cp "$CHOIR_BUILD/doc/_choir" functions
    touch weights.gguf
    # Each line is completed by an interactive shell and its outcome written to a file.
    cat >.zshrc <<'EOF'
unset zle_bracketed_paste
fpath=($HOME/functions $fpath)
autoload -Uz compinit && compinit -u -d $HOME/dump
PS1='% '
setopt no_list_ambiguous no_auto_menu
zle-line-init() { : >$HOME/ready }
zle -N zle-line-init
complete-line() { zle complete-word; print -r -- "$BUFFER" >>$HOME/found; zle kill-buffer }
zle -N complete-line
bindkey '^T' complete-line
EOF
    printf '%s\t%s\n' 'choir gen' 'choir generate ' \
        'choir generate --kv-ty' 'choir generate --kv-type=' \
        'choir generate --kv-type q' 'choir generate --kv-type q8_0 ' \
        'choir generate --max-t' 'choir generate --max-tokens=' \
        'choir -m wei' 'choir -m weights.gguf ' \
        'choir bench com' 'choir bench compare ' \
        'choir quantize a b q8' 'choir quantize a b q8_0 ' \
        'choir help qua' 'choir help quantize ' \
        'choir tokenize --deco' 'choir tokenize --decode ' >lines
    (for ((i = 0; i < 200; i++)); do [ ! -e ready ] || break; sleep 0.1; done
        cut -f1 lines | while IFS= read -r line; do printf '%s\024' "$line"; done; printf 'exit\r') |
        timeout 30 script -qec 'zsh -i' /dev/null >screen 2>&1
    cat found
    cut -f2 lines | cmp - found
}
