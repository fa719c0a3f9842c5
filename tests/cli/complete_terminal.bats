# choir complete: a person at a terminal, in tmux: what the screen shows.

load helper
load terminal

@test "prompt, editing, history in a 0600 file, Ctrl-D" {
    terminal "'$CHOIR_BIN' ${model[*]} -n 8 -s 4"
    sees '>'
    keys 'Oncex' BSpace ' upon a time' Enter
    sees 'tok/s'
    keys '/show' Enter
    sees_line '> /show'
    keys C-d
    sees 'left 0'
    [ "$(stat -c %a state/choir/history)" = 600 ]
    [ "$(stat -c %a state/choir)" = 700 ]
    grep -q 'Once.*upon.*a.*time' state/choir/history
    # the line comes back with the arrow key in the next session
    tmux -S "$tmux_socket" kill-server
    terminal "'$CHOIR_BIN' ${model[*]} -n 0"
    sees '>'
    keys Up Up
    sees '> Once upon a time'
    keys C-c
    keys C-d
    sees 'left 0'
}

@test "history: each line is saved at once, beside what another choir saved; several lines stay one entry" {
    mkdir -p state/choir
    echo >kept
    chmod 644 kept
    ln -s ../../kept state/choir/history
    terminal "bash -c 'echo \$\$ >pid; exec \"\$0\" complete \"\$@\"' '$CHOIR_BIN' ${model[*]} -n 0"
    sees '>'
    first=$tmux_socket
    terminal "'$CHOIR_BIN' ${model[*]} -n 0"
    sees '>'
    keys 'from the second' Enter
    sees '0 tokens'
    second=$tmux_socket tmux_socket=$first
    printf 'from\nthe first' >text
    pasted text
    sees_line 'the first'
    keys Enter
    sees '0 tokens'
    kill -KILL "$(cat pid)"
    tmux_socket=$second
    keys C-d
    sees 'left 0'
    tmux -S "$first" kill-server
    terminal "'$CHOIR_BIN' ${model[*]} -n 0"
    sees '>'
    keys Up
    sees_line '> from'
    sees_line 'the first'
    keys C-e C-u Up Up
    sees_line '> from the second'
    keys C-c
    [ -L state/choir/history ]
    [ "$(stat -c %a kept)" = 600 ]
    [ "$(ls state/choir)" = history ]
}

@test "Ctrl-C stops the text and gives the prompt back; what it had computed is not computed again" {
    slow_model
    terminal "'$CHOIR_BIN' complete ${model[*]} -v -n -1 --ignore-eos --logit-bias 2=-inf"
    sees '>'
    keys x Enter
    until_true eval '[ "$(screen | sed "1,/> x/d" | wc -w)" -ge 4 ]'
    keys C-c
    sees 'tok/s'
    keys C-u '/set temp 0.25' Enter '/set' Enter
    sees 'temp               0.25'
    keys 'half a line' C-c '/set max-tokens 1' Enter Enter
    # all that was drawn is there but the last token
    sees 'prompt 1 tokens'
    keys '/quit' Enter
    sees 'left 0'
}

@test "Ctrl-C while a prompt is computed gives the prompt back" {
    slow_model
    printf 'word %.0s' {1..390} >long
    terminal "'$CHOIR_BIN' complete ${model[*]} --cpu reference -t 1 -q -f long -b 16"
    sees 'word word'
    keys C-c
    sees_line '>'
    keys '/set temp 0.25' Enter '/set' Enter
    sees 'temp               0.25'
    keys C-d
    sees 'left 0'
}

@test "UTF-8 is typed and shown, also with LC_ALL=C" {
    terminal "LC_ALL=C '$CHOIR_BIN' complete ${model[*]} -n 0"
    sees '>'
    keys 'Hé 中' Enter
    sees '0 tokens'
    keys '/save out.txt' Enter
    keys C-d
    sees 'left 0'
    [ "$(cat out.txt)" = 'Hé 中' ]
}

