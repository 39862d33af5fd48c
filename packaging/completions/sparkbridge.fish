# fish completion for sparkbridge. What can follow comes from the program itself.

function __sparkbridge_commands
    sparkbridge --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

function __sparkbridge_options
    set -l words (commandline -opc)
    sparkbridge $words[2] --help-all 2>/dev/null | sed -n 's/^ \{2,6\}\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p'
end

function __sparkbridge_profiles
    sparkbridge profiles --json 2>/dev/null | sed -n 's/^      "name": "\([^"\\\\]*\)",$/\1/p'
end

function __sparkbridge_before
    contains -- (commandline -opc)[-1] $argv
end

set -l files --config -c --config-file --token-file --client-secret-file --ca-file --client-cert \
    --client-key --sandbox-read
complete -c sparkbridge -f
complete -c sparkbridge -n __fish_is_first_arg -a '(__sparkbridge_commands)'
complete -c sparkbridge -n '__sparkbridge_before --profile -p' -a '(__sparkbridge_profiles)'
complete -c sparkbridge -n "__sparkbridge_before $files" -F
complete -c sparkbridge -n '__sparkbridge_before --log-level' -a 'error warn info debug'
complete -c sparkbridge -n '__sparkbridge_before --log-format' -a 'auto logfmt json'
complete -c sparkbridge -n '__sparkbridge_before --resolution' -a 'documented sdk'
complete -c sparkbridge -n 'not __fish_is_first_arg; and not __sparkbridge_before --profile -p --log-level --log-format --resolution' -a '(__sparkbridge_options)'
