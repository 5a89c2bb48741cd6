"""Completion scripts, made from the one definition of the command line."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

from criwatch.cli.grammar import actions_of, subparsers_of, summaries_of

#: How a shell asks for names; errors (no engine, no permission) complete nothing.
_NAMES = {
    "container": "criwatch ps -a --sandboxes -o name 2>/dev/null",
    "pod": "criwatch pods -a -o name 2>/dev/null | cut -d/ -f2 | sort -u",
    "process": 'ls /proc 2>/dev/null | grep -v "[a-z]"',
    "namespace": "criwatch pods -a -o name 2>/dev/null | cut -d/ -f1 | sort -u",
}


@dataclass(frozen=True)
class Taken:
    """An option or argument, as a shell has to know it."""

    flags: Tuple[str, ...]
    help: str
    #: Whether a value follows.
    has_value: bool
    #: The values to choose from.
    choices: Tuple[str, ...]
    #: What is asked for: a key of `_NAMES`, or "".
    names: str


def _commands(whole: argparse.ArgumentParser) -> Dict[str, List[Taken]]:
    """What each sub-command takes; "" is the command itself."""
    parsers = {"": whole, **subparsers_of(whole)}
    return {name: [_taken(action) for action in actions_of(one)] for name, one in parsers.items()}


def _taken(action: argparse.Action) -> Taken:
    allowed: Sequence[str] = getattr(action, "allowed", None) or action.choices or ()  # type: ignore[assignment]
    return Taken(
        flags=tuple(action.option_strings),
        help=(action.help or "").split(" (default")[0].split(";")[0].replace("%%", "%"),
        has_value=action.nargs != 0,
        choices=tuple(allowed),
        names=getattr(action, "completes", ""),
    )


def bash(whole: argparse.ArgumentParser) -> str:
    """For bash 4 and later."""
    commands = _commands(whole)
    with_value = "|".join(dict.fromkeys(flag for one in commands[""] if one.has_value for flag in one.flags))
    out = [
        "# bash completion of criwatch; made by: criwatch completion bash",
        "_criwatch() {",
        '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command="" index',
        "    COMPREPLY=()",
        "    for ((index = 1; index < COMP_CWORD; index++)); do",
        "        case ${COMP_WORDS[index]} in",
        f"            {with_value}) ((index++)) ;;",
        "            -*) ;;",
        "            *) command=${COMP_WORDS[index]}; break ;;",
        "        esac",
        "    done",
        "    case $command:$before in",
    ]
    for name, takes in commands.items():
        for one in takes:
            words = _bash_words(one)
            if one.flags and one.has_value:
                pattern = "|".join(f"{name}:{flag}" for flag in one.flags)
                out.append(f"        {pattern}) {words or 'return'}; return ;;")
    out += ["    esac", "    case $command in"]
    for name, takes in commands.items():
        flags = " ".join(flag for one in takes for flag in one.flags)
        free = [words for one in takes if not one.flags for words in (_bash_words(one),) if words]
        if not name:
            free = [_bash_compgen(" ".join(key for key in commands if key))]
        out.append(f"        {name or repr('')})")
        out.append(
            f"            if [[ $word == -* ]]; then {_bash_compgen(flags)}; else {'; '.join(free) or ':'}; fi ;;"
        )
    out += ["    esac", "}", "complete -F _criwatch criwatch"]
    return "\n".join(out) + "\n"


def _bash_words(one: Taken) -> str:
    if one.names:
        return f'COMPREPLY=($(compgen -W "$({_NAMES[one.names]})" -- "$word"))'
    return _bash_compgen(" ".join(one.choices)) if one.choices else ""


def _bash_compgen(words: str) -> str:
    return f'COMPREPLY=($(compgen -W "{words}" -- "$word"))'


def zsh(whole: argparse.ArgumentParser) -> str:
    """For zsh."""
    commands = _commands(whole)
    out = ["#compdef criwatch", "# zsh completion of criwatch; made by: criwatch completion zsh", ""]
    for kind, ask in _NAMES.items():
        out.append(f'_criwatch_{kind}() {{ local -a names; names=(${{(f)"$({ask})"}}); compadd -a names }}')
    out += [
        "",
        "_criwatch() {",
        "    local context state state_descr line",
        "    typeset -A opt_args",
        "    _arguments -C \\",
    ]
    out += [f"        {spec} \\" for one in commands[""] for spec in _zsh_specs(one)]
    out += [
        "        '1: :->command' '*:: :->arguments'",
        "    case $state in",
        "    command)",
        "        local -a commands",
    ]
    described = (_quoted(f"{name}:{text}") for name, text in summaries_of(whole).items())
    out.append("        commands=(" + " ".join(described) + ")")
    out += ["        _describe command commands ;;", "    arguments)", "        case $line[1] in"]
    for name, takes in commands.items():
        if name:
            specs = " ".join(spec for one in takes for spec in _zsh_specs(one))
            out.append(f"        {name}) _arguments {specs} ;;")
    out += ["        esac ;;", "    esac", "}", "", '_criwatch "$@"']
    return "\n".join(out) + "\n"


def _zsh_specs(one: Taken) -> List[str]:
    if one.names:
        values = f":{one.names}:_criwatch_{one.names}"
    elif one.choices:
        values = f":value:({' '.join(one.choices)})"
    else:
        values = ":value: " if one.has_value else ""
    if not one.flags:
        return [_quoted(f"*{values}")]
    help_text = one.help.replace("[", "(").replace("]", ")").replace(":", "\\:")
    return [_quoted(f"{flag}[{help_text}]{values}") for flag in one.flags]


def fish(whole: argparse.ArgumentParser) -> str:
    """For fish."""
    commands = _commands(whole)
    names = " ".join(name for name in commands if name)
    out = ["# fish completion of criwatch; made by: criwatch completion fish", "complete -c criwatch -f"]
    for name, text in summaries_of(whole).items():
        out.append(f"complete -c criwatch -n '__fish_use_subcommand' -a {name} -d {_quoted(text)}")
    for name, takes in commands.items():
        condition = f"__fish_seen_subcommand_from {name}" if name else f"not __fish_seen_subcommand_from {names}"
        for one in takes:
            values = f"({_NAMES[one.names]})" if one.names else " ".join(one.choices)
            parts = [f"complete -c criwatch -n '{condition}'"]
            parts += [f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in one.flags]
            if one.flags and one.has_value:
                parts.append("-x")
            if values:
                parts.append(f"-a {_quoted(values)}")
            if one.help:
                parts.append(f"-d {_quoted(one.help)}")
            if one.flags or values:
                out.append(" ".join(parts))
    return "\n".join(out) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
