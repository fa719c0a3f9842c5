# ORG/NAME[@REVISION][:FILE]: models in the Hugging Face cache.  What is found is told by the message about an empty file.

load helper

main=0123456789abcdef
other=0123ffff89abcdef

# A cache as huggingface_hub lays it out: blobs, links to them, refs.  (Commits are shorter, for messages cut long paths.)
setup_hub() {
    repo=$PWD/hub/models--some--model
    mkdir -p "$repo/blobs" "$repo/refs/refs/pr" "$repo/snapshots/$main" "$repo/snapshots/$other"
    : >"$repo/blobs/b0"
    printf %s $main >"$repo/refs/main"
    printf '%s\n' $other >"$repo/refs/v1.0"
    printf %s $other >"$repo/refs/refs/pr/7"
    ln -s ../../blobs/b0 "$repo/snapshots/$main/tiny-Q8_0.gguf"
    ln -s ../../blobs/b0 "$repo/snapshots/$other/other.gguf"
    export HF_HUB_CACHE=hub
}

found() { # NAME PATH: NAME is looked up as PATH
    refused 3 "$2" "$CHOIR_BIN" info -m "$1"
}

@test "hub: branch, tag, pull request, commit, the first letters of a commit" {
    setup_hub
    found some/model "snapshots/$main/tiny-Q8_0.gguf"
    found some/model@main "snapshots/$main/tiny-Q8_0.gguf"
    found some/model@v1.0 "snapshots/$other/other.gguf"
    found some/model@refs/pr/7 "snapshots/$other/other.gguf"
    found some/model@$other "snapshots/$other/other.gguf"
    found some/model@0123f "snapshots/$other/other.gguf"
    refused 2 'some/model: 0123 begins 2 commits: 0123456789' "$CHOIR_BIN" info -m some/model@0123
    refused 4 'revision 012 is not in' "$CHOIR_BIN" info -m some/model@012
    refused 4 'revision abcd1 is not in' "$CHOIR_BIN" info -m some/model@abcd1
}

@test "hub: HF_HUB_CACHE before HF_HOME before XDG_CACHE_HOME before HOME" {
    setup_hub
    unset HF_HUB_CACHE
    mkdir -p home/.cache/huggingface xdg/huggingface
    HF_HOME=$PWD found some/model "$PWD/hub/models--some--model"
    cp -r hub home/.cache/huggingface/
    cp -r hub xdg/huggingface/
    (unset HF_HOME XDG_CACHE_HOME; HOME=$PWD/home found some/model "$PWD/home/.cache/huggingface/hub/")
    (unset HF_HOME; HOME=$PWD/home XDG_CACHE_HOME=$PWD/xdg found some/model "$PWD/xdg/huggingface/hub/")
    HOME=$PWD/home HF_HOME=$PWD found some/model "$PWD/hub/models--some--model"
    HF_HUB_CACHE=xdg/huggingface/hub HF_HOME=$PWD found some/model "xdg/huggingface/hub/"
}

@test "hub: what is not there says how to get it" {
    setup_hub
    refused 4 'an/other: no such path, and not in the Hugging Face cache' "$CHOIR_BIN" info -m an/other
    [[ "$stderr" == *"Hugging Face cache hub;"* ]]
    [[ "$stderr" == *'get it with: hf download an/other' ]]
    refused 4 'hf download some/model --revision nope' "$CHOIR_BIN" generate -p x -m some/model@nope
    refused 4 'hf download an/other' "$CHOIR_BIN" quantize an/other out.gguf
    refused 4 'No such file' "$CHOIR_BIN" info -m folder/model.gguf
    refused 4 'No such file' "$CHOIR_BIN" info -m an/other/third
    refused 4 'No such file' "$CHOIR_BIN" info -m 'some/model@../../x'
    long=$(printf 'a%.0s' {1..150})
    refused 4 aaaa "$CHOIR_BIN" info -m "$long/model@$long"
    refused 4 aaaa "$CHOIR_BIN" info -m "b/$long@x"
    (unset HF_HUB_CACHE HF_HOME XDG_CACHE_HOME HOME; refused 4 'no Hugging Face cache' "$CHOIR_BIN" info -m some/model)
}

@test "hub: several .gguf files are listed, and one is named behind a colon" {
    setup_hub
    for file in tiny-Q4_K_M.gguf mmproj-tiny.gguf big-00001-of-00002.gguf big-00002-of-00002.gguf; do
        ln -s ../../blobs/b0 "$repo/snapshots/$main/$file"
    done
    refused 2 'has 3 models: big-00001-of-00002.gguf, tiny-Q4_K_M.gguf, tiny-Q8_0.gguf; name one as some/model:FILE' \
        "$CHOIR_BIN" info -m some/model
    found some/model:tiny-Q8_0.gguf "$main/tiny-Q8_0.gguf"
    found some/model:Q4_K_M "$main/tiny-Q4_K_M.gguf"
    found some/model:q8_0 "$main/tiny-Q8_0.gguf"
    found some/model@main:big "$main/big-00001-of-00002.gguf"
    found some/model@v1.0:other.gguf "$other/other.gguf"
    refused 2 'some/model:tiny means 2 files: tiny-Q4_K_M.gguf, tiny-Q8_0.gguf' "$CHOIR_BIN" info -m some/model:tiny
    refused 4 'no file Q6_K in the cache, there are big-00001' "$CHOIR_BIN" info -m some/model:Q6_K
    refused 4 'No such file' "$CHOIR_BIN" info -m some/model:../x
}

@test "hub: an incomplete snapshot is named as such" {
    setup_hub
    rm "$repo/snapshots/$other/other.gguf"
    refused 4 'incomplete, no config.json and no .gguf file' "$CHOIR_BIN" info -m some/model@v1.0
    [[ "$stderr" == *'hf download some/model --revision v1.0' ]]
    echo '{}' >"$repo/blobs/c"
    ln -s ../../blobs/c "$repo/snapshots/$other/config.json"
    ln -s ../../blobs/gone "$repo/snapshots/$other/model-00002-of-00003.safetensors"
    refused 4 'incomplete, links to nothing: model-00002-of-00003.safetensors' "$CHOIR_BIN" info -m some/model@v1.0
    rm "$repo/blobs/b0"
    refused 4 'incomplete, a link to nothing: tiny-Q8_0.gguf' "$CHOIR_BIN" info -m some/model
}

@test "hub: only commits, no branch" {
    setup_hub
    rm -r "$repo/refs"
    refused 4 "no branch main in the cache, but commits: $main, $other; name one as some/model@COMMIT" "$CHOIR_BIN" info -m some/model
    found some/model@0123f "snapshots/$other/other.gguf"
}

@test "hub: a folder is found as a folder, and a path that is there is a path" {
    setup_hub
    printf %s $main >"$repo/refs/main"
    printf 'not json' >"$repo/blobs/c"
    ln -s ../../blobs/c "$repo/snapshots/$main/config.json"
    found some/model "snapshots/$main/config.json"
    mkdir -p some
    : >some/model
    refused 3 'some/model: ' "$CHOIR_BIN" info -m some/model
    [[ "$stderr" != *snapshots* ]]
}