@test "wide and combining characters are edited in whole" {
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 0"
    sees '>'
    typed '中文字😀 e'
    keys -l $'\u0301' # which joins the e: the line editor has no cell for it
    sees é
    keys -l x
    keys Left Left Left BSpace # the cursor walks back over x, é, the space; the face goes
    sees_line '> 中文字 éx'
    keys C-a Delete
    sees_line '> 文字 éx'
    keys C-e !
    sees_line '> 文字 éx!'
    printf ' o\u0302\u0301' >text
    pasted text
    sees_line '> 文字 éx! ố'
    keys Enter
    sees '0 tokens'
    keys '/save out.txt' Enter
    keys C-d
    sees 'left 0'
    [ "$(cat out.txt)" = '文字 éx! ố' ]
}

@test "a line wider than the terminal, with wide characters at its border" {
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 0" 21
    sees_line '>'
    typed '中文字中文字中文字' # 2 + 18 cells: one is left
    typed '末尾'
    sees_line '> 中文字中文字中文字'
    sees_line '末尾'
    keys BSpace BSpace BSpace
    sees_line '> 中文字中文字中文'
    until_true eval '! line 末尾'
}

@test "the terminal gets another size while a line is edited" {
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 0 -s 1" 40 20
    sees_line '>'
    typed 'one two three four five six seven'
    tmux -S "$tmux_socket" resize-window -x 20 -y 20
    sees_line '> one two three four'
    sees_line ' five six seven'
    tmux -S "$tmux_socket" resize-window -x 70 -y 20
    sees_line '> one two three four five six seven'
    keys -l ' eight'
    sees_line '> one two three four five six seven eight'
    [ "$(screen | grep -c one)" -eq 1 ]
    shows 'Ctrl-D ends' # what stood above is still there
}

@test "the terminal gets another size while the model writes" {
    slow_model
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 40 --ignore-eos --logit-bias 2=-inf" 40 30
    sees_line '>'
    keys x Enter
    until_true eval '[ "$(screen | sed "1,/> x/d" | wc -w)" -ge 3 ]'
    for columns in 20 60 33; do
        tmux -S "$tmux_socket" resize-window -x $columns -y 30
    done
    sees '[40 tokens'
    typed 'still here'
    tmux -S "$tmux_socket" resize-window -x 80 -y 30
    sees_line '> still here'
}

@test "Tab shows the continuation, dimmed; Tab again takes it; what was shown is what the turn has" {
    need_stories
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 40 -s 4 -v"
    sees_line '>'
    typed 'Once upon a time'
    keys Tab
    until_true eval "screen -e | grep -qF '> Once upon a time'\$'\\e[2m'"
    keys Tab # the dimmed text is plain now
    until_true eval "! screen -e | grep -qF 'time'\$'\\e[2m'"
    offered=$(screen | sed -n 's/^> Once upon a time//p')
    [ -n "$offered" ]
    keys Enter
    sees 'tok/s'
    sees 'prompt 1 tokens' # of which one was still to be computed
    keys '/save taken' Enter C-d
    sees 'left 0'
    choir generate -p 'Once upon a time' -n 56 -s 4 >want
    printf 'Once upon a time%s' "$(cat want)" | head -c "$(stat -c %s taken)" >beginning
    [[ "$(cat beginning)" == "Once upon a time$offered"* ]]
}

@test "Right takes what Tab shows; any other key drops it, and nothing of it stays on the screen" {
    need_stories
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 3 -s 4 -v" 40 20
    sees_line '>'
    keys 'Once upon a time there was a little girl' # the offer takes several rows
    sees_line rl
    keys Tab
    until_true eval "screen -e | grep -qF \$'\\e[2m'"
    before=$(screen)
    keys x
    sees_line rlx
    [ "$(screen | sed '1,/^rlx/d' | grep -c .)" -eq 0 ]
    keys BSpace
    until_true eval '! shows rlx'
    keys Tab
    until_true eval '[ "$(screen)" = "$before" ]' # it is the same again
    keys Right
    until_true eval "! screen -e | sed '1,/ends/d' | grep -qF \$'\\e[2m'"
    [ "$(screen)" = "$before" ]
    keys Left Right x # Right is itself again
    until_true eval '[ "$(screen)" != "$before" ]'
    keys C-u Enter
    sees 'tok/s'
}

