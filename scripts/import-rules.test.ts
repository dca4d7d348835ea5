import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

// Plants one import in one file of an empty copy of the tree, and asks the linter: the layers hold only while each rule bites.
const refused: readonly [file: string, statement: string][] = [
  ['packages/protocol/src/planted.ts', `import { a } from '@sluice/hub'`],
  ['packages/protocol/src/planted.ts', `import type { A } from '@sluice/client'`],
  ['packages/protocol/src/planted.ts', `import { a } from '../../hub/src/main.ts'`],
  ['packages/protocol/src/planted.ts', `import { a } from 'node:fs'`],
  ['packages/protocol/src/planted.ts', `import { a } from 'node:fs/promises'`],
  ['packages/protocol/src/planted.test.ts', `import { a } from '@sluice/hub'`],
  ['packages/client/src/planted.ts', `import { a } from '@sluice/protocol'`],
  ['packages/client/src/planted.ts', `import { a, type B } from '@sluice/protocol'`],
  ['packages/client/src/planted.ts', `import { a } from '@sluice/protocol/webhooks'`],
  ['packages/client/src/node/planted.ts', `import { a } from '@sluice/protocol/webhooks'`],
  ['packages/client/src/webhooks/planted.ts', `import { a } from '@sluice/protocol'`],
  ['packages/client/src/webhooks/planted.ts', `import { a } from 'node:crypto'`],
  ['packages/client/src/planted.ts', `import type { A } from '@sluice/hub'`],
  ['packages/client/src/planted.ts', `import type { A } from '../../protocol/src/index.ts'`],
  ['packages/client/src/planted.ts', `import { a } from 'node:fs'`],
  ['packages/hub/src/http/planted.ts', `import { a } from '../store/sqlite/store.ts'`],
  ['packages/hub/src/http/planted.ts', `import type { A } from '../../store/sqlite/store.ts'`],
  ['packages/hub/src/http/planted.ts', `import { a } from '../store/store.ts'`],
  ['packages/hub/src/http/planted.ts', `import { a } from '../main.ts'`],
  ['packages/hub/src/http/planted.ts', `import { a } from 'node:sqlite'`],
  ['packages/hub/src/http/planted.ts', `import { a } from '@sluice/client'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from '../http/app.ts'`],
  ['packages/hub/src/domain/planted.ts', `import type { A } from '../http/app.ts'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from '../store/sqlite/store.ts'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from 'hono'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from 'hono/body-limit'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from 'node:http'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from 'node:sqlite'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from '@sluice/cli'`],
  ['packages/hub/src/store/planted.ts', `import { a } from '../domain/publish.ts'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import { a } from '../../domain/publish.ts'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import type { A } from '../../http/app.ts'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import { a } from 'node:http'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import { a } from '../../main.ts'`],
  ['packages/hub/src/transform/planted.ts', `import { a } from '../domain/publish.ts'`],
  ['packages/hub/src/transform/planted.ts', `import { a } from '@sluice/client'`],
  ['packages/hub/src/planted.ts', `import { a } from '@sluice/client'`],
  ['packages/hub/src/planted.ts', `import { a } from '../../protocol/src/index.ts'`],
  ['packages/sdk/src/http/planted.ts', `import { a } from '@sluice/client'`],
  ['packages/sdk/src/planted.ts', `import type { A } from '@sluice/hub'`],
  ['packages/sdk/src/planted.ts', `import { a } from '../../protocol/src/index.ts'`],
  ['packages/console/src/planted.ts', `import { a } from '@sluice/hub'`],
  ['packages/console/src/pages/planted.tsx', `import { a } from '@sluice/protocol'`],
  ['packages/console/src/planted.ts', `import { a } from '../../client/src/admin.ts'`],
  ['packages/console/src/planted.ts', `import { a } from 'node:fs'`],
  ['packages/cli/src/planted.ts', `import { a } from '@sluice/hub/domain'`],
  ['packages/cli/src/planted.ts', `import type { A } from '../../hub/src/store/store.ts'`],
  ['packages/cli/src/commands/planted.ts', `import { a } from '../../../hub/src/main.ts'`],
  ['integrations/esauti/src/planted.ts', `import type { A } from '@sluice/protocol'`],
  ['integrations/esauti/src/planted.ts', `import { a } from '@sluice/hub'`],
  ['integrations/github/planted.ts', `import { a } from '@sluice/hub'`],
  ['integrations/esauti/src/planted.ts', `import { a } from '../../../packages/client/src/index.ts'`],
  ['bench/planted.ts', `import { a } from '../packages/hub/src/main.ts'`],
  ['examples/planted.ts', `import { a } from '../packages/client/src/index.ts'`],
]

