import { Argument, type Command } from 'commander'

type Node = { readonly path: string; readonly words: readonly string[] }

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

/** What may stand after each command. */
function toNodes(command: Command, path = ''): Node[] {
  const names = command.commands.map((child) => child.name())
  const flags = command.options.flatMap((option) => (option.long ? [option.long] : []))
  const children = command.commands.flatMap((child) =>
    toNodes(child, path === '' ? child.name() : `${path} ${child.name()}`),
  )
  return [{ path, words: [...names, ...flags, '--help'] }, ...children]
}

function toCases(nodes: readonly Node[]): string {
  return nodes.map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`).join('\n')
}

function toBash(nodes: readonly Node[]): string {
  return `_sluice() {
  local path="" word words=""
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " ${toPaths(nodes)} " in *" \${path:+$path/}$word "*) path="\${path:+$path/}$word" ;; esac ;; esac
  done
  case "\${path//\\// }" in
${toCases(nodes)}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _sluice sluice
`
}

function toZsh(nodes: readonly Node[]): string {
  return `#compdef sluice
autoload -U +X bashcompinit && bashcompinit
${toBash(nodes)}`
}

function toFish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, words }) => {
    const names = path === '' ? [] : path.split(' ')
    const after = [
      ...names.map((name) => `__fish_seen_subcommand_from ${name}`),
      ...(path === '' ? ['__fish_use_subcommand'] : []),
    ].join('; and ')
    const plain = words.filter((word) => !word.startsWith('--'))
    const flags = words.filter((word) => word.startsWith('--'))
    return [
      ...(plain.length > 0 ? [`complete -c sluice -f -n "${after}" -a "${plain.join(' ')}"`] : []),
      ...flags.map((flag) => `complete -c sluice -n "${after}" -l ${flag.slice(2)}`),
    ]
  })
  return `${lines.join('\n')}\n`
}

/** Paths with slashes, so that blanks separate them. */
function toPaths(nodes: readonly Node[]): string {
  return nodes.flatMap(({ path }) => (path === '' ? [] : [path.replaceAll(' ', '/')])).join(' ')
}
