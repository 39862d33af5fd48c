# bash completion for sparkbridge                                        -*- shell-script -*-
# What can follow comes from the program itself: --help, --help-all, profiles.

_sparkbridge_commands() {
    sparkbridge --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}

# "--config|-c, |FILE|" and "--log-format|    |FORMAT|auto, logfmt, json": a line an option.
_sparkbridge_options() {
    sparkbridge "$1" --help-all 2>/dev/null | sed -nE '/^  (-., |    )--/{
        N
        s/^  (.{4})(--[a-z-]+) ?([^\n]*)\n *(Values: ([a-z, ]+)\.)?.*/\2|\1|\3|\5/p
    }'
}

_sparkbridge_profiles() {
    sparkbridge profiles --json "$@" 2>/dev/null | sed -n 's/^      "name": "\([^"\\]*\)",$/\1/p'
}

# The words so far, with what bash took apart at `=` in one again.
_sparkbridge_words() {
    local i glue=
    words=()
    for ((i = 0; i <= COMP_CWORD; i++)); do
        if ((i > 0)) && [[ ${COMP_WORDS[i]} == = && ${words[-1]} == --* ]]; then
            words[-1]+='='
            glue=1
        elif [[ $glue ]]; then
            words[-1]+=${COMP_WORDS[i]}
            glue=
        else
            words+=("${COMP_WORDS[i]}")
        fi
    done
}

# Sets what the flag takes as its value; false where it takes none.
_sparkbridge_takes() {
    local flag short
    while IFS='|' read -r flag short metavar fixed; do
        [[ $1 == "$flag" || $1 == "${short%, }" ]] && [[ $metavar ]] && return
    done <<<"$options"
    return 1
}

# --config-file, as it was typed before.
_sparkbridge_config_file() {
    local i
    for ((i = 2; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        --config-file=*) printf '%s\n' "${words[i]//\\/}" ;;
        --config-file) printf '%s\n' "--config-file=${words[i + 1]//\\/}" ;;
        esac
    done | tail -n 1
}

_sparkbridge_offer() {
    mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word")
    [[ ${COMPREPLY[*]} != *' '* ]] || mapfile -t COMPREPLY < <(printf '%q\n' "${COMPREPLY[@]}")
}

_sparkbridge_value() {
    case $metavar:$before in
    *:--profile | *:-p)
        # shellcheck disable=SC2046 # one word, or none
        _sparkbridge_offer "$(_sparkbridge_profiles $(_sparkbridge_config_file))"
        ;;
    FILE:* | PATH:*)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        compopt -o filenames 2>/dev/null
        ;;
    *) _sparkbridge_offer "${fixed//, /$'\n'}" ;;
    esac
}

_sparkbridge() {
    local IFS=$'\n' words word before options flags metavar fixed prefix=
    COMPREPLY=()
    _sparkbridge_words
    word=${words[-1]} before=${words[-2]}
    if ((${#words[@]} == 2)) || [[ ${#words[@]} == 3 && $before == help ]]; then
        _sparkbridge_offer "$(_sparkbridge_commands)"
        return
    fi
    options=$(_sparkbridge_options "${words[1]}")
    if [[ $word == --*=* ]]; then
        [[ $COMP_WORDBREAKS == *=* ]] || prefix=${word%%=*}=
        before=${word%%=*} word=${word#*=}
    fi
    if _sparkbridge_takes "$before"; then
        _sparkbridge_value
        COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
    elif [[ ${words[1]} != help ]]; then
        mapfile -t flags <<<"$options"
        _sparkbridge_offer "${flags[*]%%|*}"
    fi
}

complete -F _sparkbridge sparkbridge