const allowed: readonly [file: string, statement: string][] = [
  ['packages/protocol/src/planted.ts', `import { a } from './event.ts'`],
  ['packages/protocol/src/planted.ts', `import { a } from 'node:crypto'`],
  ['packages/client/src/planted.ts', `import type { A } from '@sluice/protocol'`],
  ['packages/client/src/planted.ts', `import { type A } from '@sluice/protocol'`],
  ['packages/client/src/webhooks.ts', `import { a } from '@sluice/protocol/webhooks'`],
  ['packages/client/src/webhooks/planted.ts', `import { a } from '@sluice/protocol/webhooks'`],
  ['packages/client/src/planted.test.ts', `import { a } from '@sluice/hub'`],
  ['packages/hub/src/http/planted.ts', `import { a } from '../domain/publish.ts'`],
  ['packages/hub/src/http/planted.ts', `import type { A } from '../store/store.ts'`],
  ['packages/hub/src/http/planted.ts', `import { a } from 'node:http'`],
  ['packages/hub/src/domain/planted.ts', `import type { A } from '../store/store.ts'`],
  ['packages/hub/src/domain/planted.ts', `import { a } from '@sluice/protocol'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import type { A } from '../store.ts'`],
  ['packages/hub/src/store/sqlite/planted.ts', `import { a } from 'node:sqlite'`],
  ['packages/hub/src/transform/planted.ts', `import { a } from '../runner/queue.ts'`],
  ['packages/hub/src/main.ts', `import { a } from './store/sqlite/store.ts'`],
  ['packages/console/src/planted.ts', `import { a } from '@sluice/client/admin'`],
  ['packages/console/src/pages/planted.tsx', `import { a } from '@sluice/protocol/match'`],
  ['packages/cli/src/planted.ts', `import { a } from '@sluice/hub'`],
  ['packages/cli/src/planted.ts', `import { a } from '@sluice/client/admin'`],
  ['integrations/esauti/src/planted.ts', `import { a } from '@sluice/client/rest'`],
  ['integrations/esauti/src/planted.test.ts', `import { a } from '@sluice/hub'`],
]

type Planted = (typeof refused)[number]

const isPlantedRefused = (planted: readonly Planted[]): boolean[] => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-import-rules-'))
  try {
    // Types are not needed for this, and finding them would need the installed packages.
    const config = readFileSync('.oxlintrc.json', 'utf8').replace('"typeAware": true', '"typeAware": false')
    writeFileSync(join(folder, '.oxlintrc.json'), config)
    const files = planted.map(([file, statement], index) => {
      const path = file.replace('planted', `planted-${index}`)
      mkdirSync(join(folder, dirname(path)), { recursive: true })
      writeFileSync(join(folder, path), `${statement}\n`)
      return path
    })
    const { stdout } = spawnSync(process.execPath, [resolve('node_modules/oxlint/bin/oxlint'), '--format=json'], {
      cwd: folder,
      encoding: 'utf8',
    })
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] }
    const hits = new Set(
      diagnostics.filter(({ code }) => code.includes('no-restricted-imports')).map(({ filename }) => filename),
    )
    return files.map((file) => hits.has(file))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('every import that crosses the layers the wrong way is refused', () => {
  const verdicts = isPlantedRefused(refused)
  assert.deepEqual(
    refused.filter((_, index) => !verdicts[index]),
    [],
  )
})

test('imports that go the right way are allowed', () => {
  const verdicts = isPlantedRefused(allowed)
  assert.deepEqual(
    allowed.filter((_, index) => verdicts[index]),
    [],
  )
})
