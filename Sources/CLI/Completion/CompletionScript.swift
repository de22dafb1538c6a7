import ArgumentParser

/// A shell for which there is a completion script.
package enum Shell: String, CaseIterable, Sendable, ExpressibleByArgument {
    case bash, zsh, fish

    /// The hidden command that answers completion requests.
    package static let request = "__complete"

    /// The completion script, which asks the program for candidates.
    package var script: String {
        switch self {
        case .bash:
            #"""
            # Completion of ingot for bash. Add this line to ~/.bashrc:  source <(ingot completion bash)
            _ingot() {
                local kind='' text meaning
                COMPREPLY=()
                while IFS=$'\t' read -r text meaning; do
                    if [[ -z $kind ]]; then
                        kind=$text
                    elif [[ $kind == files ]]; then
                        COMPREPLY+=("${text%/}")
                    else
                        [[ $text == *[!a-zA-Z0-9_.,:/=@%+-]* ]] && printf -v text %q "$text"
                        COMPREPLY+=("$text")
                    fi
                done < <("${COMP_WORDS[0]/#\~/$HOME}" __complete bash "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null)
                if [[ $kind == files ]]; then
                    compopt -o filenames
                elif [[ ${COMPREPLY[0]} == *= ]]; then
                    compopt -o nospace
                fi
            }
            complete -F _ingot ingot

            """#
        case .zsh:
            #"""
            #compdef ingot
            # Completion of ingot for zsh. Add this line to ~/.zshrc, after compinit:  source <(ingot completion zsh)
            # Or save it as a file named _ingot in a folder of $fpath.
            _ingot() {
                local kind='' text meaning
                local -a open openShown closed closedShown
                while IFS=$'\t' read -r text meaning; do
                    if [[ -z $kind ]]; then
                        kind=$text
                    elif [[ $text == *(=|/) ]]; then
                        open+=("$text")
                        openShown+=("$text${meaning:+  -- $meaning}")
                    else
                        closed+=("$text")
                        closedShown+=("$text${meaning:+  -- $meaning}")
                    fi
                done < <("${(Q)words[1]/#\~/$HOME}" __complete zsh $((CURRENT - 1)) "${(Q)words[@]}" 2>/dev/null)
                local -a listing
                [[ $closedShown$openShown == *'  -- '* ]] && listing=(-l)
                compadd $listing -S '' -d openShown -a open
                compadd $listing -d closedShown -a closed
            }
            if [[ ${funcstack[1]} == _ingot ]]; then
                _ingot "$@"
            else
                (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
                compdef _ingot ingot
            fi

            """#
        case .fish:
            #"""
            # Completion of ingot for fish. Write it to the completions folder of fish:
            #   ingot completion fish > ~/.config/fish/completions/ingot.fish
            function __ingot_complete
                set -l words (commandline -opc)
                set -l word (commandline -ct)
                $words[1] __complete fish (count $words) $words "$word" 2>/dev/null | tail -n +2
            end
            complete -c ingot -f -a '(__ingot_complete)'

            """#
        }
    }
}
