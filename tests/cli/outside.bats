# What lies outside of a model's folder is not so much as asked for, whatever the names in it say.

load helper

@test "an index that names shards outside: refused, and no system call has those names" {
    need strace
    strace -o log true || skip "strace may not trace here"
    printf '{}' >config.json
    local name
    for name in ../outside /etc/hostname down/../../outside ./../outside; do
        printf '{"weight_map": {"a": "%s"}}' "$name" >model.safetensors.index.json
        run --separate-stderr env ASAN_OPTIONS=detect_leaks=0 strace -f -o log -e trace=%file "$CHOIR_BIN" info -m .
        echo "status $status, stderr [$stderr]"
        [ "$status" -eq 3 ]
        [[ "$stderr" == *"shard name \"$name\" leaves the model directory"* ]]
        grep -q 'model\.safetensors\.index\.json' log # the calls were seen
        run ! grep -F -e outside -e /etc/hostname log
    done
}
