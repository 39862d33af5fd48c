# fish completion for sparkbridge. What can follow comes from the program itself.

function __sparkbridge_commands
    sparkbridge --help 2>/dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z][a-z-]*\)  *\(.*\)/\1\t\2/p'
end

# "--config|-c, |FILE|" and "--log-format|    |FORMAT|auto, logfmt, json": a line an option.
function __sparkbridge_options
    sparkbridge $argv[1] --help-all 2>/dev/null | sed -nE '/^  (-., |    )--/{
        N
        s/^  (.{4})(--[a-z-]+) ?([^\n]*)\n *(Values: ([a-z, ]+)\.)?.*/\2|\1|\3|\5/p
    }'
end

# --config-file, as it was typed before.
function __sparkbridge_config_file
    set -l file
    set -l before
    for word in $argv
        if string match -q -- '--config-file=*' $word
            set file $word
        else if test "$before" = --config-file
            set file --config-file=$word
        end
        set before $word
    end
    test -n "$file"
    and printf '%s\n' $file
end

# A flag, what it takes, the value's beginning, fixed words, and the words so far.
function __sparkbridge_values
    switch $argv[2]
        case FILE PATH
            __fish_complete_path $argv[3]
        case '*'
            if contains -- $argv[1] --profile -p
                sparkbridge profiles --json (__sparkbridge_config_file $argv[5..-1]) 2>/dev/null |
                    sed -n 's/^      "name": "\([^"\\\\]*\)",$/\1/p'
            else
                string split -n ', ' -- $argv[4]
            end
    end
end

function __sparkbridge_offers
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l flag $words[-1]
    set -l front ''
    if test (count $words) -eq 2 -a "$words[2]" = help
        __sparkbridge_commands
        return
    end
    test "$words[2]" != help
    or return
    if string match -q -- '--*=*' $word
        set flag (string replace -r '=.*' '' -- $word)
        set front $flag=
        set word (string replace -r '^[^=]*=' '' -- $word)
    end
    set -l options (__sparkbridge_options $words[2])
    for option in $options
        set -l parts (string split '|' -- $option)
        if test -n "$parts[3]"; and contains -- $flag $parts[1] (string replace ', ' '' -- $parts[2])
            set -l values (__sparkbridge_values $flag $parts[3] "$word" "$parts[4]" $words)
            printf '%s\n' $front$values
            return
        end
    end
    string replace -r '\|.*' '' -- $options
end

complete -c sparkbridge -f
complete -c sparkbridge -n __fish_is_first_arg -a '(__sparkbridge_commands)'
complete -c sparkbridge -n 'not __fish_is_first_arg' -a '(__sparkbridge_offers)'
