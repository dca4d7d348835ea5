import { spawn } from 'node:child_process'
import { globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startHub } from './hub-process.ts'
import { toSnippets, type Snippet } from './snippets.ts'

/**
 * Runs every snippet of README.md and docs/ as a reader would: page by page from the top, each page in an empty folder
 * with a hub of its own, `SLUICE_URL` and an admin key in `SLUICE_API_KEY`. `npm run docs -- README` runs one page.
 * Ends with `docs: N passed, N failed`.
 */
const snippetTimeoutMs = 60_000

const { positionals } = parseArgs({ allowPositionals: true })
const pages = globSync(['README.md', 'docs/**/*.md'])
  .filter((page) => positionals.length === 0 || positionals.some((part) => page.includes(part)))
  .toSorted()

let passed = 0
let failed = 0
for (const page of pages) {
  const { snippets, faults } = toSnippets(readFileSync(page, 'utf8'))
  for (const fault of faults) console.log(`✖ ${page}:${fault.line} ${fault.detail}`)
  failed += faults.length
  if (snippets.length > 0) await runPage(page, snippets)
}
if (pages.length === 0) console.log('✖ there are no pages to run')
console.log(`docs: ${passed} passed, ${failed} failed`)
process.exitCode = failed > 0 || pages.length === 0 ? 1 : 0

async function runPage(page: string, snippets: readonly Snippet[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-docs-'))
  try {
    // What a checkout would offer: the packages by name, and `npx sluice`.
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    await using hub = await startHub({ data: join(folder, '.sluice') })
    const env = {
      ...process.env,
      PATH: `${resolve('node_modules/.bin')}${delimiter}${process.env['PATH']}`,
      SLUICE_URL: hub.url,
      SLUICE_API_KEY: hub.apiKey ?? '',
    }
    for (const snippet of snippets) {
      const { code, output } = await runSnippet(snippet, { folder, env, url: hub.url })
      console.log(`${code === 0 ? '✔' : '✖'} ${page}:${snippet.line} ${snippet.language}`)
      if (code === 0) passed += 1
      else {
        failed += 1
        console.log(output.trimEnd())
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

type Place = { readonly folder: string; readonly env: NodeJS.ProcessEnv; readonly url: string }

function runSnippet(
  { language, code, line }: Snippet,
  { folder, env, url }: Place,
): Promise<{ code: number; output: string }> {
  const file = join(folder, `snippet-${line}.${language}`)
  // The one thing that is changed: pages name the default address, and here the hub has a free port.
  writeFileSync(file, code.replaceAll(/http:\/\/(127\.0\.0\.1|localhost):8000/g, url))
  const commands: Record<Snippet['language'], readonly [string, ...string[]]> = {
    sh: ['bash', '-euo', 'pipefail', file],
    ts: [process.execPath, file],
    python: ['python3', file],
  }
  const [command, ...args] = commands[language]
  // A process group of its own, so that what a snippet leaves in the background ends with it.
  const child = spawn(command, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const timer = setTimeout(() => endGroup(child.pid), snippetTimeoutMs)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  return new Promise((done) => {
    child.on('error', (error) => done({ code: 1, output: `${command}: ${error.message}` }))
    child.on('exit', () => endGroup(child.pid))
    child.on('close', (exit, signal) => {
      clearTimeout(timer)
      if (signal !== null) output += `\nended by ${signal}; a snippet may take ${snippetTimeoutMs / 1000} s`
      done({ code: exit ?? 1, output })
    })
  })
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // Nobody is left in it.
  }
}
