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

test('no dependency needs an install script: npm ci --ignore-scripts is enough', () => {
  assert.deepEqual(
    locked.filter(([, entry]) => entry.hasInstallScript),
    [],
  )
})

test('every package from a registry is pinned by its digest', () => {
  const isOurs = (path: string): boolean => path === '' || !path.includes('node_modules/') || path.includes('@sluice/')
  assert.deepEqual(
    locked.filter(([path, entry]) => !isOurs(path) && entry.integrity === undefined).map(([path]) => path),
    [],
  )
})