@test "Tab at the bottom of the screen: the offer scrolls it, and the line stays" {
    need_stories
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 3 -s 4" 30 8
    sees_line '>'
    keys '/help' Enter
    sees '/quit'
    typed 'Once upon a time'
    keys Tab
    until_true eval "screen -e | grep -qF 'time'\$'\\e[2m'"
    [ "$(screen | grep -c 'Once upon a time')" -eq 1 ]
    keys x
    sees_line '> Once upon a timex'
    [ "$(screen | grep -c 'Once upon a time')" -eq 1 ]
}

@test "Tab in a command completes commands, settings and files" {
    mkdir folder
    touch folder/story.txt folder/stone.txt
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 0"
    sees_line '>'
    keys '/he' Tab x
    sees_line '> /help x'
    keys C-u '/s' Tab
    sees 'save  set   show'
    keys 'et temp' BSpace BSpace Tab 0.5 Enter /set Enter
    sees 'temp               0.5'
    keys '/save fol' Tab st Tab
    sees_line '> /save folder/sto'
    keys Tab
    sees 'stone.txt  story.txt'
    keys r Tab
    sees_line '> /save folder/story.txt'
    keys C-u /nothing Tab y
    sees_line '> /nothingy'
}

@test "several lines pasted are one entry, and run only with Enter; control characters are left out" {
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 0"
    sees_line '>'
    printf 'one\n\ttwo\n\n/three\a\x7f\n' >text
    pasted text
    sees_line '/three'
    keys -l four
    sees_line four
    ! shows 'tok/s' || false
    keys Enter
    sees '0 tokens'
    printf '/undo\n' >text # a command too runs only with Enter, and several lines are none
    pasted text
    keys -l x
    sees_line x
    keys Enter
    sees_line x 1
    keys '/save out.txt' Enter C-d
    sees 'left 0'
    printf 'one\n\ttwo\n\n/three\nfour/undo\nx' | cmp - out.txt
}

@test "lines between three quotes; what is pasted while the model writes waits, whole" {
    slow_model
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 30 --ignore-eos --logit-bias 2=-inf"
    sees_line '>'
    keys '"""one' Enter
    sees_line '|'
    keys '/two"""' Enter
    until_true eval '[ "$(screen | sed "1,/two/d" | wc -c)" -ge 8 ]'
    printf 'p1\np2\np3' >text
    pasted text
    keys -l z
    sees_line 'p2'
    sees_line 'p3z'
    [ "$(screen | grep -c 'tok/s')" -eq 1 ]
    keys C-c
    keys '/show' Enter
    sees_line one
}

@test "the line of tok/s and context: after each turn, off with /set status off and --status off" {
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 4 -s 4 --ignore-eos -c 100"
    sees_line '>'
    keys 'Once' Enter
    until_true eval "screen | grep -qE '^\[4 tokens, [0-9.]+ tok/s; context [0-9]+ of 100, [0-9]+ %\]\$'"
    keys '/set status off' Enter 'Two' Enter
    keys '/undo' Enter '/undo' Enter '/undo' Enter
    sees 'first state'
    [ "$(screen | grep -c tok/s)" -eq 1 ]
    keys '/set status maybe' Enter
    sees 'is none of: on off'
    keys C-d
    tmux -S "$tmux_socket" kill-server
    terminal "'$CHOIR_BIN' complete ${model[*]} -n 4 --status off"
    sees_line '>'
    keys 'Once' Enter '/undo' Enter '/undo' Enter
    sees 'first state'
    ! shows tok/s || false
}

@test "SIGTERM ends it with 143 and gives the terminal back" {
    terminal "bash -c 'echo \$\$ >pid; exec \"\$0\" complete \"\$@\"' '$CHOIR_BIN' ${model[*]}; echo \"code \$?\"; stty -a | grep -o ' icanon'"
    sees '>'
    typed 'half'
    kill -TERM "$(cat pid)"
    sees 'code 143'
    sees ' icanon'
}

