# tools/against_llama_cpp.py: where llama.cpp is there, the models of all families; where not, that it says so.

load ../cli/helper

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
}

against() {
    "${CHOIR_PYTHON:-python3}" "$BATS_TEST_DIRNAME/../../tools/against_llama_cpp.py" "$@"
}

@test "against_llama_cpp: without llama.cpp it says what is absent" {
    LLAMA_CPP_SOURCE= LLAMA_CPP_BUILD= run -77 against families
    [[ $output == *"LLAMA_CPP_SOURCE or LLAMA_CPP_BUILD is absent: skipped"* ]]
    LLAMA_CPP_SOURCE=/nowhere LLAMA_CPP_BUILD=/nowhere run -77 against model m.gguf t.txt
    [[ $output == *"libllama.a is absent: skipped"* ]]
}

@test "against_llama_cpp: llama.cpp computes what Choir's GGUF files of all families say" {
    [ -n "${LLAMA_CPP_BUILD:-}" ] || skip "LLAMA_CPP_SOURCE and LLAMA_CPP_BUILD are absent"
    "${CHOIR_PYTHON:-python3}" -c 'import numpy' || skip "numpy is absent"
    run -0 against families
    echo "$output"
}
