# --chat: what is said is wrapped in the model's own template.

load helper

zephyr="{{ '<|system|>' }}{{ '<|user|>
' + message['content'] + eos_token }}{% endif %}"

setup_file() {
    command -v python3 >/dev/null || skip "python3 is not installed"
    "$BATS_TEST_DIRNAME/../../tools/make_model.py" --dim 64 --hidden 96 --layers 2 --heads 2 --kv-heads 1 --vocab 600 \
        --context 256 --type f32 -o "$BATS_FILE_TMPDIR/m"
}

# a model with (or, for "", without) this chat template
chat_model() {
    rm -rf m
    cp -r "$BATS_FILE_TMPDIR/m" m
    [ -z "$1" ] || printf '%s' "$1" >m/chat_template.jinja
    model=(-m m)
}

@test "the template comes from the folder; a chat's first turn is what generate gives" {
    chat_model "$zephyr"
    choir generate --chat -p hello -n 8 --temp 0 >want
    [ -s want ]
    echo >>want
    printf 'hello\n' | choir complete --chat -n 8 --temp 0 | cmp - want
    choir generate -p hello -n 8 --temp 0 >plain
    ! cmp -s want plain || false
    printf '{"chat_template": [{"name": "tools", "template": "x"}, {"name": "default", "template": "a %s"}]}' \
        "<|user|>eos_token" >m/tokenizer_config.json
    rm m/chat_template.jinja
    choir generate --chat -p hello -n 8 --temp 0 --json >json
    grep -q '"prompt_tokens":[1-9]' json
}

@test "--chat-template and --system; what cannot be is refused" {
    chat_model ""
    choir generate --chat-template zephyr -p hello -n 8 --temp 0 >named
    choir generate --chat-template zephyr --system 'be kind' -p hello -n 8 --temp 0 >told
    ! cmp -s named told || false
    refused 3 'm: no chat template in the model; --chat-template NAME chooses one' choir generate --chat -p hello
    refused 3 'm: no chat template in the model' choir complete --chat -p hello
    refused 2 '"zephir" is none of: llama2 mistral-v1' choir generate --chat-template zephir -p hello
    chat_model '{{ messages | tojson }}'
    refused 3 'm: chat template not known: "{{ messages | tojson }}..."; --chat-template NAME' choir generate --chat -p hello
    chat_model "{{ '<start_of_turn>user' }}"
    refused 2 '--system: the chat template (gemma) has no place for one' choir generate --system x -p hello
}

@test "turns build on each other, and only what is new is computed" {
    chat_model "$zephyr"
    printf 'hello\nyou\n/undo\nyou\n/undo\n/undo\n/show\nyou\n' | choir complete --chat -n 6 --temp 0 --ignore-eos -v >out 2>err
    grep -o 'prompt [0-9]* tokens' err | cut -d' ' -f2 >n
    [ "$(wc -l <n)" -eq 4 ]
    [ "$(sed -n 2p n)" -le "$(($(sed -n 1p n) + 6))" ] # the reply is there already
    choir generate --chat -p hello -n 6 --temp 0 --ignore-eos >first
    choir generate --chat -p you -n 6 --temp 0 --ignore-eos >alone
    printf 'hello\nyou\n/undo\nyou\n/show\n' | choir complete --chat -n 6 --temp 0 --ignore-eos >out
    printf 'you\n' | choir complete --chat -n 6 --temp 0 --ignore-eos >fresh
    first_bytes=$(($(stat -c %s first) + 1))
    [ "$(head -c "$(stat -c %s first)" out | cmp - first && echo same)" = same ]
    tail -c +$((first_bytes + 1)) out >rest
    { cat alone; echo; } | cmp - fresh
    ! cmp -s <(head -c "$(stat -c %s fresh)" rest) fresh || false
}

@test "/undo takes back a turn; /alt and /load are not for chats" {
    chat_model "$zephyr"
    printf 'hello\n' | choir complete --chat -n 6 --temp 0 >one
    printf 'hello\nyou\n/undo\n/undo\nhello\n' | choir complete --chat -n 6 --temp 0 >out
    head -c "$(stat -c %s one)" out | cmp - one
    tail -c "$(stat -c %s one)" out | cmp - one
    printf 'hello\n/alt\n/load f\n' | choir complete --chat -n 2 --temp 0 >out 2>err
    printf 'choir: /alt: not in a chat; /undo, and say it again\nchoir: /load: not in a chat\n' | cmp - err
    printf '\n' | choir complete --chat -n 2 2>err
    grep -qx 'choir: there is no text yet to go on from' err
}

@test "a reply ends where the template's end of turn is drawn" {
    chat_model "$zephyr"
    choir generate --chat -p hello -n 8 --logit-bias 2=1000 --json >json # </s>
    grep -q '"completion_tokens":0' json
    grep -q '"finish_reason":"stop"' json
}