@test "SIGTERM and SIGHUP while the model writes: the terminal echoes again" {
    slow_model
    for pair in TERM:143 HUP:129; do
        terminal "bash -c 'echo \$\$ >pid; exec \"\$0\" complete \"\$@\"' '$CHOIR_BIN' ${model[*]} -n -1 --ignore-eos --logit-bias 2=-inf; echo \"code \$?\"; stty -a | tr ' ' '\n' | grep -xE -- '-?icanon|-?echo'"
        sees '>'
        keys x Enter
        until_true eval '[ "$(screen | sed "1,/> x/d" | wc -w)" -ge 3 ]'
        kill -"${pair%:*}" "$(cat pid)"
        sees "code ${pair#*:}"
        sees_line icanon
        sees_line echo
        tmux -S "$tmux_socket" kill-server
    done
}

@test "Ctrl-Z and fg: at the prompt the line comes back, and the shell has its terminal" {
    terminal "bash --norc"
    keys "PS1='\$ '; '$CHOIR_BIN' complete ${model[*]} -n 0" Enter
    sees_line '>'
    typed 'half a line'
    keys C-z
    sees 'Stopped'
    keys 'stty -a | tr " " "\n" | grep -xE -- "-?icanon|-?echo"' Enter
    sees_line icanon
    sees_line echo
    keys 'fg' Enter
    sees_line '> half a line' 2
    keys -l ', whole'
    sees_line '> half a line, whole'
    keys Enter
    sees '0 tokens'
    keys C-d
    sees_line '$'
}

@test "Ctrl-Z and fg: while the model writes" {
    slow_model
    terminal "bash --norc"
    keys "PS1='\$ '; '$CHOIR_BIN' complete ${model[*]} -n 30 --ignore-eos --logit-bias 2=-inf" Enter
    sees_line '>'
    keys x Enter
    until_true eval '[ "$(screen | sed "1,/> x/d" | wc -w)" -ge 3 ]'
    keys C-z
    sees 'Stopped'
    keys 'stty -a | tr " " "\n" | grep -xE -- "-?icanon|-?echo"' Enter
    sees_line echo
    keys 'fg' Enter
    sees '[30 tokens'
    typed '/quit'
    keys Enter
    sees_line '$'
}

@test "Ctrl-C while the model is loading takes the progress bar away" {
    slow_model 48 # half a gigabyte and more to pack: seconds
    terminal "'$CHOIR_BIN' complete ${model[*]} --quant f16 --cpu reference -t 1"
    sees 'loading ['
    sees ' MiB/s' # bytes and rate
    [[ "$(screen)" =~ \ [0-9]+\ of\ [0-9]+\ MiB,\ [0-9]+\ MiB/s ]]
    keys C-c
    sees 'left 130'
    [ "$(screen | head -n 1)" = 'left 130' ]
}

@test "a terminal: no progress bar with -q" {
    slow_model 48
    terminal "'$CHOIR_BIN' complete -q ${model[*]} --quant f16 --cpu reference -t 1"
    sleep 1
    [[ "$(screen)" != *loading* ]]
    keys C-c
    sees 'left 130'
}

@test "the progress bar fits the terminal" {
    slow_model 48
    for columns in 61 22; do
        terminal "'$CHOIR_BIN' complete ${model[*]} --quant f16 --cpu reference -t 1" $columns
        sees 'loading '
        [ "$(screen | grep -c .)" -eq 1 ]
        keys C-c
        sees 'left 130'
        [ "$(screen | head -n 1)" = 'left 130' ]
        tmux -S "$tmux_socket" kill-server
    done
    terminal "'$CHOIR_BIN' complete ${model[*]} --quant f16 --cpu reference -t 1" 19
    sleep 0.8 # too narrow: nothing is drawn
    [[ "$(screen)" != *loading* ]]
}
