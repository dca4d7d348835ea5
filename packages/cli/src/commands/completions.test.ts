import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const sluice = new URL('../../bin/sluice.js', import.meta.url).pathname

/** How each shell is asked for what may stand at the end of a line, the script is in the file SCRIPT. */
const shells = {
  bash: {
    args: ['--norc', '-c'],
    ask: (words: readonly string[]) =>
      `source "$SCRIPT"; COMP_WORDS=(sluice ${words.join(' ')}); COMP_CWORD=${words.length}
       $(complete -p sluice | sed 's/.*-F \\([^ ]*\\).*/\\1/'); printf '%s\\n' "\${COMPREPLY[@]}"`,
  },
  zsh: {
    args: ['-f', '-c'],
    // zsh itself chooses by the beginning of the word.
    ask: (words: readonly string[]) =>
      `autoload -U compinit && compinit -i -D; source "$SCRIPT"
       words=(sluice ${words.join(' ')}); CURRENT=${words.length + 1}
       compadd() { shift; print -rl -- \${(M)@:#\${words[CURRENT]}*} }; $_comps[sluice]`,
  },
  fish: {
    args: ['--no-config', '-c'],
    ask: (words: readonly string[]) => `source $SCRIPT; complete -C "sluice ${words.join(' ').replaceAll("''", '')}"`,
  },
}

for (const [shell, { args, ask }] of Object.entries(shells)) {
  const isMissing = spawnSync(shell, ['--version']).error !== undefined
  test(`completions in ${shell}`, { skip: isMissing && `${shell} is not installed` }, (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-completions-'))
    context.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'script')
    writeFileSync(file, spawnSync(process.execPath, [sluice, 'completions', shell]).stdout)
    const env = { ...process.env, SCRIPT: file, HOME: folder }
    const complete = (...words: string[]): string[] => {
      const ran = spawnSync(shell, [...args, ask(words)], { env, encoding: 'utf8' })
      assert.deepEqual([ran.status, ran.stderr], [0, ''], words.join(' '))
      return ran.stdout.split('\n').flatMap((line) => line.split('\t', 1).filter((word) => word !== ''))
    }
    assert.deepEqual(complete('inboxes', 'cr'), ['create'])
    assert.deepEqual(complete('--json', 'inboxes', 'cr'), ['create'])
    assert.deepEqual(complete('dead-letters', "''").toSorted().slice(-4), ['discard', 'list', 'replay', 'send'])
    assert.ok(complete("''").includes('dead-letters'))
    assert.deepEqual(complete('inboxes', 'create', 'crm', '--ret'), ['--retry'])
    assert.deepEqual(complete('keys', 'create', '--user-i'), ['--user-id'])
  })
}
