# bash completion for sparkbridge                                        -*- shell-script -*-
# What can follow comes from the program itself: --help, --help-all, profiles.

_sparkbridge_commands() {
    sparkbridge --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

_sparkbridge_options() {
    sparkbridge "$1" --help-all 2>/dev/null | sed -n 's/^ \{2,6\}\(-., \)\{0,1\}\(--[a-z-]*\).*/\2/p'
}

_sparkbridge_profiles() {
    sparkbridge profiles --json 2>/dev/null | sed -n 's/^      "name": "\([^"\\]*\)",$/\1/p'
}

_sparkbridge() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} IFS=$'\n'
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        mapfile -t COMPREPLY < <(compgen -W "$(_sparkbridge_commands)" -- "$word")
        return
    fi
    case $before in
    --profile | -p)
        mapfile -t COMPREPLY < <(compgen -W "$(_sparkbridge_profiles)" -- "$word")
        ;;
    --config | -c | --*-file | --client-cert | --client-key | --sandbox-read)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
        ;;
    --log-level) mapfile -t COMPREPLY < <(compgen -W $'error\nwarn\ninfo\ndebug' -- "$word") ;;
    --log-format) mapfile -t COMPREPLY < <(compgen -W $'auto\nlogfmt\njson' -- "$word") ;;
    --resolution) mapfile -t COMPREPLY < <(compgen -W $'documented\nsdk' -- "$word") ;;
    *)
        mapfile -t COMPREPLY < <(compgen -W "$(_sparkbridge_options "${COMP_WORDS[1]}")" -- "$word")
        ;;
    esac
    [[ ${COMPREPLY[*]} != *' '* ]] || mapfile -t COMPREPLY < <(printf '%q\n' "${COMPREPLY[@]}")
}

complete -F _sparkbridge sparkbridge
