import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { it } from 'node:test'
import { promisify } from 'node:util'

const entries = [
  ...['', '/admin', '/catalogue', '/event', '/event-types', '/node', '/testing', '/topics'].map(
    (entry) => `@sluice/client${entry}`,
  ),
  '@sluice/esauti',
  '@sluice/sdk/integration',
  '@sluice/sdk/testing',
]

it('a project outside of the checkout passes the compiler, with the tsconfig of the page', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-own-project-'))
  try {
    const page = readFileSync('docs/client/01-installation.md', 'utf8')
    const [, tsconfig] = /```json\n(.*?)```/s.exec(page) ?? []
    assert.ok(tsconfig)
    writeFileSync(join(folder, 'tsconfig.json'), tsconfig)
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    writeFileSync(join(folder, 'all.ts'), entries.map((entry, i) => `export * as e${i} from '${entry}'\n`).join(''))

    const compiler = resolve('node_modules/typescript/bin/tsc')
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', folder]).catch(
      (error: { stdout: string }) => error,
    )

    assert.equal(stdout, '')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
