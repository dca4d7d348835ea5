import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'

/**
 * What a change must pass before it is committed: format, lint, types, fast tests, dead code. `npm run check -- lint types`
 * runs only these. Every step runs even if one before it failed; ends with `check: N passed, N failed`.
 */
type Step = { readonly name: string; readonly args: readonly string[]; readonly hint: string }

// The tools are started through their own files, so that they run under this Node and on any platform.
const steps: readonly Step[] = [
  {
    name: 'format',
    args: ['node_modules/oxfmt/bin/oxfmt', '--check'],
    hint: 'npm exec oxfmt -- FILES formats them',
  },
  {
    name: 'lint',
    args: ['node_modules/oxlint/bin/oxlint', '--format=unix'],
    hint: '.oxlintrc.json says which folder may import what, and why',
  },
  { name: 'types', args: ['node_modules/typescript/bin/tsc', '-p', '.'], hint: 'npm exec tsc -- -p .' },
  { name: 'fast tests', args: ['scripts/test.ts', '--fast'], hint: 'npm test -- PART OF A PATH runs some of them' },
  {
    name: 'dead code',
    args: ['node_modules/knip/bin/knip.js', '--no-progress', '--no-config-hints'],
    hint: 'remove it, or use it; knip.json names the entries',
  },
]

const { positionals } = parseArgs({ allowPositionals: true })
const wanted = steps.filter((step) => positionals.length === 0 || positionals.some((part) => step.name.includes(part)))
if (wanted.length === 0) {
  console.error(`no step is named ${positionals.join(' or ')}; there are: ${steps.map((step) => step.name).join(', ')}`)
  process.exit(1)
}

const failed: Step[] = []
for (const step of wanted) {
  const started = performance.now()
  const { code, output } = await runStep(step)
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  console.log(`${code === 0 ? '✔' : '✖'} ${step.name} (${seconds} s)`)
  if (code !== 0) {
    failed.push(step)
    console.log(output.trimEnd())
    console.log(`  ${step.name} failed: ${step.hint}\n`)
  } else if (step.name === 'lint' && /warning/i.test(output)) {
    console.log(output.trimEnd())
  }
}
console.log(`check: ${wanted.length - failed.length} passed, ${failed.length} failed`)
process.exitCode = failed.length > 0 ? 1 : 0

function runStep({ args }: Step): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
