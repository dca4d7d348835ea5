import { Argument, type Command, type Option } from 'commander'

/** A command by its path (`inboxes create`, empty for the program itself) and what may stand after it. */
type Node = {
  readonly path: string
  readonly commands: readonly { readonly name: string; readonly summary: string }[]
  readonly options: readonly { readonly flag: string; readonly takesValue: boolean; readonly summary: string }[]
}

export function addCompletions(program: Command): void {
  program
    .command('completions')
    .summary('completions for your shell')
    .description('Prints a script for your shell, as: source <(sluice completions bash)')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .action((shell: 'bash' | 'zsh' | 'fish') => {
      process.stdout.write(writers[shell](toNodes(program)))
    })
}

const writers = { bash: toBash, zsh: toZsh, fish: toFish }

function toNodes(command: Command, path = ''): Node[] {
  const help = { flag: '--help', takesValue: false, summary: 'what it does, and its options' }
  return [
    {
      path,
      commands: command.commands.map((child) => ({
        name: child.name(),
        summary: toSummary(child),
      })),
      options: [...command.options.flatMap(toOption), help],
    },
    ...command.commands.flatMap((child) => toNodes(child, `${path} ${child.name()}`.trim())),
  ]
}

/** One sentence: it stands beside the name in the shell's list. */
function toSummary(command: Command): string {
  return command.summary() || command.description().replace(/[.;:] .*|\.$/, '')
}

function toOption({ long, required, optional, description }: Option): Node['options'][number][] {
  return long ? [{ flag: long, takesValue: required || optional, summary: description }] : []
}

/** Walks the words before the cursor down the tree of commands; the same lines in bash and in zsh. */
function toWalk(nodes: readonly Node[], wordsBefore: string): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [path.replaceAll(' ', '/')])).join(' ')
  const cases = nodes.map(({ path, commands, options }) => {
    const candidates = [...commands.map(({ name }) => name), ...options.map(({ flag }) => flag)]
    return `    "${path}") candidates="${candidates.join(' ')}" ;;`
  })
  return `  local at="" word candidates=""
  for word in ${wordsBefore}; do
    case "$word" in
      -*) ;;
      *) case " ${paths} " in *" \${at:+$at/}$word "*) at="\${at:+$at/}$word" ;; esac ;;
    esac
  done
  case "\${at//\\// }" in
${cases.join('\n')}
  esac`
}

function toBash(nodes: readonly Node[]): string {
  return `_sluice() {
${toWalk(nodes, '"${COMP_WORDS[@]:1:COMP_CWORD-1}"')}
  COMPREPLY=($(compgen -W "$candidates" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice
`
}

/** Works sourced, and as the file `_sluice` in a folder of `fpath`. */
function toZsh(nodes: readonly Node[]): string {
  return `#compdef sluice
_sluice() {
${toWalk(nodes, '"${(@)words[2,CURRENT-1]}"')}
  compadd -- \${=candidates} || _files
}
if [ "$funcstack[1]" = "_sluice" ]; then
  _sluice "$@"
else
  (( $+functions[compdef] )) || { autoload -U compinit && compinit -i; }
  compdef _sluice sluice
fi
`
}

function toFish(nodes: readonly Node[]): string {
  const paths = nodes.flatMap(({ path }) => (path === '' ? [] : [quote(path)])).join(' ')
  const lines = nodes.flatMap(({ path, commands, options }) => {
    const here = `complete -c sluice -n ${quote(`__sluice_at ${quote(path)}`)}`
    return [
      ...commands.map(({ name, summary }) => `${here} -f -a ${name} -d ${quote(summary)}`),
      ...options.map(
        ({ flag, takesValue, summary }) => `${here} -l ${flag.slice(2)}${takesValue ? ' -r' : ''} -d ${quote(summary)}`,
      ),
    ]
  })
  return `function __sluice_at
  set -l at
  for word in (commandline -opc)[2..-1]
    set -l next (string join -- ' ' $at $word)
    if contains -- $next ${paths}
      set at $next
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function quote(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`
}
